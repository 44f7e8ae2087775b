/* url_handler.h: the URLs of functions: HTTP at ID.lambda-url.REGION.…, which no API stands behind (Lambda developer guide,
 * "Creating and managing Lambda function URLs").
 *
 * One handler for all loops, as wire's is (aws/wire/wire.h); a request is handled on its own loop. Nothing here blocks. */
#ifndef BRUME_AWS_LAMBDA_URL_HANDLER_H
#define BRUME_AWS_LAMBDA_URL_HANDLER_H

#include "aws/wire/wire.h"

/* Whose URL a host is. */
typedef struct UrlHost {
    Slice id;     /* views of the host: as it was written, perhaps in upper case */
    Slice region; /* the same */
} UrlHost;

/* Whether the host of a request is one of functions' URLs, whatever stands behind the region: ID.lambda-url.REGION.localhost,
 * with a port or without. */
bool url_host_read(Slice host, UrlHost *read);

/* Of the options those count that say who is asked and who may ask; they are copied, and what they point to must outlive
 * the handler. */
HttpHandler *url_handler_open(const WireOptions *options);
/* After the loops have stopped. */
void url_handler_close(HttpHandler *handler);

typedef struct UrlStats {
    uint64_t requests;
    uint64_t client_errors; /* answered with 4xx */
    uint64_t server_errors; /* with 5xx, a function's own too */
} UrlStats;
void url_handler_stats(HttpHandler *handler, UrlStats *stats);

#endif
