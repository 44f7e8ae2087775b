/* url_answer.h: what a function's URL answers, out of what its handler gave (Lambda developer guide, "Invoking Lambda
 * function URLs"). Pure. */
#ifndef BRUME_AWS_LAMBDA_URL_ANSWER_H
#define BRUME_AWS_LAMBDA_URL_ANSWER_H

#include "net/http.h"

/* Fields that an answer gets besides the handler's: CORS, the request's id, the trace. */
typedef struct UrlFields {
    const HttpHeader *items;
    size_t count;
    uint64_t head_bytes; /* the most that the handler's own may have, as RFC 9113, section 6.5.2, counts them */
    bool replace_cors;   /* the handler's own fields of CORS are left out */
} UrlFields;

/* The answer to a handler's result: an object with a "statusCode" says all of it; anything else that is JSON is the body
 * of a 200. Fields and body in the arena, or views of `result`. ERROR_MALFORMED: it makes no answer. */
Error url_answer_read(Arena *arena, Slice result, const UrlFields *fields, HttpResponse *response);

/* The head of a streamed answer: `prelude` is JSON ("statusCode", "headers", "cookies"), or absent; `content_type` empty:
 * none was said. ERROR_MALFORMED. */
Error url_answer_read_prelude(Arena *arena, Slice prelude, Slice content_type, const UrlFields *fields,
                              HttpResponse *response);

#endif
