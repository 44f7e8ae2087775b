#include "core/event_end.h"

#include "base/digest.h"

/* ---- Deciding ---- */

static uint64_t backoff_ms(uint64_t setbacks)
{
    uint64_t pause_ms = EVENT_BACKOFF_MS;
    for (uint64_t i = 1; i < setbacks && pause_ms < EVENT_BACKOFF_MAX_MS; i++)
        pause_ms *= 2;
    return pause_ms < EVENT_BACKOFF_MAX_MS ? pause_ms : EVENT_BACKOFF_MAX_MS;
}

/* The first bytes of it, in whole characters. */
static Slice shortened(Slice message)
{
    size_t size = message.size < EVENT_ERROR_BYTES ? message.size : EVENT_ERROR_BYTES;
    while (size > 0 && size < message.size && ((unsigned char)message.data[size] & 0xC0) == 0x80)
        size--;
    return slice_make(message.data, size);
}

static void add_delivery(EventOutcome *outcome, EventKind kind, Slice target, Slice payload, const EventEnd *end)
{
    StoredEvent *delivery = &outcome->deliveries[outcome->delivery_count++];
    *delivery = *end->event;
    delivery->kind = kind;
    delivery->target = target;
    delivery->payload = payload;
    delivery->accepted_ms = end->now_ms;
    delivery->attempts = delivery->setbacks = 0;
    if (end->attempt->trace.data != NULL)
        delivery->trace = end->attempt->trace;
    if (end->attempt->error_code != 0) {
        delivery->error_code = end->attempt->error_code;
        delivery->error_message = shortened(end->attempt->error_message);
    }
}

/* A record that would be too large to be delivered is not made: its payload is absent. */
static Slice record_of(const EventEnd *end, const EventDialect *dialect, uint64_t record_bytes, Arena *arena)
{
    if (end->event->payload.size + end->attempt->answer.size > record_bytes)
        return (Slice){0};
    Slice record = dialect->record(end, arena);
    return record.size > record_bytes ? (Slice){0} : record;
}

static void decide_again(const StoredEvent *event, const EventSettings *settings, const EventAttempt *attempt,
                         uint64_t now_ms, EventOutcome *outcome)
{
    uint64_t expires_ms = event->accepted_ms + settings->age_ms;
    StoredEvent *next = &outcome->next;
    *next = *event;
    next->error_code = attempt->error_code;
    next->error_message = shortened(attempt->error_message);
    if (attempt->result == EVENT_FAILED) {
        next->attempts++;
        next->setbacks = 0;
        outcome->due_ms = now_ms + (next->attempts == 1 ? EVENT_RETRY_FIRST_MS : EVENT_RETRY_NEXT_MS);
    } else {
        next->setbacks++;
        outcome->due_ms = now_ms + backoff_ms(next->setbacks);
    }
    /* At the end of its age it is looked at a last time. */
    if (outcome->due_ms > expires_ms)
        outcome->due_ms = expires_ms > now_ms ? expires_ms : now_ms + 1;
    outcome->again = true;
}

static EventCondition condition_of(EventResult result)
{
    if (result == EVENT_SUCCEEDED)
        return EVENT_CONDITION_SUCCESS;
    if (result == EVENT_EXPIRED)
        return EVENT_CONDITION_AGE_EXCEEDED;
    return result == EVENT_NO_CONCURRENCY ? EVENT_CONDITION_NO_CONCURRENCY : EVENT_CONDITION_RETRIES_EXHAUSTED;
}

void event_decide(const StoredEvent *event, const EventSettings *settings, const EventAttempt *attempt,
                  const EventDialect *dialect, uint64_t record_bytes, uint64_t now_ms, Arena *arena,
                  EventOutcome *outcome)
{
    bool ran = attempt->result == EVENT_SUCCEEDED || attempt->result == EVENT_FAILED;
    *outcome = (EventOutcome){0};
    if (attempt->result == EVENT_ORPHANED)
        return;
    if (attempt->result == EVENT_REFUSED || (attempt->result == EVENT_FAILED && event->attempts < settings->retries)) {
        decide_again(event, settings, attempt, now_ms, outcome);
        return;
    }
    const EventEnd end = {
        .event = event,
        .attempt = attempt,
        .condition = condition_of(attempt->result),
        .invokes = event->attempts + ran,
        .now_ms = now_ms,
    };
    bool succeeded = attempt->result == EVENT_SUCCEEDED;
    Slice destination = succeeded ? settings->on_success : settings->on_failure;
    if (!succeeded && settings->dead_letters.data != NULL)
        add_delivery(outcome, EVENT_DEAD_LETTER, settings->dead_letters, event->payload, &end);
    if (destination.data != NULL)
        add_delivery(outcome, EVENT_RECORD, destination, record_of(&end, dialect, record_bytes, arena), &end);
}

void event_decide_delivery(const StoredEvent *event, EventOutcome *outcome)
{
    *outcome = (EventOutcome){.deliveries[0] = *event, .delivery_count = 1};
}

