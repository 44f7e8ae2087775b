/* event_invoke.h: an event is accepted for a function: Invoke with InvocationType Event, and InvokeAsync. */
#ifndef BRUME_AWS_LAMBDA_EVENT_INVOKE_H
#define BRUME_AWS_LAMBDA_EVENT_INVOKE_H

#include "aws/lambda/invoke_call.h"

/* Answers 202 when the event is durable, by `accepted`, which sets the output; every refusal ends the call. The arguments
 * live as long as the call. */
Error event_invoke_start(Call *call, const InvokeArguments *arguments, void (*accepted)(void *output), void *output);

#endif
