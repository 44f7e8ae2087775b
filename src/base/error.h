/* error.h: what went wrong, in three kinds (CONTRIBUTING.md, "Errors").
 *
 * A bug of ours is an assertion (bug.h). The environment's failures are the negative codes below. What the client did
 * wrong is a positive code: ERROR_ANSWERED, when a call already holds the row of its API's error table and the
 * message, or a code of core/core_error.h, which each service translates into a row of its own. */
#ifndef BRUME_BASE_ERROR_H
#define BRUME_BASE_ERROR_H

#include <stdint.h>

typedef int32_t Error;

enum { OK = 0 };

/* code, value, what it means (for logs and one-line messages) */
#define ENVIRONMENT_ERRORS(ROW)                                                                                        \
    ROW(ERROR_IO, -1, "the disk or the network failed")                                                                \
    ROW(ERROR_FULL, -2, "the disk is nearly full")                                                                     \
    ROW(ERROR_BUSY, -3, "a bounded queue is full")                                                                     \
    ROW(ERROR_MISS, -4, "the data is not in memory")                                                                   \
    ROW(ERROR_WAIT, -5, "nothing to do yet")                                                                           \
    ROW(ERROR_GONE, -6, "the caller has left")                                                                         \
    ROW(ERROR_MALFORMED, -7, "the input is malformed")                                                                 \
    ROW(ERROR_TOO_LARGE, -8, "the input passes a limit")                                                               \
    ROW(ERROR_TOO_DEEP, -9, "the input is nested too deeply")                                                          \
    ROW(ERROR_LOCKED, -10, "another process holds the data directory")                                                 \
    ROW(ERROR_FORMAT, -11, "the data was written by another version")                                                  \
    ROW(ERROR_NOT_FOUND, -12, "there is no such file")                                                                 \
    ROW(ERROR_STOPPING, -13, "the server is stopping")                                                                 \
    ROW(ERROR_TIMEOUT, -14, "the time for it has passed")                                                              \
    ROW(ERROR_DENIED, -15, "the operating system refuses it")                                                          \
    ROW(ERROR_EXISTS, -16, "it exists already")

enum {
#define ROW(code, value, text) code = value,
    ENVIRONMENT_ERRORS(ROW)
#undef ROW
    /* The call was refused: its error row and message are set (aws/wire/call.h). */
    ERROR_ANSWERED = 1,
    /* Core's own codes start here. */
    ERROR_CORE_FIRST = 100,
};

/* Returns from the calling function when `expression` is not OK. The one macro that returns. */
#define TRY(expression)                                                                                                \
    do {                                                                                                               \
        Error try_error_ = (expression);                                                                               \
        if (try_error_ != OK)                                                                                          \
            return try_error_;                                                                                         \
    } while (0)

/* The meaning of an environment code as a phrase; "unknown error" for others. */
const char *error_text(Error error);

#endif
