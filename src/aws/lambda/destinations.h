/* destinations.h: how those who are told of events' ends are spoken to: records for destinations, attributes of dead
 * letters (Lambda developer guide, "Capturing records of Lambda asynchronous invocations"). */
#ifndef BRUME_AWS_LAMBDA_DESTINATIONS_H
#define BRUME_AWS_LAMBDA_DESTINATIONS_H

#include "core/event_end.h"

extern const EventDialect lambda_event_dialect;

#endif