/* ---- Delivering ---- */

typedef struct Target {
    Slice service; /* "sqs", "lambda" */
    Slice region;
    Slice account;
    Slice name;
    Slice qualifier; /* of a function; absent: none */
} Target;

static Slice take_part(Slice *rest)
{
    size_t end = slice_find(*rest, ':');
    Slice part = slice_make(rest->data, end);
    *rest = slice_skip(*rest, end < rest->size ? end + 1 : end);
    return part;
}

static Target read_target(Slice arn)
{
    Target target = {0};
    take_part(&arn); /* arn */
    take_part(&arn); /* partition */
    target.service = take_part(&arn);
    target.region = take_part(&arn);
    target.account = take_part(&arn);
    if (slice_equal(target.service, SLICE("lambda")))
        take_part(&arn); /* function */
    target.name = take_part(&arn);
    if (arn.size > 0)
        target.qualifier = arn;
    return target;
}

static Error send_to_queue(Txn *txn, const StoredEvent *delivery, const Target *target, const EventDialect *dialect)
{
    const Actor actor = {.account = target->account, .region = target->region};
    MessageAttribute attributes[EVENT_ATTRIBUTES_MAX];
    Message message = {
        .body = delivery->payload,
        .sender = delivery->owner.account,
        .trace = delivery->trace,
        .attributes = attributes,
    };
    Queue queue;
    QueueSent sent;
    if (delivery->kind == EVENT_DEAD_LETTER)
        message.attribute_count = dialect->attributes(delivery, attributes, txn_arena(txn));
    TRY(queue_open(txn, &actor, target->name, &queue));
    return queue_send(txn, &queue, &message, queue.settings.delay_ms, &sent);
}

static Slice new_request_id(Txn *txn)
{
    unsigned char bytes[16];
    char *text = arena_alloc_aligned(txn_arena(txn), UUID_TEXT_SIZE, 1);
    txn_random_bytes(txn, bytes, sizeof bytes);
    bytes[6] = (unsigned char)(0x40 | (bytes[6] & 0x0f)); /* version 4 (RFC 9562) */
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f));
    uuid_format(bytes, text);
    return slice_make(text, UUID_TEXT_SIZE);
}

static Error send_to_function(Txn *txn, const StoredEvent *delivery, const Target *target)
{
    return event_send(txn, &(FunctionEvent){
                               .account = target->account,
                               .region = target->region,
                               .name = target->name,
                               .qualifier = target->qualifier,
                               .request_id = new_request_id(txn),
                               .payload = delivery->payload,
                               .trace = delivery->trace,
                           });
}

static Error deliver(Txn *txn, const StoredEvent *delivery, const EventDialect *dialect)
{
    const Target target = read_target(delivery->target);
    if (delivery->payload.data == NULL)
        return EVENT_TOO_LARGE;
    return slice_equal(target.service, SLICE("lambda")) ? send_to_function(txn, delivery, &target)
                                                        : send_to_queue(txn, delivery, &target, dialect);
}

/* No later attempt would go better (the same page: destinations that are not supported, sizes). */
static bool is_final(Error error)
{
    return error == EVENT_TOO_LARGE || error == QUEUE_MESSAGE_TOO_LONG || error == QUEUE_GROUP_MISSING ||
           error == QUEUE_DEDUP_MISSING;
}

static Error settle_delivery(Txn *txn, const StoredEvent *delivery, const EventDialect *dialect,
                             EventDelivered *delivered, Error *reason)
{
    Savepoint savepoint = txn_savepoint(txn);
    Error error = deliver(txn, delivery, dialect);
    *reason = error;
    *delivered = EVENT_DELIVERED;
    if (error < ERROR_CORE_FIRST)
        return error;
    txn_rollback(txn, savepoint);
    *delivered = EVENT_UNDELIVERABLE;
    if (is_final(error) || txn_now(txn) >= delivery->accepted_ms + EVENT_DELIVERY_MS)
        return OK;
    StoredEvent next = *delivery;
    next.setbacks++;
    *delivered = EVENT_PUT_OFF;
    return event_put_later(txn, &next, txn_now(txn) + backoff_ms(next.setbacks));
}

/* ---- Settling ---- */

Error event_settle(Txn *txn, const StoredEvent *event, const EventDialect *dialect, EventOutcome *outcome)
{
    event_delete(txn, event);
    if (outcome->again) {
        StoredEvent next = outcome->next;
        return event_put_later(txn, &next, outcome->due_ms);
    }
    for (size_t i = 0; i < outcome->delivery_count; i++)
        TRY(settle_delivery(txn, &outcome->deliveries[i], dialect, &outcome->delivered[i], &outcome->reasons[i]));
    return OK;
}

size_t event_settle_bytes(const EventOutcome *outcome)
{
    size_t bytes = 256;
    if (outcome->again)
        bytes += outcome->next.payload.size + 1024;
    for (size_t i = 0; i < outcome->delivery_count; i++)
        bytes += outcome->deliveries[i].payload.size + 4096;
    return bytes;
}
