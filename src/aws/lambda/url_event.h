/* url_event.h: an HTTP request as the event that a function's URL hands to it: payload format 2.0 (Lambda developer guide,
 * "Invoking Lambda function URLs"). Pure. */
#ifndef BRUME_AWS_LAMBDA_URL_EVENT_H
#define BRUME_AWS_LAMBDA_URL_EVENT_H

#include "core/actor.h"
#include "net/http.h"

typedef struct UrlEvent {
    const HttpRequest *request;
    Slice body;
    Slice url_id;
    Slice request_id;
    Slice trace; /* the X-Ray header */
    uint64_t wall_ms;
    const Actor *caller; /* who signed; NULL: nobody is asked to */
} UrlEvent;

/* The document, in the request's arena.
 *
 * Path and query stand as they were sent; what is sent more than once is joined by commas. Text bodies stand as they are,
 * others in base64. What concerns one connection alone (RFC 9110, section 7.6.1) is left out, and cookies have a list of
 * their own. */
Slice url_event_write(const UrlEvent *event);

/* The client's address, without its port. */
Slice url_event_source(const HttpRequest *request);

#endif
