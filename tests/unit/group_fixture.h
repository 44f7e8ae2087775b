/* group_fixture.h: short steps on one queue with groups, for the unit tests of FIFO and fair queues. */
#ifndef BRUME_TESTS_UNIT_GROUP_FIXTURE_H
#define BRUME_TESTS_UNIT_GROUP_FIXTURE_H

#include "store_fixture.h"

#include "core/queue_group.h"

#include <stdio.h>
#include <stdlib.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

/* The queue, what was last received from it, and what a step asks for. */
typedef struct GroupWorld {
    World world;
    QueueSettings settings;
    Arena arena; /* of what was received */
    ReceivedMessages received;
    ReceiveRequest request;
    Message message;
    uint64_t delay_ms;
    QueueSent sent;
    Slice receipt;
    uint64_t visibility_ms;
    QueueState state;
    QueueCounts counts;
    size_t keys;
} GroupWorld;

static const Actor group_actor = {.account = SLICE_INIT("000000000001"), .region = SLICE_INIT("eu-central-1")};

static inline void group_prepare(Store *store)
{
    store_on_timer(store, TIMER_QUEUE, queue_timer);
}

static inline Error group_create_body(Txn *txn, StoreCall *call)
{
    GroupWorld *fixture = probe_argument(call);
    Queue queue;
    return queue_create(txn, &group_actor, SLICE("q"), &fixture->settings, &queue);
}

static inline int group_setup(void **state, bool fifo)
{
    GroupWorld *fixture = calloc(1, sizeof *fixture);
    fixture->world.prepare = group_prepare;
    fixture->settings =
        (QueueSettings){.fifo = fifo, .visibility_ms = 30 * SECOND, .retention_ms = HOUR, .message_bytes = 1 << 20};
    world_open(&fixture->world, 4711);
    assert_int_equal(world_write(&fixture->world, group_create_body, fixture), OK);
    *state = fixture;
    return 0;
}

static inline int group_teardown(void **state)
{
    GroupWorld *fixture = *state;
    world_close(&fixture->world);
    arena_free(&fixture->arena);
    free(fixture);
    return 0;
}

static inline void pass(GroupWorld *fixture, uint64_t milliseconds)
{
    os_sim_advance_ms(fixture->world.os, milliseconds);
    world_settle(&fixture->world);
}

/* ---- Steps ---- */

static inline Error group_send_body(Txn *txn, StoreCall *call)
{
    GroupWorld *fixture = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &group_actor, SLICE("q"), &queue));
    return queue_send(txn, &queue, &fixture->message, fixture->delay_ms, &fixture->sent);
}

/* `group`, `dedup_id` NULL: none. */
static inline Error try_send(GroupWorld *fixture, const char *group, const char *dedup_id, const char *body)
{
    fixture->message = (Message){.body = slice_of_string(body),
                                 .sender = SLICE("someone"),
                                 .group = slice_of_string(group),
                                 .dedup_id = slice_of_string(dedup_id)};
    fixture->delay_ms = fixture->settings.delay_ms;
    return world_write(&fixture->world, group_send_body, fixture);
}

static inline Error group_receive_body(Txn *txn, StoreCall *call)
{
    GroupWorld *fixture = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &group_actor, SLICE("q"), &queue));
    return queue_receive(txn, &queue, &fixture->request, &fixture->arena, &fixture->received);
}

static inline Error try_receive(GroupWorld *fixture, size_t max, uint64_t visibility_ms, const char *attempt_id)
{
    uint64_t in_flight_max = fixture->request.in_flight_max != 0 ? fixture->request.in_flight_max : 120000;
    fixture->request = (ReceiveRequest){.max = max,
                                        .bytes_max = 1 << 20,
                                        .in_flight_max = in_flight_max,
                                        .visibility_ms = visibility_ms,
                                        .attempt_id = slice_of_string(attempt_id)};
    return world_write(&fixture->world, group_receive_body, fixture);
}

