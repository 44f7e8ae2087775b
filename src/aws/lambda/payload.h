/* payload.h: what is checked of an event before it is passed on: it must be JSON. Pure. */
#ifndef BRUME_AWS_LAMBDA_PAYLOAD_H
#define BRUME_AWS_LAMBDA_PAYLOAD_H

#include "base/arena.h"

/* Whether the payload is JSON; `problem`, in the arena, tells where it is not, in the words and the form in which AWS does
 * ("Unexpected character ('}' (code 125))", line and column, at most 500 bytes of it). */
bool payload_is_json(Slice payload, Arena *arena, Slice *problem);

#endif
