#include "runtime/telemetry.h"

#include "runtime/runtime_api_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG_BYTES = 4 * 1024 * 1024, /* of events that were not delivered, for each subscription */
    DELIVERY_MS = 5000,              /* for a batch to be taken */
    PAUSE_MS = 50,                   /* after the first failure; then twice as long */
    PAUSE_MAX_MS = 1000,
    ANSWER_BYTES = 4096,
};

/* ---- Events ---- */

static bool wants(const Subscription *subscription, unsigned type)
{
    return subscription->is_open && (subscription->types & type & TELEMETRY_TYPES) != 0 &&
           (type & (subscription->is_old ? TELEMETRY_NEW_ONLY : TELEMETRY_OLD_ONLY)) == 0;
}

void telemetry_give(Subscription *subscription, unsigned type, Slice text)
{
    if (!wants(subscription, type))
        return;
    if (api_bytes_left(&subscription->events).size + text.size > BACKLOG_BYTES) {
        subscription->dropped++;
        subscription->dropped_bytes += text.size;
        return;
    }
    if (subscription->count == subscription->batch_count)
        subscription->since_ms = api_now_ms();
    api_bytes_add(&subscription->events, text);
    api_bytes_add(&subscription->events, SLICE("\n"));
    subscription->count++;
}

void telemetry_add(Api *api, unsigned type, Slice text)
{
    Telemetry *telemetry = &api->telemetry;
    if (api->phase < API_PHASE_SERVING && telemetry->past_count < TELEMETRY_PAST)
        telemetry->past[telemetry->past_count++] = (PastEvent){type, arena_copy(&api->arena, text)};
    for (size_t i = 0; i < api->extensions.count; i++)
        telemetry_give(&telemetry->all[i], type, text);
}

static void tell_dropped(Api *api, Subscription *subscription)
{
    char record[192];
    if (subscription->dropped == 0)
        return;
    snprintf(
        record, sizeof record,
        "{\"reason\":\"the extension has fallen behind: it does not take what it is sent\",\"droppedRecords\":%llu,"
        "\"droppedBytes\":%llu}",
        (unsigned long long)subscription->dropped, (unsigned long long)subscription->dropped_bytes);
    subscription->dropped = subscription->dropped_bytes = 0;
    telemetry_record(api, TELEMETRY_PLATFORM, "platform.logsDropped", slice_of_string(record));
}

/* ---- Deliveries ---- */

static void end_delivery(Subscription *subscription)
{
    if (subscription->file >= 0)
        close(subscription->file);
    subscription->file = -1;
    api_bytes_free(&subscription->request);
}

static void fail(Subscription *subscription)
{
    end_delivery(subscription);
    subscription->batch_count = subscription->batch_bytes = 0;
    subscription->pause_ms = subscription->pause_ms == 0 ? PAUSE_MS : 2 * subscription->pause_ms;
    if (subscription->pause_ms > PAUSE_MAX_MS)
        subscription->pause_ms = PAUSE_MAX_MS;
    subscription->retry_at_ms = api_now_ms() + subscription->pause_ms;
}

static void succeed(Api *api, Subscription *subscription)
{
    end_delivery(subscription);
    api_bytes_take(&subscription->events, subscription->batch_bytes);
    subscription->count -= subscription->batch_count;
    subscription->batch_count = subscription->batch_bytes = 0;
    subscription->pause_ms = subscription->retry_at_ms = 0;
    tell_dropped(api, subscription);
}

/* Its events, up to what a batch may have; at least one. */
static Slice choose_batch(Subscription *subscription)
{
    Slice left = api_bytes_left(&subscription->events);
    size_t bytes = 0;
    size_t count = 0;
    while (count < subscription->count && count < subscription->max_items) {
        size_t size = slice_find(slice_skip(left, bytes), '\n') + 1;
        if (count > 0 && bytes + size > subscription->max_bytes)
            break;
        bytes += size;
        count++;
    }
    subscription->batch_count = count;
    subscription->batch_bytes = bytes;
    return slice_make(left.data, bytes);
}

static void write_request(Subscription *subscription, Slice batch)
{
    ApiBytes *request = &subscription->request;
    char head[TELEMETRY_PATH_BYTES + 192];
    if (subscription->is_tcp) {
        api_bytes_add(request, batch);
        return;
    }
    /* Lines become the elements of an array: the last end of a line its end. */
    int size = snprintf(head, sizeof head,
                        "%s %s HTTP/1.1\r\nHost: sandbox.localdomain:%u\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\nConnection: close\r\n\r\n[",
                        subscription->is_put ? "PUT" : "POST", subscription->path, subscription->port, batch.size + 1);
    api_bytes_add(request, slice_make(head, (size_t)size));
    char *place = api_bytes_reserve(request, batch.size);
    for (size_t i = 0; i < batch.size; i++)
        place[i] = batch.data[i] == '\n' ? ',' : batch.data[i];
    place[batch.size - 1] = ']';
    request->size += batch.size;
}

