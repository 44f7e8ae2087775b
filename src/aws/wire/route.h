/* route.h: which operation of which service a request asks for, and in which protocol. Internal to wire; pure. */
#ifndef BRUME_AWS_WIRE_ROUTE_H
#define BRUME_AWS_WIRE_ROUTE_H

#include "aws/wire/call_state.h"

/* The protocol by the head alone, so that a refusal of the body can be answered in it. */
ProtocolSet route_protocol(const HttpRequest *request);

/* The service that the request says to be signed for; empty: it does not say. Read once, as routing asks again and again. */
Slice route_signed_service(CallState *state);

/* For the protocols other than REST, whose requests route_rest (rest.h) has found by their heads.
 * Fills the call's service and operation, and for Query the parameters, from the request and its body.
 * JSON: by X-Amz-Target. Query: the service by a resource's path, the signing scope, the host's first label, or by the
 * action and its version; the operation by Action, in the form or the URL's query.
 * ERROR_ANSWERED: what AWS answers for an unknown operation; 501 for one that AWS has and Brume does not. */
Error route(CallState *state, const Service *const *services, size_t service_count, Slice body);

#endif
