#include "core/log_forwarder.h"

#include "base/bug.h"
#include "base/digest.h"
#include "base/list.h"
#include "core/event.h"
#include "core/log_internal.h"
#include "core/log_pattern.h"

#include <stdlib.h>

enum {
    MARKS_PER_RUN = 16, /* chunks that are in memory at a time */
    RETRY_MS = 1000,    /* after a run that failed, on the wall clock */
};

/* Longer than any process lives: a wait that ends by itself was ended because the store stops. */
static const uint64_t FOREVER_MS = 365ull * 24 * 3600 * 1000;

/* What is sent of a chunk for one subscription. */
typedef struct Parcel {
    LogSubscription subscription;
    Slice payload; /* absent: nothing matched */
} Parcel;

typedef struct Load {
    LogMark mark;
    Slice stream;
    LogEntry *entries;
    size_t count;
    Parcel parcels[LOG_SUBSCRIPTIONS_MAX];
    size_t parcel_count;
    LogMetricFilter *filters;
    size_t filter_count;
} Load;

struct LogForwarder {
    LogForwarderOptions options;
    StoreCall call;
    Task task;
    Arena arena;      /* of the loads, as long as a run lasts */
    Arena send_arena; /* of the transaction at its end */
    Load loads[MARKS_PER_RUN];
    size_t count;
    LogSamples samples;
    bool failed;
    bool ended;
};

static LogForwarder *forwarder_of(StoreCall *call)
{
    return CONTAINER_OF(call, LogForwarder, call);
}

/* ---- Taking marks ---- */

Error log_forward_is_loop(Txn *txn, const LogGroup *group, const LogSubscription *subscription, bool *is_loop)
{
    Function function;
    FunctionVersion latest;
    *is_loop = false;
    if (!slice_equal(subscription->account, group->account) || !slice_equal(subscription->region, group->region))
        return OK;
    Error error = function_open(txn, subscription->account, subscription->region, subscription->function, &function);
    if (error == OK)
        error = function_version_get(txn, &function, SLICE("$LATEST"), &latest);
    if (error == FUNCTION_NOT_FOUND)
        return OK;
    *is_loop = error == OK && slice_equal(latest.log_group, group->name);
    return error;
}

static LogSubscription copy_subscription(const LogSubscription *from, Arena *arena)
{
    LogSubscription copy = *from;
    Slice *slices[] = {&copy.name,   &copy.pattern,  &copy.destination, &copy.account,
                       &copy.region, &copy.function, &copy.qualifier};
    for (size_t i = 0; i < sizeof slices / sizeof slices[0]; i++)
        if (slices[i]->data != NULL)
            *slices[i] = arena_copy(arena, *slices[i]);
    return copy;
}

static Error copy_entries(Txn *txn, const LogGroup *group, Arena *arena, Load *load)
{
    bool found;
    uint64_t sequence;
    LogEntry *entries;
    Slice stream;
    TRY(log_next_chunk(txn, group, load->mark.sequence - 1, &found, &sequence, &stream, &entries, &load->count));
    if (!found || sequence != load->mark.sequence) {
        load->count = 0; /* it has expired meanwhile */
        return OK;
    }
    load->stream = arena_copy(arena, stream);
    load->entries = ARENA_ARRAY(arena, LogEntry, load->count);
    for (size_t i = 0; i < load->count; i++) {
        load->entries[i] = entries[i];
        load->entries[i].message = arena_copy(arena, entries[i].message);
    }
    return OK;
}

