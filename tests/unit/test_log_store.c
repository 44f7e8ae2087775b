/* Logs against the shortest program that could be right: an array of events in the order in which they were taken. A seed
 * drives appends with clocks that overlap, deletions, retention and the clock; after each step everything is read, in both
 * directions, whole and from a gap on. */
#include "core/log.h"
#include "store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum { EVENTS_MAX = 20000, STREAMS = 3, STEPS = 300 };

#define ACCOUNT SLICE("123456789012")
#define REGION SLICE("us-east-1")
#define GROUP SLICE("/app")

typedef struct ModelEvent {
    uint64_t time_ms;
    unsigned stream;
    unsigned number; /* what its message says */
    bool deleted;
} ModelEvent;

typedef struct Model {
    ModelEvent events[EVENTS_MAX];
    unsigned count;
    uint64_t retention_days;
} Model;

typedef struct Run {
    World world;
    Model model;
    /* What a body does. */
    unsigned stream;
    const ModelEvent *batch;
    unsigned batch_count;
    LogWalkOptions options;
    bool whole_group;
    bool by_name; /* one stream, chosen among the rows of all */
    unsigned pauses;
    bool has_gap;
    LogPlace gap;
    unsigned found[EVENTS_MAX];
    LogPlace places[EVENTS_MAX];
    unsigned found_count;
    uint64_t bytes;
    Error result;
} Run;

static Slice stream_name(unsigned stream)
{
    static const Slice names[STREAMS] = {SLICE_INIT("one"), SLICE_INIT("two"), SLICE_INIT("two/b")};
    return names[stream];
}

static uint64_t draw(Run *run, uint64_t below)
{
    uint64_t bits;
    os_random(run->world.os, &bits, sizeof bits);
    return bits % below;
}

/* ---- Bodies ---- */

static Error make_group(Txn *txn, StoreCall *call)
{
    (void)call;
    LogGroup group = {.account = ACCOUNT, .region = REGION, .name = GROUP, .class_name = SLICE("STANDARD")};
    LogStream stream;
    TRY(log_group_create(txn, &group));
    for (unsigned i = 0; i < STREAMS; i++)
        TRY(log_stream_create(txn, &group, stream_name(i), &stream));
    return OK;
}

static Error append(Txn *txn, StoreCall *call)
{
    Run *run = probe_argument(call);
    LogGroup group;
    LogStream stream;
    LogChunks chunks = {.arena = txn_arena(txn)};
    TRY(log_group_open(txn, ACCOUNT, REGION, GROUP, &group));
    TRY(log_stream_open(txn, &group, stream_name(run->stream), &stream));
    for (unsigned i = 0; i < run->batch_count; i++)
        log_chunks_add(&chunks, run->batch[i].time_ms, arena_format(txn_arena(txn), "%u", run->batch[i].number));
    return log_append(txn, &group, &stream, chunks.first);
}

static Error delete_stream(Txn *txn, StoreCall *call)
{
    Run *run = probe_argument(call);
    LogGroup group;
    LogStream stream;
    TRY(log_group_open(txn, ACCOUNT, REGION, GROUP, &group));
    TRY(log_stream_open(txn, &group, stream_name(run->stream), &stream));
    log_stream_delete(txn, &group, &stream);
    return log_stream_create(txn, &group, stream_name(run->stream), &stream);
}

static Error put_retention(Txn *txn, StoreCall *call)
{
    Run *run = probe_argument(call);
    LogGroup group;
    TRY(log_group_open(txn, ACCOUNT, REGION, GROUP, &group));
    log_group_put_retention(txn, &group, run->model.retention_days);
    return OK;
}

static bool takes_stream(void *user, Slice stream)
{
    const Run *run = user;
    return run->whole_group || slice_equal(stream, stream_name(run->stream));
}

/* One walk; or, as it pauses, one after the other. */
static Error walk_on(Txn *txn, Run *run, LogWalkOptions *options, LogPlace *gap, bool *paused)
{
    Error error;
    LogEntry entry;
    bool more;
    uint64_t number;
    LogWalk *walk = log_walk_open(txn, options);
    while ((error = log_walk_next(walk, &entry, &more)) == OK && more) {
        assert_true(slice_parse_uint64(entry.message, &number));
        run->places[run->found_count] = entry.place;
        run->found[run->found_count++] = (unsigned)number;
        assert_true(slice_equal(entry.stream, stream_name(run->model.events[number].stream)));
    }
    *paused = log_walk_paused(walk, gap);
    run->pauses += *paused;
    log_walk_close(walk);
    return error;
}

