/* actor.h: on whose behalf a call into core is made. Every such call carries one.
 *
 * The slices live as long as the call. */
#ifndef BRUME_CORE_ACTOR_H
#define BRUME_CORE_ACTOR_H

#include "base/slice.h"

typedef struct Actor {
    Slice account;       /* 12 digits: the key space */
    Slice region;        /* "us-east-1" */
    Slice principal_arn; /* "arn:aws:iam::123456789012:root", ":user/ann", "…:sts::…:assumed-role/worker/one" */
    Slice principal_id;  /* what GetCallerIdentity calls UserId */
    Slice access_key_id; /* absent for the platform's own calls */
    /* Of temporary credentials, what their token says; NULL: they are not temporary. */
    const struct Session *session;
    bool verified; /* the signature was; in mode `open` nobody's is */
} Actor;

#endif
