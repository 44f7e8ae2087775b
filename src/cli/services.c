#include "cli/services.h"

#include "core/event.h"
#include "core/function.h"
#include "core/log.h"
#include "core/mapping.h"
#include "core/queue.h"

/* Each is defined in the C that is made of its api/NAME.smithy. Their headers cannot stand side by side: operations of
 * one name (GetPolicy, AddPermission) have inputs of one name. */
extern const Service brume_service, iam_service, lambda_service, logs_service, sqs_service, sts_service;

const Service *const services[] = {&iam_service,    &sqs_service,  &sts_service,
                                   &lambda_service, &logs_service, &brume_service};
const size_t service_count = sizeof services / sizeof services[0];

void services_prepare(Store *store)
{
    store_on_timer(store, TIMER_QUEUE, queue_timer);
    store_on_timer(store, TIMER_FUNCTION, function_timer);
    store_on_timer(store, TIMER_EVENT, event_timer);
    store_on_timer(store, TIMER_MAPPING, mapping_timer);
    store_on_timer(store, TIMER_LOG, log_timer);
}