static int on_answered(llhttp_t *parser)
{
    Subscription *subscription = parser->data;
    subscription->is_answered = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t answer_settings = {.on_message_complete = on_answered};

static void begin_delivery(Subscription *subscription)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons(subscription->port)};
    write_request(subscription, choose_batch(subscription));
    llhttp_init(&subscription->parser, HTTP_RESPONSE, &answer_settings);
    subscription->parser.data = subscription;
    subscription->is_answered = false;
    subscription->until_ms = api_now_ms() + DELIVERY_MS;
    subscription->file = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (subscription->file < 0 ||
        (connect(subscription->file, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS))
        fail(subscription);
}

static void send_request(Api *api, Subscription *subscription)
{
    Slice left = api_bytes_left(&subscription->request);
    while (left.size > 0) {
        ssize_t sent = send(subscription->file, left.data, left.size, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (sent < 0) {
            fail(subscription);
            return;
        }
        api_bytes_take(&subscription->request, (size_t)sent);
        left = api_bytes_left(&subscription->request);
    }
    /* By TCP there is no answer: what the socket has taken is delivered. */
    if (subscription->is_tcp)
        succeed(api, subscription);
}

static void read_answer(Api *api, Subscription *subscription)
{
    char bytes[ANSWER_BYTES];
    ssize_t got = recv(subscription->file, bytes, sizeof bytes, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    llhttp_errno_t stopped =
        got > 0 ? llhttp_execute(&subscription->parser, bytes, (size_t)got) : llhttp_finish(&subscription->parser);
    if (subscription->is_answered && subscription->parser.status_code / 100 == 2)
        succeed(api, subscription);
    else if (subscription->is_answered || got <= 0 || stopped != HPE_OK)
        fail(subscription);
}

void telemetry_act(Api *api, Subscription *subscription, short events)
{
    if (subscription->file < 0 || events == 0)
        return;
    if (api_bytes_left(&subscription->request).size > 0)
        send_request(api, subscription);
    else
        read_answer(api, subscription);
}

/* ---- What is due ---- */

/* When its next batch is; INT64_MAX: it has none. */
static int64_t due_ms(const Api *api, const Subscription *subscription)
{
    if (!subscription->is_open)
        return INT64_MAX;
    if (subscription->file >= 0)
        return subscription->until_ms;
    if (subscription->count == 0)
        return INT64_MAX;
    bool is_full = api->telemetry.is_flushing || subscription->count >= subscription->max_items ||
                   api_bytes_left(&subscription->events).size >= subscription->max_bytes;
    int64_t due = is_full ? 0 : subscription->since_ms + (int64_t)subscription->timeout_ms;
    return due > subscription->retry_at_ms ? due : subscription->retry_at_ms;
}

int64_t telemetry_deadline(const Api *api)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < api->extensions.count; i++) {
        int64_t due = due_ms(api, &api->telemetry.all[i]);
        first = due < first ? due : first;
    }
    return first;
}

void telemetry_advance(Api *api)
{
    int64_t now = api_now_ms();
    for (size_t i = 0; i < api->extensions.count; i++) {
        Subscription *subscription = &api->telemetry.all[i];
        if (due_ms(api, subscription) > now)
            continue;
        if (subscription->file >= 0)
            fail(subscription);
        else
            begin_delivery(subscription);
    }
}

nfds_t telemetry_poll(Api *api, struct pollfd *polled, Subscription **of)
{
    nfds_t count = 0;
    for (size_t i = 0; i < api->extensions.count; i++) {
        Subscription *subscription = &api->telemetry.all[i];
        if (!subscription->is_open || subscription->file < 0)
            continue;
        short events = api_bytes_left(&subscription->request).size > 0 ? POLLOUT : POLLIN;
        polled[count] = (struct pollfd){.fd = subscription->file, .events = events};
        of[count++] = subscription;
    }
    return count;
}

bool telemetry_is_empty(const Api *api)
{
    for (size_t i = 0; i < api->extensions.count; i++)
        if (api->telemetry.all[i].is_open && api->telemetry.all[i].count > 0)
            return false;
    return true;
}

/* ---- Life ---- */

void telemetry_unsubscribe(Subscription *subscription)
{
    if (!subscription->is_open)
        return;
    end_delivery(subscription);
    api_bytes_free(&subscription->events);
    *subscription = (Subscription){.file = -1};
}

void telemetry_close(Api *api)
{
    for (size_t i = 0; i < EXTENSIONS_MAX; i++)
        telemetry_unsubscribe(&api->telemetry.all[i]);
}
