#include "core/poller_internal.h"

#include "base/bug.h"

#include <stdlib.h>

enum {
    RETRY_FIRST_MS = 50, /* after a throttle; twice as long each time … */
    RETRY_LAST_MS = 5000 /* … up to this */
};

/* ---- What it is made of ---- */

Batch *batch_make(Poller *poller, Arena *arena)
{
    Batch *batch = calloc(1, sizeof *batch);
    ASSERT(batch != NULL);
    batch->poller = poller;
    batch->arena = *arena; /* with what was taken */
    *arena = arena_make();
    batch->payload = buffer_make(&batch->arena);
    batch->hidden_until_ms = UINT64_MAX;
    BUFFER_ADD(&batch->payload, "{\"Records\":[");
    list_push_back(&poller->pollers->batches, &batch->node);
    return batch;
}

void batch_free(Batch *batch)
{
    list_remove(&batch->node);
    arena_free(&batch->arena);
    free(batch);
}

static PollerItem *add_item(Batch *batch)
{
    if (batch->count == batch->room) {
        batch->room = batch->room * 2 + 16;
        PollerItem *more = ARENA_ARRAY(&batch->arena, PollerItem, batch->room);
        if (batch->count > 0)
            memcpy(more, batch->items, batch->count * sizeof *more);
        batch->items = more;
    }
    return &batch->items[batch->count++];
}

void batch_add(Batch *batch, Taken *taken)
{
    const PollerRecords *records = &taken->records;
    batch->mapping = taken->mapping;
    batch->run = taken->run;
    if (records->count > 0 && records->hidden_until_ms < batch->hidden_until_ms)
        batch->hidden_until_ms = records->hidden_until_ms;
    for (size_t i = 0; i < records->count; i++)
        poller_source(&batch->mapping)->describe(&batch->arena, records, i, add_item(batch));
    batch->records = *records;
    batch->sifted = 0;
    batch_sift(batch, poller_filters(batch->poller, &batch->mapping));
}

/* No document passes what an invocation may carry, whatever has to be escaped in it: each record takes twice its size and
 * POLLER_RECORD_BYTES at the most. */
PollerAsk batch_room(const Mapping *mapping, const Limits *limits, size_t count, size_t document_bytes)
{
    uint64_t all = limits->value[LIMIT_LAMBDA_REQUEST_BYTES];
    uint64_t room = all > document_bytes + 64 ? all - document_bytes - 64 : 0;
    PollerAsk ask = {.max = mapping->batch_size > count ? mapping->batch_size - count : 0};
    if (room < POLLER_RECORD_BYTES + 2 * limits->value[LIMIT_SQS_MESSAGE_BYTES]) {
        ask.max = count == 0 ? 1 : 0; /* the largest one might not fit: it comes alone */
        return ask;
    }
    if (ask.max > POLLER_PAGE)
        ask.max = POLLER_PAGE;
    if (ask.max > room / 2 / POLLER_RECORD_BYTES)
        ask.max = room / 2 / POLLER_RECORD_BYTES;
    ask.bytes_max = (room - ask.max * POLLER_RECORD_BYTES) / 2;
    return ask;
}

static const Limits *limits_of(const Batch *batch)
{
    return account_limits_of(batch->poller->pollers->options.limits, batch->mapping.account);
}

bool batch_is_full(const Batch *batch)
{
    return batch_room(&batch->mapping, limits_of(batch), batch->matched, batch->payload.size).max == 0;
}

PollerAsk batch_ask(const Batch *batch)
{
    PollerAsk ask = batch_room(&batch->mapping, limits_of(batch), batch->matched, batch->payload.size);
    uint64_t now_ns = os_monotonic_ns(batch->poller->pollers->options.os);
    ask.gathering = true;
    ask.wait_ms = batch->gathered_by_ns > now_ns ? (batch->gathered_by_ns - now_ns) / 1000000 + 1 : 1;
    return ask;
}

/* ---- Its end ---- */

