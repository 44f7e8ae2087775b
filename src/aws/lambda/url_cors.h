/* url_cors.h: which pages may ask a function's URL, as its settings say (the Fetch standard, "CORS protocol"; Lambda API
 * reference, "Cors"). Pure. */
#ifndef BRUME_AWS_LAMBDA_URL_CORS_H
#define BRUME_AWS_LAMBDA_URL_CORS_H

#include "core/function_url.h"
#include "net/http.h"

enum { URL_CORS_FIELDS_MAX = 6 };

/* Whether the request only asks whether another one may follow. */
bool url_cors_is_preflight(const HttpRequest *request);

/* Adds what lets the page read the answer, or, to a preflight, ask; gives how many, at most URL_CORS_FIELDS_MAX: none where
 * the page may not. Values lie in the request's arena, or are views of the settings. */
size_t url_cors_fields(const HttpRequest *request, const FunctionUrlCors *cors, HttpHeader *fields);

#endif
