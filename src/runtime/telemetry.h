/* telemetry.h: what extensions are told of the platform's, the function's and each other's log events.
 *
 * An extension subscribes in the init phase (AWS Lambda developer guide, "Accessing real-time telemetry data for extensions
 * using the Telemetry API", and the older "Logs API") with the address of a server of its own in the sandbox, which gets
 * batches. What it does not take in time is held up to a bound; what comes then is dropped, counted, and told of. Belongs to
 * the Runtime API's process, on its one thread; nothing here waits. */
#ifndef BRUME_RUNTIME_TELEMETRY_H
#define BRUME_RUNTIME_TELEMETRY_H

#include "runtime/extension.h"

#include <llhttp.h>
#include <stdint.h>

enum {
    TELEMETRY_PLATFORM = 1,
    TELEMETRY_FUNCTION = 2,
    TELEMETRY_EXTENSION = 4,
    /* Platform's events that one of the APIs has alone. */
    TELEMETRY_NEW_ONLY = 8,
    TELEMETRY_OLD_ONLY = 16,
    TELEMETRY_TYPES = 7,

    TELEMETRY_PATH_BYTES = 256,
    TELEMETRY_PAST = 256, /* events of the init phase that later subscriptions still get */
};

typedef struct Subscription {
    bool is_open;
    bool is_old; /* of the Logs API */
    unsigned types;
    uint64_t timeout_ms;
    uint64_t max_bytes;
    uint64_t max_items;
    bool is_tcp;
    bool is_put;
    uint16_t port;
    char path[TELEMETRY_PATH_BYTES];
    /* Events, each a line of JSON. */
    ApiBytes events;
    size_t count;
    int64_t since_ms; /* the first of them has waited */
    uint64_t dropped;
    uint64_t dropped_bytes;
    /* A delivery. */
    int file;           /* -1: none is under way */
    size_t batch_count; /* events, and their bytes, that it delivers: the first ones */
    size_t batch_bytes;
    ApiBytes request;
    llhttp_t parser;
    bool is_answered;
    int64_t until_ms;    /* it has failed */
    int64_t retry_at_ms; /* the next one may begin */
    int64_t pause_ms;
} Subscription;

typedef struct PastEvent {
    unsigned type;
    Slice text;
} PastEvent;

typedef struct Telemetry {
    Subscription all[EXTENSIONS_MAX]; /* by the extension's number */
    PastEvent past[TELEMETRY_PAST];
    size_t past_count;
    bool is_flushing; /* nothing waits for more to come */
    /* Of the invocation that runs. */
    char request_id[64];
    int64_t begun_us;
    int64_t started_us; /* of the init phase */
    uint64_t init_us;   /* until an invocation has reported it */
    bool is_running;    /* the runtime has not answered */
    bool is_reported;
    bool has_failed; /* the handler has reported an error */
} Telemetry;

/* ---- telemetry.c: events ---- */

void telemetry_init_start(Api *api);
void telemetry_runtime_ready(Api *api);
void telemetry_init_done(Api *api);
void telemetry_event_start(Api *api, Slice request_id);
void telemetry_event_answered(Api *api);
/* Of one that has not come to its end: `status` is "timeout" or "failure". */
void telemetry_event_done(Api *api, const char *status);
void telemetry_extension(Api *api, const char *name, const char *state, const char *events, Slice error_type);
/* A line of the function's or of an extension's. */
void telemetry_line(Api *api, unsigned type, Slice line);

/* Adds an event to the subscriptions that want it. */
void telemetry_add(Api *api, unsigned type, Slice text);
/* {"time", "type", "record": `record`}. */
void telemetry_record(Api *api, unsigned type, const char *name, Slice record);

/* ---- telemetry_subscription.c ---- */

void telemetry_subscribe(ApiConnection *connection, Extension *extension, bool is_old);

/* ---- telemetry_delivery.c ---- */

void telemetry_close(Api *api);
void telemetry_unsubscribe(Subscription *subscription);
/* Adds an event, if the subscription wants it and has room. */
void telemetry_give(Subscription *subscription, unsigned type, Slice text);
/* As extension_pipes_poll, at most EXTENSIONS_MAX of them; `of` is filled in beside. */
nfds_t telemetry_poll(Api *api, struct pollfd *polled, Subscription **of);
void telemetry_act(Api *api, Subscription *subscription, short events);
/* Begins the deliveries that are due. */
void telemetry_advance(Api *api);
int64_t telemetry_deadline(const Api *api);
/* Everything has been delivered. */
bool telemetry_is_empty(const Api *api);

#endif
