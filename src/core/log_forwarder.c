#include "core/log_forwarder.h"

#include "base/bug.h"
#include "base/digest.h"
#include "base/list.h"
#include "core/agent.h"
#include "core/event.h"
#include "core/log_internal.h"
#include "core/log_pattern.h"

#include <stdlib.h>

enum { MARKS_PER_RUN = 16 }; /* chunks that are in memory at a time */

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
    Agent agent; /* takes marks; its arena has the loads, as long as a run lasts */
    LogForwarderOptions options;
    Task task;
    StoreCall send;
    Arena send_arena;
    Load loads[MARKS_PER_RUN];
    size_t count;
    LogSamples samples;
};

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

static Error take(Agent *agent, Txn *txn, const AgentKey *keys, size_t count, Arena *arena)
{
    LogMark mark;
    LogForwarder *forwarder = CONTAINER_OF(agent, LogForwarder, agent);
    forwarder->count = count;
    for (size_t i = 0; i < count; i++) {
        TRY(log_mark_read(txn, keys[i].key, keys[i].value, &mark));
        TRY(take_load(txn, &mark, arena, &forwarder->loads[i]));
    }
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
    LogEntry *matching = ARENA_ARRAY(&forwarder->agent.arena, LogEntry, load->count);
    if (log_pattern_compile(parcel->subscription.pattern, &forwarder->agent.arena, &pattern, &why) != OK)
        return; /* it was checked when it was made: of another version, perhaps */
    for (size_t i = 0; i < load->count; i++)
        if (log_pattern_matches(pattern, load->entries[i].message, &forwarder->agent.arena))
            matching[forward.count++] = load->entries[i];
    forward.entries = matching;
    if (forward.count > 0)
        parcel->payload = forwarder->options.payload(&forward, &forwarder->agent.arena);
}

static void measure_all(LogForwarder *forwarder)
{
    map_free(&forwarder->samples.samples);
    forwarder->samples =
        (LogSamples){.arena = &forwarder->agent.arena, .samples = map_make(log_meter_seed(forwarder->options.meter))};
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
    LogForwarder *forwarder = CONTAINER_OF(call, LogForwarder, send);
    for (size_t i = 0; i < forwarder->count; i++) {
        const Load *load = &forwarder->loads[i];
        txn_delete(txn, load->mark.key);
        for (size_t n = 0; n < load->parcel_count; n++)
            if (load->parcels[n].payload.data != NULL)
                TRY(send_parcel(txn, forwarder, &load->parcels[n]));
    }
    return OK;
}

static void sent(StoreCall *call)
{
    LogForwarder *forwarder = CONTAINER_OF(call, LogForwarder, send);
    if (call->result == OK)
        log_meter_add(forwarder->options.meter, &forwarder->samples);
    agent_continue(&forwarder->agent, call->result);
}

static void packed(Task *task)
{
    LogForwarder *forwarder = CONTAINER_OF(task, LogForwarder, task);
    arena_free(&forwarder->send_arena);
    forwarder->send = (StoreCall){.body = send_all,
                                  .done = sent,
                                  .mailbox = forwarder->options.mailbox,
                                  .arena = &forwarder->send_arena,
                                  .home = home_of(SLICE(""), SLICE(""), SLICE("log forwarder"), SLICE("")),
                                  .in_background = true};
    store_write(forwarder->options.store, &forwarder->send);
}

static bool start_packing(Agent *agent)
{
    LogForwarder *forwarder = CONTAINER_OF(agent, LogForwarder, agent);
    TaskChain chain = {0};
    forwarder->task.run = pack_all;
    task_chain_push(&chain, &forwarder->task);
    /* One task at a time, which the queue is not asked for. */
    Mailbox *pool = work_pool_mailbox(forwarder->options.pool);
    pool->post(pool, chain);
    return false;
}

/* ---- Life ---- */

static void forwarder_free(Agent *agent)
{
    LogForwarder *forwarder = CONTAINER_OF(agent, LogForwarder, agent);
    map_free(&forwarder->samples.samples);
    arena_free(&forwarder->send_arena);
    free(forwarder);
}

LogForwarder *log_forwarder_open(const LogForwarderOptions *options)
{
    LogForwarder *forwarder = calloc(1, sizeof *forwarder);
    ASSERT(forwarder != NULL);
    forwarder->options = *options;
    agent_start(&forwarder->agent, &(AgentOptions){.store = options->store,
                                                   .mailbox = options->mailbox,
                                                   .log = options->log,
                                                   .name = "log forwarder",
                                                   .keys_max = MARKS_PER_RUN,
                                                   .changed = log_marks,
                                                   .take = take,
                                                   .act = start_packing,
                                                   .closed = forwarder_free});
    return forwarder;
}

void log_forwarder_close(LogForwarder *forwarder)
{
    if (agent_close(&forwarder->agent))
        forwarder_free(&forwarder->agent);
}
