/* forward_event.h: the event that a function gets of a log group that it has subscribed to. */
#ifndef BRUME_AWS_LOGS_FORWARD_EVENT_H
#define BRUME_AWS_LOGS_FORWARD_EVENT_H

#include "core/log_forwarder.h"

/* {"awslogs": {"data": …}}: a document, packed by gzip, in base64 (CloudWatch Logs user guide, "Real-time processing of log
 * data with subscriptions"). */
Slice logs_forward_payload(const LogForward *forward, Arena *arena);

/* 56 digits, which sort as the events do. */
Slice logs_event_id(const LogPlace *place, Arena *arena);

#endif
