/* FIFO queues against the shortest program that could be right: messages in the order in which they were sent, and a walk
 * over them for each receive. A seed drives sends, receives, deletes, changes of visibility and of settings, purges, the
 * clock and power losses; after each step every key of the queue is accounted for (groups.c). */
#include "groups.h"

/* The group's first message that a receive looks at: what has expired is dropped on the way while it is visible. NULL:
 * there is none, or it is hidden. */
static ModelMessage *next_of_group(Model *model, unsigned group, uint64_t after_seq, uint64_t now_ms)
{
    for (size_t i = 0; i < model->count; i++) {
        ModelMessage *message = &model->messages[i];
        if (!message->exists || message->group != group || message->seq <= after_seq)
            continue;
        if (!is_visible(message, now_ms))
            return NULL;
        if (!is_expired(model, message, now_ms))
            return message;
    }
    return NULL;
}

static ModelGroup waiting(const Run *run, unsigned group)
{
    const ModelGroup *known = &run->model.groups[group];
    return known->first != 0 ? *known : (ModelGroup){.earliest = run->step + 1, .latest = run->step + 1};
}

/* Takes one group's messages off the front of the answer: they must be its first visible ones, in order, and all of them
 * unless the answer ends. */
static size_t check_group(Model *model, const Operation *operation, size_t at)
{
    const ReceivedMessages *received = &operation->received;
    unsigned group = find_message(model, &received->items[at].id)->group;
    uint64_t after = 0;
    for (; at < received->count; at++) {
        ModelMessage *given = find_message(model, &received->items[at].id);
        if (given->group != group)
            break;
        assert_ptr_equal(given, next_of_group(model, group, after, operation->now_ms));
        after = given->seq;
    }
    if (at < received->count || received->count < operation->max)
        assert_null(next_of_group(model, group, after, operation->now_ms));
    return at;
}

/* Groups come one after the other, those that have waited longest first, and none is left out that could be given. */
static void check_receive(Run *run, const Operation *operation)
{
    Model *model = &run->model;
    const ReceivedMessages *received = &operation->received;
    size_t max = room_in_flight(model, operation->now_ms);
    const Operation bounded = {
        .max = operation->max < max ? operation->max : max, .received = *received, .now_ms = operation->now_ms};
    bool given[GROUPS] = {false};
    uint64_t last = 0;
    assert_true(received->count <= bounded.max);
    for (size_t at = 0; at < received->count;) {
        unsigned group = find_message(model, &received->items[at].id)->group;
        assert_false(given[group]);
        given[group] = true;
        assert_true(waiting(run, group).latest >= last);
        last = waiting(run, group).earliest > last ? waiting(run, group).earliest : last;
        at = check_group(model, &bounded, at);
    }
    for (unsigned group = 0; group < GROUPS; group++) {
        if (given[group] || next_of_group(model, group, 0, operation->now_ms) == NULL)
            continue;
        assert_int_equal(received->count, bounded.max);
        if (received->count > 0)
            assert_true(waiting(run, group).latest >= last);
    }
}

/* A group that was received waits anew, should it be receivable at once. */
static void check_and_restart(Run *run, const Operation *operation)
{
    check_receive(run, operation);
    for (size_t i = 0; i < operation->received.count; i++) {
        unsigned group = find_message(&run->model, &operation->received.items[i].id)->group;
        run->model.groups[group] = (ModelGroup){operation->received.items[i].sequence, run->step + 1, run->step + 1};
    }
}

/* A group that cannot be received does not wait; one that can since this step waits from now on. */
static void after_step(Run *run)
{
    Model *model = &run->model;
    for (unsigned group = 0; group < GROUPS; group++) {
        ModelGroup *known = &model->groups[group];
        const ModelMessage *first = first_of_group(model, group);
        if (first == NULL || !is_visible(first, store_now(run->world.store)))
            *known = (ModelGroup){0};
        else if (known->first == 0)
            *known = (ModelGroup){first->seq, run->step, run->step};
        else if (known->first != first->seq)
            *known = (ModelGroup){first->seq, known->earliest, run->step};
    }
}

static void prepare(Run *run)
{
    run->fifo = true;
    run->check_receive = check_and_restart;
    run->after_step = after_step;
}

static void a_fifo_queue_is_what_the_model_says_whatever_the_seed(void **state)
{
    (void)state;
    simulate_all(prepare, 30, 700);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_fifo_queue_is_what_the_model_says_whatever_the_seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
