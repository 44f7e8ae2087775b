/* Fair queues against a model: an array of messages. A seed drives what groups.c tells; each receive is replayed message
 * by message, and each must come from one whose turn it may be. Which group is noisy is computed from the messages in
 * flight; where processing time may have a say, nothing is expected of the group. */
#include "groups.h"

/* The numbers of the guide, stated again: SQS developer guide, "How Amazon SQS fair queues work". */
enum { SHARE_PERCENT = 10, IN_FLIGHT_MIN = 30, SILENCE_MS = 5 * 60 * 1000, BUSY_MIN_MS = 30 * 1000 };

/* What the replay knows of each group; NO_GROUP: the messages without one. */
typedef struct Tally {
    size_t in_flight;
    size_t left;  /* messages that could still be given */
    size_t given; /* by this receive */
    uint64_t sent_ms;
} Tally;

static size_t tally(Model *model, uint64_t now_ms, Tally tallies[GROUPS + 1])
{
    size_t in_flight = 0;
    for (size_t i = 0; i < model->count; i++) {
        const ModelMessage *message = &model->messages[i];
        Tally *group = &tallies[message->group];
        group->sent_ms = message->sent_ms > group->sent_ms ? message->sent_ms : group->sent_ms;
        if (!message->exists)
            continue;
        bool hidden = message->receive_count > 0 && message->visible_ms > now_ms;
        group->in_flight += hidden;
        in_flight += hidden;
        group->left += is_visible(message, now_ms) && !is_expired(model, message, now_ms);
    }
    return in_flight;
}

static bool has_many(const Tally *group, size_t in_flight)
{
    return group->in_flight >= IN_FLIGHT_MIN && group->in_flight * 100 > in_flight * SHARE_PERCENT;
}

static bool surely_noisy(const Tally *tallies, unsigned group, size_t in_flight, uint64_t now_ms)
{
    return group != NO_GROUP && tallies[group].sent_ms + SILENCE_MS > now_ms && has_many(&tallies[group], in_flight);
}

static bool surely_quiet(const Model *model, const Tally *tallies, unsigned group, size_t in_flight)
{
    return group == NO_GROUP || (model->busy_ms[group] < BUSY_MIN_MS && !has_many(&tallies[group], in_flight));
}

/* A message of `group` is given next: nobody who must come before it may have one left. */
static void check_turn(const Model *model, const Tally *tallies, unsigned group, size_t in_flight, uint64_t now_ms)
{
    bool noisy = surely_noisy(tallies, group, in_flight, now_ms);
    bool quiet = group != NO_GROUP && surely_quiet(model, tallies, group, in_flight);
    for (unsigned other = 0; other <= NO_GROUP; other++) {
        const Tally *waiting = &tallies[other];
        if (other == group || waiting->left == 0)
            continue;
        if (noisy)
            assert_false(surely_quiet(model, tallies, other, in_flight));
        if (noisy && surely_noisy(tallies, other, in_flight, now_ms))
            assert_true(tallies[group].in_flight <= waiting->in_flight);
        /* Quiet groups give in turns. */
        if (quiet && other != NO_GROUP && surely_quiet(model, tallies, other, in_flight))
            assert_true(tallies[group].given <= waiting->given);
    }
}

static void check_receive(Run *run, const Operation *operation)
{
    Model *model = &run->model;
    uint64_t now_ms = operation->now_ms;
    const ReceivedMessages *received = &operation->received;
    Tally tallies[GROUPS + 1] = {{0}};
    size_t in_flight = tally(model, now_ms, tallies);
    size_t room = room_in_flight(model, now_ms);
    size_t all = 0;
    for (unsigned group = 0; group <= NO_GROUP; group++)
        all += tallies[group].left;
    size_t expected = all < operation->max ? all : operation->max;
    assert_int_equal(received->count, expected < room ? expected : room);
    for (size_t i = 0; i < received->count; i++) {
        unsigned group = find_message(model, &received->items[i].id)->group;
        check_turn(model, tallies, group, in_flight, now_ms);
        tallies[group].left -= 1;
        tallies[group].given += 1;
        tallies[group].in_flight += operation->milliseconds > 0;
        in_flight += operation->milliseconds > 0;
    }
    /* Messages with and without a group come alternately while there are both; noisy groups are no match for these. */
    size_t grouped = received->count - tallies[NO_GROUP].given;
    if (tallies[NO_GROUP].left > 0)
        assert_true(grouped <= tallies[NO_GROUP].given + 1);
}

static void prepare(Run *run)
{
    run->check_receive = check_receive;
}

static void a_fair_queue_is_what_the_model_says_whatever_the_seed(void **state)
{
    (void)state;
    simulate_all(prepare, 30, 700);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_fair_queue_is_what_the_model_says_whatever_the_seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