static Error take_load(Txn *txn, const LogMark *mark, Arena *arena, Load *load)
{
    LogGroup group;
    LogSubscription subscriptions[LOG_SUBSCRIPTIONS_MAX];
    size_t count;
    bool is_loop;
    *load = (Load){.mark = *mark};
    Slice *slices[] = {&load->mark.key, &load->mark.account, &load->mark.region, &load->mark.group};
    for (size_t i = 0; i < sizeof slices / sizeof slices[0]; i++)
        *slices[i] = arena_copy(arena, *slices[i]);
    Error error = log_group_open(txn, mark->account, mark->region, mark->group, &group);
    if (error == LOG_GROUP_NOT_FOUND || (error == OK && group.number != mark->group_number))
        return OK;
    TRY(error);
    TRY(log_subscription_list(txn, &group, subscriptions, &count));
    for (size_t i = 0; i < count; i++) {
        TRY(log_forward_is_loop(txn, &group, &subscriptions[i], &is_loop));
        if (!is_loop)
            load->parcels[load->parcel_count++].subscription = copy_subscription(&subscriptions[i], arena);
    }
    TRY(log_metric_list(txn, &group, arena, &load->filters, &load->filter_count));
    return load->parcel_count + load->filter_count == 0 ? OK : copy_entries(txn, &group, arena, load);
}

static Error take(Txn *txn, StoreCall *call)
{
    LogForwarder *forwarder = forwarder_of(call);
    LogMark marks[MARKS_PER_RUN];
    forwarder->count = 0;
    if (forwarder->failed && !txn_timed_out(txn))
        return txn_wait(txn, log_marks_range(txn), RETRY_MS);
    TRY(log_marks(txn, MARKS_PER_RUN, marks, &forwarder->count));
    if (forwarder->count == 0 && !txn_timed_out(txn))
        return txn_wait(txn, log_marks_range(txn), FOREVER_MS);
    for (size_t i = 0; i < forwarder->count; i++)
        TRY(take_load(txn, &marks[i], call->arena, &forwarder->loads[i]));
    return OK;
}

/* ---- Matching, packing and measuring, on a worker thread ---- */

static void pack(LogForwarder *forwarder, const Load *load, Parcel *parcel)
{
    const char *why;
    LogPattern *pattern;
    LogForward forward = {.subscription = &parcel->subscription,
                          .account = load->mark.account,
                          .group = load->mark.group,
                          .stream = load->stream};
    LogEntry *matching = ARENA_ARRAY(&forwarder->arena, LogEntry, load->count);
    if (log_pattern_compile(parcel->subscription.pattern, &forwarder->arena, &pattern, &why) != OK)
        return; /* it was checked when it was made: of another version, perhaps */
    for (size_t i = 0; i < load->count; i++)
        if (log_pattern_matches(pattern, load->entries[i].message, &forwarder->arena))
            matching[forward.count++] = load->entries[i];
    forward.entries = matching;
    if (forward.count > 0)
        parcel->payload = forwarder->options.payload(&forward, &forwarder->arena);
}

static void measure_all(LogForwarder *forwarder)
{
    map_free(&forwarder->samples.samples);
    forwarder->samples =
        (LogSamples){.arena = &forwarder->arena, .samples = map_make(log_meter_seed(forwarder->options.meter))};
    for (size_t i = 0; i < forwarder->count; i++) {
        const Load *load = &forwarder->loads[i];
        for (size_t n = 0; n < load->filter_count; n++)
            log_measure(&forwarder->samples, &load->filters[n], load->mark.account, load->mark.region, load->entries,
                        load->count);
    }
}

static void packed(Task *task);

static void pack_all(Task *task)
{
    LogForwarder *forwarder = CONTAINER_OF(task, LogForwarder, task);
    TaskChain chain = {0};
    for (size_t i = 0; i < forwarder->count; i++)
        for (size_t n = 0; n < forwarder->loads[i].parcel_count; n++)
            pack(forwarder, &forwarder->loads[i], &forwarder->loads[i].parcels[n]);
    measure_all(forwarder);
    task->run = packed;
    task_chain_push(&chain, task);
    forwarder->options.mailbox->post(forwarder->options.mailbox, chain);
}

/* ---- Sending ---- */

