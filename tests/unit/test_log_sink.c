/* Where functions log: chunks of what comes between two flushes, bounds, and what is told of what was dropped. */
#include "core/log_sink.h"
#include "store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define ACCOUNT SLICE("123456789012")
#define REGION SLICE("us-east-1")
#define GROUP SLICE("/aws/lambda/f")

typedef struct Fixture {
    World world;
    Limits limits;
    LogSink *sink;
    /* What was read. */
    Slice wanted;
    unsigned events;
    unsigned chunks;
    char last[200];
} Fixture;

static void prepare(Store *store)
{
    store_on_timer(store, TIMER_LOG, log_timer);
}

static int open_fixture(void **state)
{
    Fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->world.prepare = prepare;
    world_open(&fixture->world, 3);
    fixture->limits = limits_default;
    fixture->limits.value[LIMIT_RUNTIME_LOG_PENDING_BYTES] = 20000;
    fixture->sink = log_sink_open(&(LogSinkOptions){.store = fixture->world.store,
                                                    .mailbox = &fixture->world.mailbox,
                                                    .os = fixture->world.os,
                                                    .limits = &fixture->limits});
    *state = fixture;
    return 0;
}

static int close_fixture(void **state)
{
    Fixture *fixture = *state;
    store_halt(fixture->world.store);
    log_sink_close(fixture->sink);
    world_close(&fixture->world);
    free(fixture);
    return 0;
}

static void add(Fixture *fixture, Slice stream, Slice text)
{
    log_sink_add(fixture->sink, &(LogSinkLine){ACCOUNT, REGION, GROUP, stream, text});
}

static Error read_stream(Txn *txn, StoreCall *call)
{
    Fixture *fixture = probe_argument(call);
    LogGroup group;
    bool found = true;
    uint64_t sequence = 0;
    fixture->events = fixture->chunks = 0;
    TRY(log_group_open(txn, ACCOUNT, REGION, GROUP, &group));
    for (;;) {
        Slice stream;
        LogEntry *entries;
        size_t count;
        TRY(log_next_chunk(txn, &group, sequence, &found, &sequence, &stream, &entries, &count));
        if (!found)
            return OK;
        if (!slice_equal(stream, fixture->wanted))
            continue;
        fixture->chunks++;
        fixture->events += (unsigned)count;
        Slice message = entries[count - 1].message;
        assert_true(message.size < sizeof fixture->last);
        memcpy(fixture->last, message.data, message.size);
        fixture->last[message.size] = '\0';
    }
}

static Error read_back(Fixture *fixture, Slice stream)
{
    fixture->wanted = stream;
    return world_read(&fixture->world, read_stream, fixture);
}

static void lines_between_two_flushes_are_one_chunk(void **state)
{
    Fixture *fixture = *state;
    for (unsigned i = 0; i < 50; i++) {
        add(fixture, SLICE("one"), SLICE("line\n"));
        add(fixture, SLICE("two"), SLICE("other\n"));
    }
    assert_int_equal(read_back(fixture, SLICE("one")), LOG_GROUP_NOT_FOUND);
    assert_false(log_sink_flush(fixture->sink));
    world_settle(&fixture->world);
    assert_int_equal(read_back(fixture, SLICE("one")), OK);
    assert_int_equal(fixture->chunks, 1);
    assert_int_equal(fixture->events, 50);
    assert_string_equal(fixture->last, "line\n");
    assert_int_equal(log_sink_dropped(fixture->sink), 0);
}

/* While a group's lines are on their way, what comes waits for the next flush, which says so. */
static void what_comes_meanwhile_waits_for_its_turn(void **state)
{
    Fixture *fixture = *state;
    add(fixture, SLICE("one"), SLICE("first"));
    assert_false(log_sink_flush(fixture->sink));
    add(fixture, SLICE("one"), SLICE("second"));
    assert_true(log_sink_flush(fixture->sink));
    world_settle(&fixture->world);
    assert_false(log_sink_flush(fixture->sink));
    world_settle(&fixture->world);
    assert_int_equal(read_back(fixture, SLICE("one")), OK);
    assert_int_equal(fixture->chunks, 2);
    assert_string_equal(fixture->last, "second");
}

