/* The table of a worker's states and events: no cell is forgotten, and what matters most can be read off it. */
#include "runtime/runtime_internal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const SmStep *cell(unsigned state, unsigned event)
{
    return &worker_table.steps[state * worker_table.event_count + event];
}

static void every_cell_is_filled(void **state)
{
    (void)state;
    sm_check(&worker_table);
    for (unsigned i = 0; i < worker_table.state_count; i++)
        assert_non_null(worker_table.states[i]);
    for (unsigned i = 0; i < worker_table.event_count; i++)
        assert_non_null(worker_table.events[i]);
}

/* Whatever a worker sends where it has a process that is not ending, there is an answer to it that is no bug of ours. */
static void no_frame_of_a_worker_can_be_a_bug_of_ours(void **state)
{
    (void)state;
    static const WorkerState alive[] = {WORKER_INITIALIZING, WORKER_TEMPLATE, WORKER_IDLE, WORKER_BUSY,
                                        WORKER_STREAMING};
    static const WorkerEvent sent[] = {WORKER_READY, WORKER_INIT_ERROR, WORKER_SNAPSHOT, WORKER_ANSWER, WORKER_STREAM,
                                       WORKER_PIECE, WORKER_STREAM_END, WORKER_GOODBYE,  WORKER_LIE,    WORKER_CLOSED};
    for (size_t i = 0; i < sizeof alive / sizeof *alive; i++)
        for (size_t j = 0; j < sizeof sent / sizeof *sent; j++)
            assert_true(cell(alive[i], sent[j])->action != sm_never);
}

/* Its exit ends a worker in every state in which it has a process. */
static void an_exit_always_ends_it(void **state)
{
    (void)state;
    for (unsigned i = WORKER_INITIALIZING; i <= WORKER_ENDING; i++) {
        assert_int_equal(cell(i, WORKER_EXIT)->next, WORKER_DEAD);
        assert_true(cell(i, WORKER_EXIT)->action != sm_never);
    }
}

/* An event is given to idle workers alone, so that none ever has two. */
static void only_an_idle_worker_gets_an_event(void **state)
{
    (void)state;
    for (unsigned i = 0; i < WORKER_STATES; i++)
        assert_int_equal(cell(i, WORKER_GIVE)->action != sm_never, i == WORKER_IDLE);
}

/* It can be told to stop at any time. */
static void it_can_be_stopped_at_any_time(void **state)
{
    (void)state;
    for (unsigned i = 0; i < WORKER_DEAD; i++)
        assert_true(cell(i, WORKER_STOP)->action != sm_never);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_is_filled),          cmocka_unit_test(no_frame_of_a_worker_can_be_a_bug_of_ours),
        cmocka_unit_test(an_exit_always_ends_it),        cmocka_unit_test(only_an_idle_worker_gets_an_event),
        cmocka_unit_test(it_can_be_stopped_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