/* Receives, and expects these bodies, with spaces between. */
static inline void receive(GroupWorld *fixture, size_t max, uint64_t visibility_ms, const char *expected)
{
    assert_int_equal(try_receive(fixture, max, visibility_ms, NULL), OK);
    Buffer bodies = buffer_make(&fixture->arena);
    for (size_t i = 0; i < fixture->received.count; i++) {
        if (i > 0)
            buffer_add_byte(&bodies, ' ');
        buffer_add(&bodies, fixture->received.items[i].message.body);
    }
    buffer_add_byte(&bodies, 0);
    assert_string_equal(buffer_slice(&bodies).data, expected);
}

/* The receipt of the message that was received at that place, last time. */
static inline Slice receipt_at(const GroupWorld *fixture, size_t index)
{
    assert_true(index < fixture->received.count);
    return fixture->received.items[index].receipt;
}

static inline Error group_delete_body(Txn *txn, StoreCall *call)
{
    GroupWorld *fixture = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &group_actor, SLICE("q"), &queue));
    return queue_delete(txn, &queue, fixture->receipt);
}

static inline Error delete_message(GroupWorld *fixture, Slice receipt)
{
    fixture->receipt = receipt;
    return world_write(&fixture->world, group_delete_body, fixture);
}

static inline Error group_change_body(Txn *txn, StoreCall *call)
{
    GroupWorld *fixture = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &group_actor, SLICE("q"), &queue));
    return queue_change_visibility(txn, &queue, fixture->receipt, fixture->visibility_ms);
}

static inline Error change_visibility(GroupWorld *fixture, Slice receipt, uint64_t visibility_ms)
{
    fixture->receipt = receipt;
    fixture->visibility_ms = visibility_ms;
    return world_write(&fixture->world, group_change_body, fixture);
}

static inline Error group_settings_body(Txn *txn, StoreCall *call)
{
    GroupWorld *fixture = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &group_actor, SLICE("q"), &queue));
    return queue_change(txn, &queue, &fixture->settings);
}

/* Makes fixture->settings the queue's. */
static inline void change_settings(GroupWorld *fixture)
{
    assert_int_equal(world_write(&fixture->world, group_settings_body, fixture), OK);
}

static inline Error group_purge_body(Txn *txn, StoreCall *call)
{
    (void)call;
    Queue queue;
    TRY(queue_open(txn, &group_actor, SLICE("q"), &queue));
    return queue_purge(txn, &queue);
}

static inline Error group_look_body(Txn *txn, StoreCall *call)
{
    GroupWorld *fixture = probe_argument(call);
    Queue queue;
    TRY(queue_open(txn, &group_actor, SLICE("q"), &queue));
    TRY(queue_state_get(txn, queue.prefix, &fixture->state));
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(txn_arena(txn), queue.prefix), SCAN_FORWARD);
    Slice key;
    Slice value;
    fixture->keys = 0;
    while (cursor_next(cursor, &key, &value) == OK && key.data != NULL)
        fixture->keys++;
    cursor_close(cursor);
    return queue_count(txn, &queue, &fixture->counts);
}

/* Refreshes fixture->state, ->counts and ->keys (the queue's own, its state included). */
static inline void look(GroupWorld *fixture)
{
    assert_int_equal(world_read(&fixture->world, group_look_body, fixture), OK);
}

static inline void expect_counts(GroupWorld *fixture, uint64_t visible, uint64_t in_flight, uint64_t delayed)
{
    look(fixture);
    assert_int_equal(fixture->counts.visible, visible);
    assert_int_equal(fixture->counts.in_flight, in_flight);
    assert_int_equal(fixture->counts.delayed, delayed);
}

/* A receive that waits. */
static inline void start_waiting(GroupWorld *fixture, Probe *probe, size_t max)
{
    fixture->request = (ReceiveRequest){.max = max,
                                        .bytes_max = 1 << 20,
                                        .in_flight_max = 120000,
                                        .visibility_ms = 30 * SECOND,
                                        .wait_ms = 20 * SECOND};
    probe_start(&fixture->world, probe, group_receive_body, fixture);
    world_settle(&fixture->world);
}

#endif
