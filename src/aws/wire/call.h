/* call.h: one call of an AWS operation, from route to answer.
 *
 * Born with its request on a loop, owned by whoever runs the current step (loop, writer, reader), gone with the
 * request's arena. Operation bodies see the parts above "the steps' own". */
#ifndef BRUME_AWS_WIRE_CALL_H
#define BRUME_AWS_WIRE_CALL_H

#include "aws/wire/descriptor.h"
#include "base/arena.h"
#include "core/actor.h"
#include "store/store.h"

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
    bool changes_keys;        /* set by a body that changes what access keys stand for: what was derived is forgotten */
    /* Set by call_fail. */
    const ApiError *error;
    Slice error_message;
    /* The steps' own. */
    struct CallState *state;
};

/* Refuses the call with a row of the API's error table and a message; `return call_fail(…)`. NULL format: the row's
 * default message. */
__attribute__((format(printf, 3, 4))) Error call_fail(Call *call, const ApiError *error, const char *format, ...);

#endif
