/* cors.h: pages of browsers that call (the Fetch standard, "CORS protocol"). Internal to wire; pure.
 *
 * In mode `open` anybody who reaches the port may call, and a page that a developer visits reaches it: so there only
 * pages of loopback and of the configured origins may. In mode `signed` a page needs a secret, so that any may ask. */
#ifndef BRUME_AWS_WIRE_CORS_H
#define BRUME_AWS_WIRE_CORS_H

#include "aws/wire/call_state.h"

bool cors_allows(const WireOptions *options, Slice origin);
bool cors_is_preflight(const HttpRequest *request);
/* Answers the preflight of an allowed origin. */
void cors_answer_preflight(HttpRequest *request, Slice origin);
/* Adds the headers that let the page read the answer; gives how many, at most CORS_HEADERS_MAX. */
enum { CORS_HEADERS_MAX = 3 };
size_t cors_headers(Slice origin, HttpHeader headers[CORS_HEADERS_MAX]);

#endif
