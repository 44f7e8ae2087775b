#include "core/event_runner.h"

#include "base/bug.h"
#include "core/event_line.h"

#include <stdlib.h>

enum { LINES_PER_RUN = 50 };

/* A line in which there is something to do, and from where on. */
typedef struct FoundLine {
    EventOwner owner;
    EventPlace place;
} FoundLine;

/* ---- Calls ---- */

void event_runner_write(EventRunner *runner, StoreCall *call)
{
    runner->calls++;
    call->mailbox = runner->options.mailbox;
    call->in_background = true;
    store_write(runner->options.store, call);
}

void event_runner_read(EventRunner *runner, StoreCall *call)
{
    runner->calls++;
    call->mailbox = runner->options.mailbox;
    store_read(runner->options.store, call);
}

static void runner_free(EventRunner *runner)
{
    const MapEntry *entry;
    for (size_t position = 0; (entry = map_next(&runner->lines, &position)) != NULL; position = 0)
        event_line_free(entry->value);
    map_free(&runner->lines);
    arena_free(&runner->look_arena);
    arena_free(&runner->after_arena);
    free(runner);
}

bool event_runner_took_back(EventRunner *runner)
{
    runner->calls--;
    if (runner->closed && runner->calls == 0)
        runner_free(runner);
    else if (!runner->closed)
        return true;
    return false;
}

/* ---- Turns ---- */

static void pump(EventRunner *runner)
{
    if (runner->is_pumping)
        return;
    runner->is_pumping = true;
    for (ListNode *node; (node = list_first(&runner->turn)) != NULL;) {
        EventLine *line = CONTAINER_OF(node, EventLine, in_turn);
        list_remove(node);
        if (event_line_step(line)) {
            list_remove(node); /* it may be among the hungry */
            list_push_back(&runner->turn, node);
        } else if (event_line_is_idle(line)) {
            event_line_free(line);
        }
    }
    runner->is_pumping = false;
}

void event_runner_wake(EventRunner *runner, EventLine *line)
{
    list_remove(&line->in_turn); /* it may be among the hungry */
    list_push_back(&runner->turn, &line->in_turn);
    pump(runner);
}

/* ---- Looking ---- */

static Error take_marks(Txn *txn, EventRunner *runner, char tag, KeyRange range)
{
    Arena *arena = runner->look.arena;
    Slice key;
    Slice value;
    Error error = OK;
    runner->found = ARENA_ARRAY(arena, FoundLine, LINES_PER_RUN);
    Cursor *cursor = txn_scan(txn, range, SCAN_FORWARD);
    while (runner->found_count < LINES_PER_RUN && (error = cursor_next(cursor, &key, &value)) == OK &&
           key.data != NULL) {
        FoundLine *found = &runner->found[runner->found_count];
        if ((error = event_mark_read(arena, key, value, &found->owner, &found->place)) != OK)
            break;
        runner->found_count++;
    }
    cursor_close(cursor);
    if (tag == EVENT_MARK_CHANGED)
        for (size_t i = 0; i < runner->found_count; i++)
            event_mark_delete(txn, tag, &runner->found[i].owner);
    return error;
}

/* What an earlier process left, at the start; then what has changed, or a wait for that. */
static Error look_body(Txn *txn, StoreCall *call)
{
    EventRunner *runner = CONTAINER_OF(call, EventRunner, look);
    KeyRange changed = event_mark_range(txn_arena(txn), EVENT_MARK_CHANGED);
    runner->found_count = 0;
    if (runner->look_failed && !txn_timed_out(txn))
        return txn_wait(txn, changed, EVENT_RETRY_MS);
    if (!runner->started) {
        bool is_first = runner->after.name.data == NULL;
        return take_marks(txn, runner, EVENT_MARK_OWNER,
                          is_first ? event_mark_range(txn_arena(txn), EVENT_MARK_OWNER)
                                   : event_mark_range_after(txn_arena(txn), EVENT_MARK_OWNER, &runner->after));
    }
    TRY(take_marks(txn, runner, EVENT_MARK_CHANGED, changed));
    if (runner->found_count == 0 && !txn_timed_out(txn))
        return txn_wait(txn, changed, EVENT_FOREVER_MS);
    txn_took(txn, runner->found_count);
    return OK;
}