static Error walk_all(Txn *txn, StoreCall *call)
{
    Run *run = probe_argument(call);
    LogGroup group;
    LogStream stream;
    LogPlace gap = run->gap;
    bool paused;
    TRY(log_group_open(txn, ACCOUNT, REGION, GROUP, &group));
    TRY(log_stream_open(txn, &group, stream_name(run->stream), &stream));
    TRY(log_group_bytes(txn, &group, &run->bytes));
    LogWalkOptions options = run->options;
    options.group = &group;
    options.streams = run->whole_group || run->by_name ? NULL : &stream;
    options.takes = takes_stream;
    options.user = run;
    options.stream_count = 1;
    options.gap = run->has_gap ? &gap : NULL;
    run->found_count = 0;
    do {
        TRY(walk_on(txn, run, &options, &gap, &paused));
        options.gap = &gap;
    } while (paused);
    return OK;
}

/* ---- The model ---- */

static const Model *sorted_model;

static int by_place(const void *a, const void *b)
{
    const ModelEvent *x = &sorted_model->events[*(const unsigned *)a];
    const ModelEvent *y = &sorted_model->events[*(const unsigned *)b];
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static unsigned expected(Run *run, unsigned numbers[EVENTS_MAX])
{
    unsigned count = 0;
    uint64_t now_ms = store_now(run->world.store);
    uint64_t kept_ms = run->model.retention_days * LOG_DAY_MS;
    for (unsigned i = 0; i < run->model.count; i++) {
        const ModelEvent *event = &run->model.events[i];
        bool expired = kept_ms != 0 && event->time_ms < now_ms - kept_ms;
        if (!event->deleted && !expired && (run->whole_group || event->stream == run->stream) &&
            event->time_ms >= run->options.from_ms && event->time_ms < run->options.until_ms)
            numbers[count++] = i;
    }
    sorted_model = &run->model;
    qsort(numbers, count, sizeof numbers[0], by_place);
    return count;
}

static void check_read(Run *run, bool backward)
{
    static unsigned numbers[EVENTS_MAX];
    run->options.backward = backward;
    run->has_gap = false;
    assert_int_equal(world_read(&run->world, walk_all, run), OK);
    unsigned count = expected(run, numbers);
    assert_int_equal(run->found_count, count);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(run->found[i], numbers[backward ? count - 1 - i : i]);
    if (count == 0)
        return;
    /* From the gap before one of them on: forward it is the first, backward it is not given any more. */
    unsigned at = (unsigned)draw(run, count);
    run->gap = run->places[at];
    run->has_gap = true;
    assert_int_equal(world_read(&run->world, walk_all, run), OK);
    unsigned passed = backward ? at + 1 : at;
    assert_int_equal(run->found_count, count - passed);
    for (unsigned i = passed; i < count; i++)
        assert_int_equal(run->found[i - passed], numbers[backward ? count - 1 - i : i]);
}

static void check_reads(Run *run)
{
    uint64_t now_ms = store_now(run->world.store);
    for (unsigned i = 0; i < 4; i++) {
        run->whole_group = i >= 2;
        run->stream = (unsigned)draw(run, STREAMS);
        bool bounded = draw(run, 2) == 0;
        run->options = (LogWalkOptions){.until_ms = UINT64_MAX, .pass_max = 1 + draw(run, 5)};
        run->by_name = draw(run, 2) == 0;
        if (bounded) {
            run->options.from_ms = now_ms - draw(run, 2 * LOG_DAY_MS);
            run->options.until_ms = run->options.from_ms + draw(run, LOG_DAY_MS);
        }
        check_read(run, i % 2 == 1);
    }
}

/* ---- Steps ---- */

static void append_some(Run *run)
{
    static const uint64_t spans[] = {1, 10, 1000, 100000, 10000000, LOG_DAY_MS};
    uint64_t span_ms = spans[draw(run, sizeof spans / sizeof spans[0])];
    unsigned count = 1 + (unsigned)draw(run, 40);
    uint64_t time_ms = store_now(run->world.store) - draw(run, LOG_DAY_MS);
    unsigned first = run->model.count;
    run->stream = (unsigned)draw(run, STREAMS);
    for (unsigned i = 0; i < count && run->model.count < EVENTS_MAX; i++) {
        run->model.events[run->model.count] =
            (ModelEvent){.time_ms = time_ms, .stream = run->stream, .number = run->model.count};
        run->model.count++;
        time_ms += draw(run, span_ms / count + 1);
    }
    run->batch = &run->model.events[first];
    run->batch_count = run->model.count - first;
    assert_int_equal(world_write(&run->world, append, run), OK);
}

static void delete_one(Run *run)
{
    run->stream = (unsigned)draw(run, STREAMS);
    for (unsigned i = 0; i < run->model.count; i++)
        if (run->model.events[i].stream == run->stream)
            run->model.events[i].deleted = true;
    assert_int_equal(world_write(&run->world, delete_stream, run), OK);
}

static void moved(Task *task)
{
    (void)task;
}

static void pass_time(Run *run)
{
    Task task = {.run = moved};
    uint64_t target_ms = store_now(run->world.store) + draw(run, LOG_DAY_MS / 2);
    assert_int_equal(store_clock_set(run->world.store, target_ms, &task, &run->world.mailbox), OK);
    world_settle(&run->world);
}

static void change_retention(Run *run)
{
    /* What has been removed does not come back. */
    uint64_t now_ms = store_now(run->world.store);
    uint64_t kept_ms = run->model.retention_days * LOG_DAY_MS;
    for (unsigned i = 0; i < run->model.count && kept_ms != 0; i++)
        if (run->model.events[i].time_ms < now_ms - kept_ms)
            run->model.events[i].deleted = true;
    if (draw(run, 2) == 0 && run->model.retention_days == 0)
        run->model.retention_days = 1 + draw(run, 2);
    assert_int_equal(world_write(&run->world, put_retention, run), OK);
}

static void prepare(Store *store)
{
    store_on_timer(store, TIMER_LOG, log_timer);
}

static void run_seed(uint64_t seed)
{
    Run *run = calloc(1, sizeof *run);
    assert_non_null(run);
    run->world.virtual_clock = true;
    run->world.prepare = prepare;
    world_open(&run->world, seed);
    assert_int_equal(world_write(&run->world, make_group, run), OK);
    for (unsigned step = 0; step < STEPS; step++) {
        uint64_t what = draw(run, 20);
        if (what == 0)
            delete_one(run);
        else if (what == 1)
            change_retention(run);
        else if (what < 5)
            pass_time(run);
        else
            append_some(run);
        if (step % 5 == 0)
            check_reads(run);
    }
    assert_true(run->pauses > 0);
    world_close(&run->world);
    free(run);
}

static void what_was_taken_is_read_in_order_both_ways(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++)
        run_seed(seed);
}

