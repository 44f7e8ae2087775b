/* call_state.h: the part of a call that is the steps' own. Internal to wire. */
#ifndef BRUME_AWS_WIRE_CALL_STATE_H
#define BRUME_AWS_WIRE_CALL_STATE_H

#include "aws/wire/body_work.h"
#include "aws/wire/codec.h"
#include "aws/wire/wire.h"

typedef struct Wire Wire;

struct CallState {
    Call call;
    StoreCall store_call;
    Wire *wire;
    HttpRequest *request;
    ProtocolSet protocol;       /* one of them: the caller's, in which it is answered */
    QueryParameters parameters; /* Query; REST: those of the URL */
    const RestRoute *route;     /* REST */
    Slice signed_service;       /* route_signed_service, once it was asked for; then with data */
    Slice body;
    WorkPool *pool;     /* of workers for large bodies; NULL: there is none */
    BodyWork work;      /* theirs */
    Slice origin;       /* the page that calls, allowed to; absent: no page */
    bool at_root;       /* Query: not at a resource's path */
    bool query_in_json; /* Query: the client asks for the answer in JSON */
    void *input;
    void *output;
    size_t item_count; /* of lists and maps, while decoding */
    size_t item_limit;
    uint64_t started_ns;
    WireThrottled throttled;
    bool in_store; /* the store owns the call */
    bool gone;     /* nobody waits for the answer any more */
    bool streaming;
    void (*on_writable)(Call *call); /* of a stream */
};

/* Tells of the call's end, with what it holds; `failure`: what failed of ours or of the environment. */
void call_report(CallState *state, Error failure);

#endif
