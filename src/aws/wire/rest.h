/* rest.h: REST services: members of an operation in the path, the query, header fields and the body of a message
 * (smithy.io, "HTTP bindings" and "AWS restJson1 protocol"). Internal to wire; pure. */
#ifndef BRUME_AWS_WIRE_REST_H
#define BRUME_AWS_WIRE_REST_H

#include "aws/wire/call_state.h"

/* Finds the operation of a REST service, by the head alone. The service: by the signing scope, else by the host's first
 * label, else by the path's first segment, when one service alone has routes that begin so. OK without state->route: the
 * request is for none of them, and nothing is changed. Otherwise the protocol, service, route and operation are set, or
 * it is refused (ERROR_ANSWERED): what AWS has and Brume does not by its name, the rest as AWS does. */
Error route_rest(CallState *state, const Service *const *services, size_t service_count);

/* The first route that the path, the query's parameters and the method match; NULL: none. A slash at the path's end means
 * nothing, but for a greedy label. */
const RestRoute *rest_find_route(const Service *service, Slice method, Slice path, const QueryParameters *parameters);
/* What the route's label has of the path, as it stands there. */
Slice rest_label(const RestRoute *route, Slice path, const RestSegment *segment);

/* The whole input out of the request, as state->route says. ERROR_ANSWERED with SerializationException. */
Error decode_rest(CallState *state);

/* What of an answer is not its body. `structure` of `shape`: an output, or an error's members. */
size_t rest_header_count(const Shape *shape, const void *structure);
/* Adds the fields that members are bound to; gives how many: at most rest_header_count. */
size_t rest_add_headers(Arena *arena, const Shape *shape, const void *structure, HttpHeader *headers);
/* The status of a success answer. */
int rest_status(const Operation *operation, const void *output);
/* Whether the body of a success answer is bytes or text as they are: the value of the operation's output_payload. */
bool rest_is_raw(const Operation *operation);
/* The body of a success answer. */
void encode_rest(const Operation *operation, const void *output, Buffer *out);
/* Its media type, unless the output is bound to one of its own; absent: there is no body. */
Slice rest_content_type(const Operation *operation);

/* ---- Simple values as text in labels, queries and fields (rest_text.c) ---- */

/* `where`: its name, for the refusal. `format`: of a timestamp that declares none. */
Error rest_read_text(Call *call, Slice where, const Shape *shape, TimestampFormat format, Slice text, void *value);
Slice rest_write_text(Arena *arena, const Shape *shape, TimestampFormat format, const void *value);
/* Takes the first item off a header field's list ("a, \"b, c\""); dates have a comma of their own. */
Slice rest_take_item(Arena *arena, const Shape *item, Slice *rest);
/* Adds an item to a header field's list. */
void rest_add_item(Buffer *out, const Shape *item, Slice text);

#endif
