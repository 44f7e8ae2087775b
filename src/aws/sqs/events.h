/* events.h: messages as the functions of event source mappings get them. */
#ifndef BRUME_AWS_SQS_EVENTS_H
#define BRUME_AWS_SQS_EVENTS_H

#include "core/poller.h"

/* Implements PollerDialect.add_message: a record of the event (Lambda developer guide, "Using Lambda with Amazon SQS",
 * example events of standard and FIFO queues). */
void sqs_add_event_record(Buffer *out, Slice source_arn, Slice region, const ReceivedMessage *message,
                          bool for_filters);

#endif
