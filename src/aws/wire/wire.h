/* wire.h: the AWS APIs as an HTTP handler: everything that is asked outside /_brume/.
 *
 * One handler for all loops: a request is handled on its own loop, but for its body's run in the store. Nothing here
 * blocks. */
#ifndef BRUME_AWS_WIRE_WIRE_H
#define BRUME_AWS_WIRE_WIRE_H

#include "aws/wire/authenticate.h"
#include "aws/wire/descriptor.h"
#include "base/limits.h"
#include "core/account_limits.h"
#include "net/http.h"
#include "os/os.h"
#include "os/work_pool.h"
#include "store/store.h"

typedef struct Invoker Invoker; /* core/invoker.h */

/* Why a request was refused although nothing is wrong with it. */
typedef enum WireThrottled {
    WIRE_NOT_THROTTLED,
    WIRE_THROTTLED_ACCOUNT,    /* ACCOUNT_REQUEST_RATE */
    WIRE_THROTTLED_CONNECTION, /* NET_REQUEST_RATE */
    WIRE_THROTTLED_OVERLOAD,   /* more is asked than the server can do (STORE_DELAY_MS and other bounds) */
    WIRE_THROTTLED_REASONS
} WireThrottled;

/* What one request came to, for metrics and logs. */
typedef struct WireReport {
    const Service *service;     /* NULL: the request was refused before it was routed */
    const Operation *operation; /* the same */
    const ApiError *error;      /* NULL: it went well */
    Error failure;              /* what failed of ours or of the environment, for the log; OK: nothing did */
    WireThrottled throttled;
    int status;
    uint64_t duration_ns; /* from the request's head to the answer's hand-over; parked time is in it */
    Slice request_id;
    Slice account; /* absent when the request was not authenticated */
} WireReport;

typedef struct WireOptions {
    Os *os;
    Store *store;
    Loop **loops; /* those of the server */
    size_t loop_count;
    AuthMode auth_mode;
    AccountGeneration *generation; /* of access keys (authenticate.h) */
    Slice root_access_key_id;      /* absent: none */
    Slice root_secret;
    const Service *const *services;
    size_t service_count;
    const Limits *limits;          /* must outlive the handler */
    Invoker *invoker;              /* who runs functions; NULL: nobody does */
    struct Packages *packages;     /* of code (core/package.h); NULL: there are none */
    WorkPool *pool;                /* reads large bodies, for the loops not to stand still; NULL: the loops do */
    AccountLimits *account_limits; /* of accounts that have their own; NULL: none has */
    Slice endpoint; /* what URLs given out begin with when a request names no host: "http://127.0.0.1:4566" */
    /* Origins whose pages may call ("https://console.test"), beside those on loopback; "*" alone: every page. In
     * mode `open` a page needs no secret to call, so that others are refused; in mode `signed` every page may ask.
     * The server may be called by their host names, too. */
    const Slice *origins;
    size_t origin_count;
    /* Called on the request's loop for each answer; NULL: not called. */
    void (*report)(void *user, const WireReport *report);
    void *report_user;
} WireOptions;

/* One for a loop of the options'. */
Authenticator *wire_authenticator_open(const WireOptions *options, size_t loop);

/* The options are copied; slices and arrays in them must outlive the handler. */
HttpHandler *wire_handler_open(const WireOptions *options);
/* After the loops have stopped. */
void wire_handler_close(HttpHandler *handler);

#endif
