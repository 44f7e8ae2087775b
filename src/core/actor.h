/* actor.h: on whose behalf a call into core is made. Every such call carries one.
 *
 * The slices live as long as the call. */
#ifndef BRUME_CORE_ACTOR_H
#define BRUME_CORE_ACTOR_H

#include "base/slice.h"

typedef struct Actor {
    Slice account;       /* 12 digits: the key space */
    Slice region;        /* "us-east-1" */
    Slice principal_arn; /* "arn:aws:iam::123456789012:root" */
    Slice principal_id;  /* what GetCallerIdentity calls UserId */
    Slice access_key_id; /* absent for the platform's own calls */
} Actor;

#endif