static void looked(StoreCall *call);

static void look(EventRunner *runner)
{
    arena_free(&runner->look_arena);
    runner->look = (StoreCall){.body = look_body,
                               .done = looked,
                               .arena = &runner->look_arena,
                               .home = home_of(SLICE(""), SLICE(""), SLICE("events"), SLICE("")),
                               .frees_space = true};
    event_runner_write(runner, &runner->look);
}

static void keep_place(EventRunner *runner)
{
    runner->started = runner->found_count < LINES_PER_RUN;
    if (runner->started)
        return;
    const EventOwner *last = &runner->found[runner->found_count - 1].owner;
    arena_free(&runner->after_arena);
    runner->after = (EventOwner){
        .account = arena_copy(&runner->after_arena, last->account),
        .region = arena_copy(&runner->after_arena, last->region),
        .name = arena_copy(&runner->after_arena, last->name),
        .number = last->number,
    };
}

/* A wait that ended without a change, and was none after a failure, ended because the store does. */
static bool is_over(const EventRunner *runner, Error result)
{
    return result == ERROR_STOPPING || result == ERROR_GONE ||
           (result == OK && runner->started && !runner->look_failed && runner->found_count == 0);
}

static void wake_found(EventRunner *runner)
{
    for (size_t i = 0; i < runner->found_count; i++) {
        EventLine *line = event_line_of(runner, &runner->found[i].owner);
        event_line_note(line, runner->found[i].place);
        list_remove(&line->in_turn);
        list_push_back(&runner->turn, &line->in_turn);
    }
}

static void looked(StoreCall *call)
{
    EventRunner *runner = CONTAINER_OF(call, EventRunner, look);
    if (!event_runner_took_back(runner))
        return;
    runner->draining = is_over(runner, call->result);
    if (!runner->draining) {
        runner->look_failed = call->result != OK;
        if (runner->look_failed)
            LOG(runner->options.log, ERROR, "events_unread", log_error(call->result));
        else
            wake_found(runner);
        if (!runner->look_failed && !runner->started)
            keep_place(runner);
        look(runner);
    }
    pump(runner);
}

/* ---- Life ---- */

EventRunner *event_runner_open(const EventRunnerOptions *options)
{
    EventRunner *runner = calloc(1, sizeof *runner);
    MapSeed seed;
    ASSERT(runner != NULL);
    os_random(options->os, &seed, sizeof seed);
    runner->options = *options;
    runner->lines = map_make(seed);
    list_init(&runner->turn);
    list_init(&runner->hungry);
    list_init(&runner->flights);
    look(runner);
    return runner;
}

void event_runner_close(EventRunner *runner)
{
    runner->closed = true;
    if (runner->calls == 0)
        runner_free(runner);
}

static uint64_t read_count(_Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

void event_runner_stats(EventRunner *runner, EventRunnerStats *stats)
{
    uint64_t now_ms = store_now(runner->options.store);
    uint64_t oldest_ms = read_count(&runner->oldest_ms);
    *stats = (EventRunnerStats){
        .taken = read_count(&runner->taken),
        .succeeded = read_count(&runner->succeeded),
        .retried = read_count(&runner->retried),
        .failed = read_count(&runner->failed),
        .dropped = read_count(&runner->dropped),
        .dead_letters = read_count(&runner->dead_letters),
        .records = read_count(&runner->records),
        .dead_letter_errors = read_count(&runner->dead_letter_errors),
        .destination_failures = read_count(&runner->destination_failures),
        .undeliverable = read_count(&runner->undeliverable),
        .held = read_count(&runner->held),
        .oldest_ms = oldest_ms != 0 && now_ms > oldest_ms ? now_ms - oldest_ms : 0,
    };
}
