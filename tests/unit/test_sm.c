#include "base/sm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* A door with a lock. */
enum { OPEN, CLOSED, LOCKED, DOOR_STATES };
enum { PUSH, PULL, TURN_KEY, DOOR_EVENTS };

typedef struct Door {
    unsigned state;
    unsigned seen_in_action;
    int slams;
    int force;
} Door;

static const SmTable door_table;

static void slam(void *subject, void *detail)
{
    Door *door = subject;
    door->slams++;
    door->force += *(int *)detail;
    door->seen_in_action = door->state;
}

/* An action may step again: a door of this house locks itself when pushed hard enough. */
static void slam_and_lock(void *subject, void *detail)
{
    Door *door = subject;
    slam(subject, detail);
    if (*(int *)detail > 5)
        sm_step(&door_table, NULL, 1, &door->state, TURN_KEY, door, detail);
}

/* clang-format off */
static const SmStep door_steps[DOOR_STATES][DOOR_EVENTS] = {
    /*           PUSH                     PULL                  TURN_KEY             */
    [OPEN]   = {{CLOSED, slam_and_lock}, {OPEN, sm_nothing},   {OPEN, sm_never}},
    [CLOSED] = {{CLOSED, sm_nothing},    {OPEN, sm_nothing},   {LOCKED, sm_nothing}},
    [LOCKED] = {{LOCKED, sm_nothing},    {LOCKED, sm_nothing}, {CLOSED, sm_nothing}},
};
/* clang-format on */

static const char *const door_states[] = {"OPEN", "CLOSED", "LOCKED"};
static const char *const door_events[] = {"PUSH", "PULL", "TURN_KEY"};
static const SmTable door_table = {"door", door_states, door_events, DOOR_STATES, DOOR_EVENTS, &door_steps[0][0]};

static uint64_t still_clock(void *clock)
{
    (void)clock;
    return 0;
}

/* Runs `work` in a child process whose standard error and log go into a pipe; gives what it printed and how it ended. */
static int in_child(void (*work)(Log *log), char *text, size_t room)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        Log log = {.file = STDERR_FILENO, .level = LOG_LEVEL_DEBUG, .wall_us = still_clock};
        work(&log);
        _exit(0);
    }
    close(ends[1]);
    size_t size = 0;
    ssize_t got;
    while ((got = read(ends[0], text + size, room - 1 - size)) > 0)
        size += (size_t)got;
    text[size] = '\0';
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void steps_follow_the_table(void **state)
{
    (void)state;
    sm_check(&door_table);
    Door door = {.state = OPEN};
    int force = 2;
    sm_step(&door_table, NULL, 1, &door.state, PUSH, &door, &force);
    assert_int_equal(door.state, CLOSED);
    assert_int_equal(door.slams, 1);
    assert_int_equal(door.force, 2);
    assert_int_equal(door.seen_in_action, CLOSED);
    sm_step(&door_table, NULL, 1, &door.state, TURN_KEY, &door, NULL);
    sm_step(&door_table, NULL, 1, &door.state, PULL, &door, NULL);
    assert_int_equal(door.state, LOCKED);
    force = 9;
    door.state = OPEN;
    sm_step(&door_table, NULL, 1, &door.state, PUSH, &door, &force);
    assert_int_equal(door.state, LOCKED);
}

static void push_twice(Log *log)
{
    Door door = {.state = OPEN};
    int force = 1;
    sm_step(&door_table, log, 7, &door.state, PUSH, &door, &force);
    sm_step(&door_table, log, 7, &door.state, PULL, &door, &force);
}

static void transitions_are_logged(void **state)
{
    (void)state;
    char text[4096];
    int status = in_child(push_twice, text, sizeof text);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_string_equal(text, "time=1970-01-01T00:00:00.000Z level=debug event=transition machine=door id=7 state=OPEN "
                              "input=PUSH next=CLOSED\n"
                              "time=1970-01-01T00:00:00.000Z level=debug event=transition machine=door id=7 "
                              "state=CLOSED input=PULL next=OPEN\n");
}

static void lock_the_open_door(Log *log)
{
    Door door = {.state = OPEN};
    sm_step(&door_table, log, 7, &door.state, TURN_KEY, &door, NULL);
}

static void a_cell_that_cannot_be_reached_stops_the_process_and_is_named(void **state)
{
    (void)state;
    char text[4096];
    int status = in_child(lock_the_open_door, text, sizeof text);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(
        strstr(text, "level=error event=\"impossible transition\" machine=door id=7 state=OPEN input=TURN_KEY"));
}

static void check_with_a_hole(Log *log)
{
    (void)log;
    SmStep steps[DOOR_STATES * DOOR_EVENTS];
    memcpy(steps, door_steps, sizeof steps);
    steps[4] = (SmStep){0};
    SmTable table = door_table;
    table.steps = steps;
    sm_check(&table);
}

static void a_forgotten_cell_is_found_at_start(void **state)
{
    (void)state;
    char text[4096];
    int status = in_child(check_with_a_hole, text, sizeof text);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(text, "action != NULL"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_follow_the_table),
        cmocka_unit_test(transitions_are_logged),
        cmocka_unit_test(a_cell_that_cannot_be_reached_stops_the_process_and_is_named),
        cmocka_unit_test(a_forgotten_cell_is_found_at_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