/* ---- Removal ---- */

static size_t keys_left;

static Error count_keys(Txn *txn, StoreCall *call)
{
    (void)call;
    Slice key;
    Slice value;
    Error error;
    keys_left = 0;
    KeyRange all = {SLICE("\x01"), SLICE("\xff\xff\xff\xff")};
    Cursor *cursor = txn_scan(txn, all, SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL)
        keys_left++;
    cursor_close(cursor);
    return error;
}

static Error delete_group(Txn *txn, StoreCall *call)
{
    (void)call;
    LogGroup group;
    TRY(log_group_open(txn, ACCOUNT, REGION, GROUP, &group));
    return log_group_delete(txn, &group);
}

static void nothing_is_left_of_a_deleted_group(void **state)
{
    (void)state;
    Run *run = calloc(1, sizeof *run);
    assert_non_null(run);
    run->world.virtual_clock = true;
    run->world.prepare = prepare;
    world_open(&run->world, 5);
    assert_int_equal(world_write(&run->world, make_group, run), OK);
    assert_int_equal(world_write(&run->world, delete_group, run), OK);
    pass_time(run);
    assert_int_equal(world_read(&run->world, count_keys, run), OK);
    size_t before = keys_left;
    assert_int_equal(world_write(&run->world, make_group, run), OK);
    for (unsigned i = 0; i < 700; i++) /* more chunks than one transaction removes */
        append_some(run);
    assert_int_equal(world_write(&run->world, delete_group, run), OK);
    assert_int_equal(world_read(&run->world, walk_all, run), LOG_GROUP_NOT_FOUND);
    pass_time(run);
    assert_int_equal(world_read(&run->world, count_keys, run), OK);
    assert_int_equal(keys_left, before);
    world_close(&run->world);
    free(run);
}

/* Old events go from the disk, not from sight alone. */
static void retention_frees_what_it_hides(void **state)
{
    (void)state;
    Run *run = calloc(1, sizeof *run);
    assert_non_null(run);
    run->world.virtual_clock = true;
    run->world.prepare = prepare;
    world_open(&run->world, 6);
    assert_int_equal(world_write(&run->world, make_group, run), OK);
    run->model.retention_days = 1;
    assert_int_equal(world_write(&run->world, put_retention, run), OK);
    for (unsigned i = 0; i < 20; i++)
        append_some(run);
    run->options = (LogWalkOptions){.until_ms = UINT64_MAX};
    run->whole_group = true;
    assert_int_equal(world_read(&run->world, walk_all, run), OK);
    assert_true(run->bytes > 0);
    for (unsigned i = 0; i < 12; i++)
        pass_time(run);
    assert_int_equal(world_read(&run->world, walk_all, run), OK);
    assert_int_equal(run->found_count, 0);
    assert_int_equal(run->bytes, 0);
    world_close(&run->world);
    free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_taken_is_read_in_order_both_ways),
        cmocka_unit_test(nothing_is_left_of_a_deleted_group),
        cmocka_unit_test(retention_frees_what_it_hides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