static void what_is_too_much_is_dropped_and_told_of(void **state)
{
    Fixture *fixture = *state;
    char line[100];
    memset(line, 'x', sizeof line);
    for (unsigned i = 0; i < 1000; i++)
        add(fixture, SLICE("one"), slice_make(line, sizeof line));
    uint64_t dropped = log_sink_dropped(fixture->sink);
    assert_true(dropped > 800 && dropped < 900); /* 20 000 bytes hold some 150 */
    log_sink_flush(fixture->sink);
    world_settle(&fixture->world);
    assert_int_equal(read_back(fixture, SLICE("one")), OK);
    assert_int_equal(fixture->events, 1000 - dropped + 1);
    char told[100];
    snprintf(told, sizeof told, "%llu log lines were dropped: more came than could be kept\n",
             (unsigned long long)dropped);
    assert_string_equal(fixture->last, told);
    add(fixture, SLICE("one"), SLICE("again"));
    log_sink_flush(fixture->sink);
    world_settle(&fixture->world);
    assert_int_equal(read_back(fixture, SLICE("one")), OK);
    assert_string_equal(fixture->last, "again");
}

static void bytes_that_are_no_text_are_replaced(void **state)
{
    Fixture *fixture = *state;
    add(fixture, SLICE("one"),
        SLICE("a\xff\xfe"
              "b\xc3\xa4\xe2\x82"));
    log_sink_flush(fixture->sink);
    world_settle(&fixture->world);
    assert_int_equal(read_back(fixture, SLICE("one")), OK);
    assert_string_equal(fixture->last, "a\xef\xbf\xbd\xef\xbf\xbd"
                                       "b\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd");
}

static Error delete_group(Txn *txn, StoreCall *call)
{
    (void)call;
    LogGroup group;
    TRY(log_group_open(txn, ACCOUNT, REGION, GROUP, &group));
    return log_group_delete(txn, &group);
}

static void a_group_that_was_deleted_is_made_again(void **state)
{
    Fixture *fixture = *state;
    add(fixture, SLICE("one"), SLICE("before"));
    log_sink_flush(fixture->sink);
    world_settle(&fixture->world);
    assert_int_equal(world_write(&fixture->world, delete_group, fixture), OK);
    add(fixture, SLICE("one"), SLICE("after"));
    log_sink_flush(fixture->sink);
    world_settle(&fixture->world);
    assert_int_equal(read_back(fixture, SLICE("one")), OK);
    assert_int_equal(fixture->events, 1);
    assert_string_equal(fixture->last, "after");
}

/* More streams than one transaction takes. */
static void many_streams_are_kept_in_turns(void **state)
{
    Fixture *fixture = *state;
    char name[20];
    fixture->limits.value[LIMIT_RUNTIME_LOG_PENDING_BYTES] = 10000000;
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "stream%u", i);
        add(fixture, slice_of_string(name), SLICE("line"));
    }
    unsigned flushes = 1;
    while (log_sink_flush(fixture->sink)) {
        world_settle(&fixture->world);
        assert_true(++flushes < 10);
    }
    world_settle(&fixture->world);
    assert_int_equal(flushes, 3);
    assert_int_equal(read_back(fixture, SLICE("stream999")), OK);
    assert_int_equal(fixture->events, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_between_two_flushes_are_one_chunk, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(what_comes_meanwhile_waits_for_its_turn, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(what_is_too_much_is_dropped_and_told_of, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_text_are_replaced, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(a_group_that_was_deleted_is_made_again, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(many_streams_are_kept_in_turns, open_fixture, close_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