static void end(Batch *batch)
{
    Poller *poller = batch->poller;
    bool scales_down = batch->failed && !batch->mapping.reports_failures;
    batch_free(batch);
    poller_ended(poller, scales_down);
}

static void count_outcome(Batch *batch)
{
    Pollers *pollers = batch->poller->pollers;
    int64_t failed = 0;
    int64_t filtered = 0;
    for (size_t i = 0; i < batch->count; i++) {
        failed += batch->items[i].failed;
        filtered += batch->items[i].filtered;
    }
    poller_count(pollers, POLLER_BATCHES, 1);
    poller_count(pollers, POLLER_FAILURES, batch->failed);
    poller_count(pollers, POLLER_RECORD_FAILURES, failed);
    poller_count(pollers, POLLER_RECORDS, (int64_t)batch->count - failed - filtered);
    poller_count(pollers, POLLER_FILTERED, filtered);
}

static Error record_outcome(Txn *txn, Batch *batch)
{
    Breaker breaker;
    Mapping mapping; /* as it is now: one that is gone has no breaker */
    if (batch->mapping.threshold == 0 || batch->matched == 0)
        return OK;
    Error error = mapping_get(txn, batch->mapping.account, batch->mapping.region, batch->mapping.uuid, &mapping);
    if (error == MAPPING_NOT_FOUND || (error == OK && mapping.threshold == 0))
        return OK;
    TRY(error);
    TRY(mapping_breaker(txn, &mapping, &breaker));
    BreakerState before = breaker.state;
    TRY(breaker_record(txn, &breaker, !batch->failed));
    TRY(mapping_breaker(txn, &mapping, &breaker));
    batch->opened = before != BREAKER_OPEN && breaker.state == BREAKER_OPEN;
    if (breaker.state != before)
        mapping_wake_at(txn, &mapping, txn_now(txn)); /* whoever waits for it looks again */
    return OK;
}

static Error settle(Txn *txn, StoreCall *call)
{
    Batch *batch = CONTAINER_OF(call, Batch, take.call);
    size_t left = batch->count - batch->settled;
    if (left > POLLER_PAGE)
        left = POLLER_PAGE;
    TRY(poller_source(&batch->mapping)->settle(txn, &batch->mapping, batch->items + batch->settled, left));
    return batch->settled == 0 ? record_outcome(txn, batch) : OK;
}

static void call_store(Batch *batch, TxnBody body, void (*done)(StoreCall *call))
{
    Pollers *pollers = batch->poller->pollers;
    pollers->calls++;
    batch->take.call = (StoreCall){
        .body = body,
        .done = done,
        .mailbox = pollers->options.mailbox,
        .arena = &batch->arena,
        .home = mapping_home(batch->mapping.account, batch->mapping.region),
        .frees_space = true,
        .in_background = true,
    };
    store_write(pollers->options.store, &batch->take.call);
}

static void settled(StoreCall *call)
{
    Batch *batch = CONTAINER_OF(call, Batch, take.call);
    Pollers *pollers = batch->poller->pollers;
    if (pollers_back(pollers))
        return;
    if (call->result != OK) { /* all of it comes back when it is not hidden any more */
        LOG(pollers->options.log, ERROR, "mapping_unsettled", log_text("uuid", batch->poller->uuid),
            log_string("reason", error_text(call->result)));
        end(batch);
        return;
    }
    batch->settled += POLLER_PAGE;
    if (batch->settled < batch->count) {
        call_store(batch, settle, settled);
        return;
    }
    if (batch->opened) {
        poller_count(pollers, POLLER_BREAKER_OPENED, 1);
        LOG(pollers->options.log, WARNING, "mapping_breaker_opened", log_text("uuid", batch->poller->uuid),
            log_text("function", batch->mapping.function));
    }
    count_outcome(batch);
    end(batch);
}

/* The function has answered, or there was nothing for it. */
static void conclude(Batch *batch)
{
    bool any = false;
    for (size_t i = 0; i < batch->count; i++) {
        batch->items[i].failed = !batch->items[i].filtered && (batch->failed || batch->items[i].failed);
        any = any || !batch->items[i].failed;
    }
    if (any || batch->mapping.threshold > 0) {
        call_store(batch, settle, settled);
        return;
    }
    count_outcome(batch);
    end(batch);
}

