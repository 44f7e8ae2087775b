/* answer.h: a finished call as an HTTP answer in the caller's protocol. Internal to wire; on the request's loop. */
#ifndef BRUME_AWS_WIRE_ANSWER_H
#define BRUME_AWS_WIRE_ANSWER_H

#include "aws/wire/call_state.h"

enum { REQUEST_ID_SIZE = 36 };

/* What the call failed with as a row and a message: sets call->error for codes of core (by the service's hook) and of
 * the environment; leaves a refusal (ERROR_ANSWERED) as it is. */
void answer_explain(CallState *state, Error error);
/* The HTTP status of the answer. */
int answer_status(const CallState *state);
/* Encodes the output, or call->error, and hands the answer to net: the request is gone afterwards. */
void answer_send(CallState *state);
/* Starts an answer in pieces, as call->error and the output say; net has the rest. */
void answer_stream(CallState *state, Slice type, void (*on_writable)(HttpRequest *request));

/* A random UUID (RFC 9562, version 4) of 16 random bytes. */
void request_id_format(const unsigned char random[16], char text[REQUEST_ID_SIZE]);

#endif
