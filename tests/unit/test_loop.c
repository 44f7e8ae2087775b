/* Loops run what is posted to them, once, in order, on their own thread. */
#include "net/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <unistd.h>

enum { POSTERS = 4, ROUNDS = 2000, CHAIN = 5 };

typedef struct Numbered {
    Task task;
    int poster;
    int number;
    int *next; /* of each poster: what must come next; the loop's thread alone touches it */
    pthread_t *ran_on;
} Numbered;

static void check_order(Task *task)
{
    Numbered *numbered = (Numbered *)(void *)task;
    assert_int_equal(numbered->next[numbered->poster], numbered->number);
    numbered->next[numbered->poster]++;
    *numbered->ran_on = pthread_self();
}

typedef struct Poster {
    Loop *loop;
    Numbered *tasks;
} Poster;

static void *post_chains(void *argument)
{
    Poster *poster = argument;
    Mailbox *mailbox = loop_mailbox(poster->loop);
    for (int round = 0; round < ROUNDS; round++) {
        TaskChain chain = {0};
        for (int i = 0; i < CHAIN; i++)
            task_chain_push(&chain, &poster->tasks[round * CHAIN + i].task);
        mailbox->post(mailbox, chain);
    }
    return NULL;
}

static void every_task_runs_once_in_its_posters_order(void **state)
{
    (void)state;
    Loop *loop;
    assert_int_equal(loop_open(NULL, &loop), OK);
    int next[POSTERS] = {0};
    pthread_t ran_on;
    pthread_t threads[POSTERS];
    Poster posters[POSTERS];
    assert_int_equal(loop_start(loop), OK);
    for (int i = 0; i < POSTERS; i++) {
        posters[i] = (Poster){loop, calloc(ROUNDS * CHAIN, sizeof(Numbered))};
        for (int j = 0; j < ROUNDS * CHAIN; j++)
            posters[i].tasks[j] = (Numbered){{NULL, check_order}, i, j, next, &ran_on};
        pthread_create(&threads[i], NULL, post_chains, &posters[i]);
    }
    for (int i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    /* Stopping runs what was posted before. */
    loop_stop(loop);
    for (int i = 0; i < POSTERS; i++) {
        assert_int_equal(next[i], ROUNDS * CHAIN);
        free(posters[i].tasks);
    }
    assert_false(pthread_equal(ran_on, pthread_self()));
    loop_close(loop);
}

typedef struct Chained {
    Task task;
    Loop *loop;
    int left;
} Chained;

static void post_again(Task *task)
{
    Chained *chained = (Chained *)(void *)task;
    if (chained->left-- == 0)
        return;
    TaskChain chain = {0};
    task_chain_push(&chain, task);
    Mailbox *mailbox = loop_mailbox(chained->loop);
    mailbox->post(mailbox, chain);
}

static void a_stopped_loop_has_run_what_its_tasks_posted(void **state)
{
    (void)state;
    Chained chained = {.task.run = post_again, .left = 100};
    assert_int_equal(loop_open(NULL, &chained.loop), OK);
    assert_int_equal(loop_start(chained.loop), OK);
    TaskChain chain = {0};
    task_chain_push(&chain, &chained.task);
    Mailbox *mailbox = loop_mailbox(chained.loop);
    mailbox->post(mailbox, chain);
    loop_stop(chained.loop);
    assert_int_equal(chained.left, -1);
    loop_close(chained.loop);
}

typedef struct Stopper {
    Task task;
    Loop *loop;
} Stopper;

static void stop_from_within(Task *task)
{
    loop_stop(((Stopper *)(void *)task)->loop);
}

static void a_loop_may_be_stopped_from_within_and_on_the_callers_thread(void **state)
{
    (void)state;
    Stopper stopper = {.task.run = stop_from_within};
    assert_int_equal(loop_open(NULL, &stopper.loop), OK);
    TaskChain chain = {0};
    task_chain_push(&chain, &stopper.task);
    Mailbox *mailbox = loop_mailbox(stopper.loop);
    mailbox->post(mailbox, chain);
    loop_run(stopper.loop);
    loop_close(stopper.loop);
}

static void on_timer_never(uv_timer_t *timer)
{
    (void)timer;
    fail();
}

static void closing_a_loop_closes_what_was_left_open(void **state)
{
    (void)state;
    Loop *loop;
    uv_timer_t timer;
    assert_int_equal(loop_open(NULL, &loop), OK);
    uv_timer_init(loop_uv(loop), &timer);
    uv_timer_start(&timer, on_timer_never, 1000000, 0);
    assert_int_equal(loop_start(loop), OK);
    loop_stop(loop);
    loop_close(loop);
    assert_true(uv_is_closing((uv_handle_t *)&timer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_runs_once_in_its_posters_order),
        cmocka_unit_test(a_stopped_loop_has_run_what_its_tasks_posted),
        cmocka_unit_test(a_loop_may_be_stopped_from_within_and_on_the_callers_thread),
        cmocka_unit_test(closing_a_loop_closes_what_was_left_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