static Error send_parcel(Txn *txn, LogForwarder *forwarder, const Parcel *parcel)
{
    const LogSubscription *subscription = &parcel->subscription;
    unsigned char bytes[16];
    char id[UUID_TEXT_SIZE];
    txn_random_bytes(txn, bytes, sizeof bytes);
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* RFC 9562, version 4 */
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    uuid_format(bytes, id);
    FunctionEvent event = {.account = subscription->account,
                           .region = subscription->region,
                           .name = subscription->function,
                           .qualifier = subscription->qualifier,
                           .request_id = slice_make(id, sizeof id),
                           .payload = parcel->payload};
    Error error = event_send(txn, &event);
    if (error < ERROR_CORE_FIRST)
        return error;
    /* It can never take it; what it was sent is in the group still. */
    LOG(forwarder->options.log, WARNING, "log_not_forwarded", log_text("subscription", subscription->name),
        log_text("destination", subscription->destination), log_int("code", error));
    return OK;
}

static Error send_all(Txn *txn, StoreCall *call)
{
    LogForwarder *forwarder = forwarder_of(call);
    for (size_t i = 0; i < forwarder->count; i++) {
        const Load *load = &forwarder->loads[i];
        txn_delete(txn, load->mark.key);
        for (size_t n = 0; n < load->parcel_count; n++)
            if (load->parcels[n].payload.data != NULL)
                TRY(send_parcel(txn, forwarder, &load->parcels[n]));
    }
    return OK;
}

/* ---- Runs ---- */

static void begin(LogForwarder *forwarder);

static void transact(LogForwarder *forwarder, TxnBody body, void (*done)(StoreCall *call), Arena *arena)
{
    arena_free(arena);
    forwarder->call = (StoreCall){.body = body,
                                  .done = done,
                                  .mailbox = forwarder->options.mailbox,
                                  .arena = arena,
                                  .home = home_of(SLICE(""), SLICE(""), SLICE("log forwarder"), SLICE("")),
                                  .in_background = true};
    store_write(forwarder->options.store, &forwarder->call);
}

static bool is_over(Error result)
{
    return result == ERROR_STOPPING || result == ERROR_GONE;
}

static void sent(StoreCall *call)
{
    LogForwarder *forwarder = forwarder_of(call);
    forwarder->ended = is_over(call->result);
    forwarder->failed = call->result != OK;
    if (forwarder->ended)
        return;
    if (forwarder->failed)
        LOG(forwarder->options.log, ERROR, "logs_not_forwarded", log_string("reason", error_text(call->result)));
    else
        log_meter_add(forwarder->options.meter, &forwarder->samples);
    begin(forwarder);
}

static void packed(Task *task)
{
    transact(CONTAINER_OF(task, LogForwarder, task), send_all, sent,
             &CONTAINER_OF(task, LogForwarder, task)->send_arena);
}

static void taken(StoreCall *call)
{
    LogForwarder *forwarder = forwarder_of(call);
    bool was_failed = forwarder->failed;
    forwarder->failed = call->result != OK;
    forwarder->ended = is_over(call->result) || (call->result == OK && forwarder->count == 0 && !was_failed);
    if (forwarder->ended)
        return;
    if (call->result != OK || forwarder->count == 0) {
        if (call->result != OK)
            LOG(forwarder->options.log, ERROR, "logs_not_forwarded", log_string("reason", error_text(call->result)));
        begin(forwarder);
        return;
    }
    TaskChain chain = {0};
    forwarder->task.run = pack_all;
    task_chain_push(&chain, &forwarder->task);
    Mailbox *pool =
        work_pool_mailbox(forwarder->options.pool); /* one task at a time, which the queue is not asked for */
    pool->post(pool, chain);
}

static void begin(LogForwarder *forwarder)
{
    transact(forwarder, take, taken, &forwarder->arena);
}

LogForwarder *log_forwarder_open(const LogForwarderOptions *options)
{
    LogForwarder *forwarder = calloc(1, sizeof *forwarder);
    ASSERT(forwarder != NULL);
    forwarder->options = *options;
    begin(forwarder);
    return forwarder;
}

void log_forwarder_close(LogForwarder *forwarder)
{
    map_free(&forwarder->samples.samples);
    arena_free(&forwarder->arena);
    arena_free(&forwarder->send_arena);
    free(forwarder);
}
