/* call.h: one call of an AWS operation, from route to answer.
 *
 * Born with its request on a loop, owned by whoever runs the current step (loop, writer, reader), gone with the
 * request's arena. Operation bodies see the parts above "the steps' own".
 *
 * An @async operation's body runs on the request's loop without a transaction. It starts what it needs (transactions of
 * its own by call_store, work elsewhere that posts to call_mailbox) and returns OK: from then on the call is its own,
 * and it ends the call exactly once, on that loop, by call_finish or by a streamed answer. Until then the call, its
 * arena, input and output stay valid, whether the client waits or has left. A body that returns an error has started
 * nothing: the call is answered with it. The arena is not locked: while a transaction has it (StoreCall.arena), nobody
 * else allocates from it; work on other threads has an arena of its own. */
#ifndef BRUME_AWS_WIRE_CALL_H
#define BRUME_AWS_WIRE_CALL_H

#include "aws/wire/descriptor.h"
#include "base/arena.h"
#include "base/task.h"
#include "core/actor.h"
#include "store/store.h"

typedef struct Invoker Invoker;   /* core/invoker.h */
typedef struct Packages Packages; /* core/package.h */

/* Why an input was refused, in terms of its declaration. */
typedef enum ViolationKind {
    VIOLATION_MISSING, /* a required member */
    VIOLATION_TYPE,    /* another JSON type, no number, no boolean */
    VIOLATION_LENGTH_MIN,
    VIOLATION_LENGTH_MAX,
    VIOLATION_RANGE_MIN,
    VIOLATION_RANGE_MAX,
    VIOLATION_PATTERN,
    VIOLATION_ENUM,
} ViolationKind;

struct Violation {
    ViolationKind kind;
    const Member *member;
    const Constraint *constraint;
    Slice path;  /* "entries.1.member.id", as AWS writes it */
    Slice value; /* as sent, where there is one */
};

struct Call {
    Arena *arena; /* the request's */
    const Service *service;
    const Operation *operation;
    Actor actor;
    Slice request_id;
    Slice trace;    /* the X-Ray header, absent when there is none */
    Slice endpoint; /* "http://127.0.0.1:4566": what the client called; URLs given out begin with it */
    Slice peer;
    uint64_t wall_ms;         /* the wall clock when the request came: for what protocols date, not for what is due */
    const Limits *limits;     /* the account's */
    Slice root_access_key_id; /* of the default account, from the environment and in no store; absent: none */
    void *prepared;           /* by the operation's prepare function, for its body */
    Slice content_type; /* set by a body whose @httpPayload is of another type than such bytes are; absent: it is not */
    bool changes_keys;  /* set by a body that changes what access keys stand for: what was derived is forgotten */
    /* Set by an @async body; NULL: it need not know. Called once, on the loop, when the client has left or has only
     * ended its side: what is answered then is still sent to whom is there. One that left before: call_is_gone. */
    void (*on_gone)(Call *call);
    void *user; /* an @async body's own */
    /* Set by call_fail. */
    const ApiError *error;
    Slice error_message;
    void *error_members; /* of error->shape, in the arena; NULL: none is set */
    /* The steps' own. */
    struct CallState *state;
};

/* Refuses the call with a row of the API's error table and a message; `return call_fail(…)`. NULL format: the row's
 * default message. */
__attribute__((format(printf, 3, 4))) Error call_fail(Call *call, const ApiError *error, const char *format, ...);

/* The C structure of call->error's members, zeroed, for more than the message (which is filled in by itself); to be called
 * behind call_fail with a row that has a shape. */
void *call_error_members(Call *call);

/* ---- @async operations: on the request's loop ---- */

/* Answers: with the output (OK), or with what a body would have returned. The call is gone afterwards. */
void call_finish(Call *call, Error error);
/* Whether the client has left, or has ended its side. */
bool call_is_gone(const Call *call);
Store *call_store(const Call *call);
Os *call_os(const Call *call);
/* Who runs functions; NULL: nobody does here. */
Invoker *call_invoker(const Call *call);
/* The limits of an account that may be another one than the caller's. */
const Limits *call_limits_of(const Call *call, Slice account);
/* The packages of code; NULL: there are none here. For every operation, on any thread. */
Packages *call_packages(const Call *call);
/* Whether signatures are verified: what a caller says of others is checked, too. The same. */
bool call_is_verified(const Call *call);
/* The loop's: where transactions and other threads give the call back. */
Mailbox *call_mailbox(const Call *call);

/* An answer in pieces, instead of call_finish: the status and the fields that `output` is bound to, then pieces.
 * `content_type`, unless the output has its own: "application/vnd.amazon.eventstream" for messages. `on_writable` is
 * called when a client that was slow to read has caught up; and when it has left, unless on_gone is called then. What is
 * written to a client that has left is dropped: write on, or not, and end the stream as usual. */
void call_stream_start(Call *call, Slice content_type, void (*on_writable)(Call *call));
/* Queues a copy of the piece; false when the writer should stop until `on_writable`. */
bool call_stream_write(Call *call, Slice piece);
/* The same of one message of an event stream (base/event_stream.h): ":message-type" is "event". What passes the bounds of
 * a message is a bug of the caller: larger payloads are split. `content_type` empty: none. */
bool call_stream_event(Call *call, Slice event_type, Slice content_type, Slice payload);
/* The same of an error of the API in an event stream: ":message-type" is "exception"; the stream ends behind it.
 * `message` is UTF-8. */
bool call_stream_exception(Call *call, const ApiError *error, Slice message);
/* Ends the answer well; the call is gone afterwards. */
void call_stream_end(Call *call);
/* Cuts the connection, so that the client sees that something is missing; the call is gone afterwards. `why`, an
 * environment's code, is reported. */
void call_stream_abort(Call *call, Error why);

#endif
