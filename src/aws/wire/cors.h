/* cors.h: pages of browsers that call (the Fetch standard, "CORS protocol"). Internal to wire; pure.
 *
 * In mode `open` anybody who reaches the port may call, and a page that a developer visits reaches it: so there only
 * pages of loopback and of the configured origins may, and only by a name that is this server's (cors_allows_host). In
 * mode `signed` a page needs a secret, so that any may ask, by any name. */
#ifndef BRUME_AWS_WIRE_CORS_H
#define BRUME_AWS_WIRE_CORS_H

#include "aws/wire/call_state.h"

/* Whether the page may call. An absent origin: whether the request may come from no page that tells its origin; images,
 * links and forms by GET do not, but browsers say of them that another site made them (Fetch Metadata, "Sec-Fetch-Site"). */
bool cors_allows(const WireOptions *options, const HttpRequest *request, Slice origin);
/* Whether `host` (a request's, with or without a port) can be this server's name. A page whose own name is made to stand
 * for 127.0.0.1 (DNS rebinding) is of the same origin, so that its name is all that gives it away. Allowed are addresses,
 * names that no public DNS has (without a dot, .localhost, .internal, .test), AWS's own, and the configured origins'. */
bool cors_allows_host(const WireOptions *options, Slice host);
bool cors_is_preflight(const HttpRequest *request);
/* Answers the preflight of an allowed origin. */
void cors_answer_preflight(HttpRequest *request, Slice origin);
/* Adds the headers that let the page read the answer; gives how many, at most CORS_HEADERS_MAX. */
enum { CORS_HEADERS_MAX = 3 };
size_t cors_headers(Slice origin, HttpHeader headers[CORS_HEADERS_MAX]);

#endif
