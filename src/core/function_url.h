/* function_url.h: the URLs at which functions answer HTTP without the API: their settings, and whose a URL is.
 *
 * Bodies over a transaction, in the manner of function.h: slices given back lie in the transaction's arena. A function,
 * and each of its aliases, has at most one; it goes with it. The home of every write is the function. */
#ifndef BRUME_CORE_FUNCTION_URL_H
#define BRUME_CORE_FUNCTION_URL_H

#include "core/function.h"

enum { FUNCTION_URL_ID_SIZE = 32 }; /* letters in lower case and digits */

typedef struct SliceList {
    Slice *items; /* NULL: not given */
    size_t count;
} SliceList;

/* Which pages of other origins may ask (fetch.spec.whatwg.org, "CORS protocol"). */
typedef struct FunctionUrlCors {
    SliceList origins; /* "https://www.example.com", or "*" */
    SliceList methods; /* "GET", or "*" */
    SliceList headers;
    SliceList exposed_headers;
    bool has_credentials;
    bool credentials;
    bool has_max_age;
    uint64_t max_age_s;
} FunctionUrlCors;

typedef struct FunctionUrl {
    Slice id;
    Slice qualifier; /* an alias; empty: "$LATEST" */
    bool is_signed;  /* callers sign: AWS_IAM; false: NONE */
    bool is_streamed;
    bool has_cors;
    FunctionUrlCors cors;
    uint64_t created_ms;
    uint64_t modified_ms;
} FunctionUrl;

/* Gives it an id and its times. FUNCTION_URL_EXISTS; FUNCTION_ALIAS_NOT_FOUND. */
Error function_url_create(Txn *txn, const Function *function, FunctionUrl *url);
/* FUNCTION_URL_NOT_FOUND. */
Error function_url_get(Txn *txn, const Function *function, Slice qualifier, FunctionUrl *url);
/* Keeps what was changed of its settings. */
void function_url_put(Txn *txn, const Function *function, FunctionUrl *url);
/* FUNCTION_URL_NOT_FOUND. */
Error function_url_delete(Txn *txn, const Function *function, Slice qualifier);
/* The function's own first, then those of aliases, by name. */
Error function_url_list(Txn *txn, const Function *function, FunctionPage *page, FunctionUrl **urls, size_t *count);

/* Whose URL it is, whichever account and region. For each request to one: two reads, in cache mostly.
 * FUNCTION_URL_NOT_FOUND. */
Error function_url_find(Txn *txn, Slice id, Function *function, FunctionUrl *url);

#endif