/* ---- The invocation ---- */

static void invoke(Batch *batch);

static Error wait_for_another_try(Txn *txn, StoreCall *call)
{
    const Batch *batch = CONTAINER_OF(call, Batch, take.call);
    unsigned doublings = batch->attempts < 7 ? batch->attempts : 7;
    uint64_t rest_ms = (uint64_t)RETRY_FIRST_MS << doublings;
    return poller_rest(txn, rest_ms < RETRY_LAST_MS ? rest_ms : RETRY_LAST_MS);
}

static void waited(StoreCall *call)
{
    Batch *batch = CONTAINER_OF(call, Batch, take.call);
    Pollers *pollers = batch->poller->pollers;
    if (pollers_back(pollers))
        return;
    bool stopping = call->result != OK || atomic_load(&pollers->stopping);
    if (stopping || store_now(pollers->options.store) >= batch->hidden_until_ms) {
        end(batch); /* others have its records by now, or will */
        return;
    }
    batch->attempts++;
    invoke(batch);
}

static void throttled(Batch *batch)
{
    Poller *poller = batch->poller;
    poller_count(poller->pollers, POLLER_THROTTLES, 1);
    if (poller->slots > 1)
        poller->slots /= 2;
    call_store(batch, wait_for_another_try, waited);
}

static void invoked(Invocation *invocation)
{
    Batch *batch = CONTAINER_OF(invocation, Batch, invocation);
    Pollers *pollers = batch->poller->pollers;
    if (pollers_back(pollers))
        return;
    switch (invocation->refusal) {
    case INVOKE_RAN:
        batch->failed = invocation->failed;
        if (!batch->failed && batch->mapping.reports_failures)
            batch->failed = !poller_read_answer(invocation->result, &batch->arena, batch->items, batch->count);
        break;
    case INVOKE_FUNCTION_CONCURRENCY:
    case INVOKE_ACCOUNT_CONCURRENCY:
        throttled(batch);
        return;
    case INVOKE_STOPPING:
    case INVOKE_GONE:
        end(batch);
        return;
    case INVOKE_RUNTIME_MISSING:
    case INVOKE_ROLE:
    case INVOKE_FAILED:
        LOG(pollers->options.log, ERROR, "mapping_function_not_run", log_text("uuid", batch->poller->uuid),
            log_text("function", batch->mapping.function), log_text("reason", invocation->message));
        batch->failed = true;
        break;
    }
    conclude(batch);
}

static void invoke(Batch *batch)
{
    Pollers *pollers = batch->poller->pollers;
    batch->invocation = (Invocation){
        .mailbox = pollers->options.mailbox,
        .arena = &batch->arena,
        .request_id = run_request_id(pollers->options.os, &batch->arena),
        .payload = buffer_slice(&batch->payload),
        .payload_limit = limits_of(batch)->value[LIMIT_LAMBDA_RESPONSE_BYTES],
        .done = invoked,
    };
    pollers->calls++;
    run_start(pollers->options.invoker, &batch->run, &batch->invocation);
}

void batch_start(Batch *batch)
{
    if (!batch_is_sifted(batch)) {
        if (atomic_load(&batch->poller->pollers->stopping))
            end(batch); /* its records come back when they are not hidden any more */
        else
            batch_sift_rest(batch);
        return;
    }
    BUFFER_ADD(&batch->payload, "]}");
    if (batch->matched > 0 && batch->run.in_loop) {
        LOG(batch->poller->pollers->options.log, WARNING, "mapping_recursive_loop",
            log_text("uuid", batch->poller->uuid), log_text("function", batch->mapping.function));
        batch->failed = true; /* not run: its source gives it again, or up as a dead letter */
    }
    if (batch->matched == 0 || batch->failed)
        conclude(batch);
    else
        invoke(batch);
}
