/* event.c: events are accepted, and counted. */
#include "core/event.h"

#include "core/event_record.h"

enum {
    COUNT_KEYS = 1000,         /* that event_count looks at */
    COUNT_BYTES = 1024 * 1024, /* the same */
};

/* Every attempt of an event belongs to one trace, which begins here unless the caller's goes on. */
static Slice trace_of(Txn *txn, Slice given)
{
    if (given.data != NULL)
        return given;
    return arena_format(txn_arena(txn), "Root=1-%08jx-%016jx%08jx", (uintmax_t)(txn_now(txn) / 1000 & UINT32_MAX),
                        (uintmax_t)txn_random(txn), (uintmax_t)(txn_random(txn) & UINT32_MAX));
}

Error event_send(Txn *txn, const FunctionEvent *event)
{
    Function function;
    if (event->payload.size > txn_limits(txn)->value[LIMIT_LAMBDA_EVENT_BYTES])
        return EVENT_TOO_LARGE;
    TRY(function_check_target(txn, event->account, event->region, event->name, event->qualifier, event->tenant_id,
                              &function));
    uint64_t now_ms = txn_now(txn);
    StoredEvent stored = {
        .kind = EVENT_TO_RUN,
        .owner = {event->account, event->region, event->name, function.number},
        .accepted_ms = now_ms,
        .request_id = event->request_id,
        .qualifier = event->qualifier,
        .trace = trace_of(txn, event->trace),
        .client_context = event->client_context,
        .tenant_id = event->tenant_id,
        .payload = event->payload,
    };
    TRY(event_put(txn, &stored, now_ms));
    return event_mark_changed(txn, &stored.owner, stored.place);
}

Error event_count(Txn *txn, const Function *function, EventCount *count)
{
    const EventOwner owner = {function->account, function->region, function->name, function->number};
    Slice key;
    Slice value;
    size_t bytes = 0;
    Error error;
    *count = (EventCount){0};
    Cursor *cursor =
        txn_scan(txn, event_range(txn_arena(txn), &owner, (EventPlace){0, 0}, UINT64_MAX - 1), SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        StoredEvent event;
        count->more = count->events == COUNT_KEYS || bytes > COUNT_BYTES;
        if (count->more || (error = event_read(&owner, key, value, &event)) != OK)
            break;
        bytes += value.size;
        count->events++;
        if (count->oldest_ms == 0 || event.accepted_ms < count->oldest_ms)
            count->oldest_ms = event.accepted_ms;
    }
    cursor_close(cursor);
    return error;
}
