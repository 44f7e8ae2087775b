#include "cli/services.h"

#include "api/iam.h"
#include "api/lambda.h"
#include "api/sqs.h"
#include "api/sts.h"
#include "core/function.h"
#include "core/queue.h"

const Service *const services[] = {&iam_service, &sqs_service, &sts_service, &lambda_service};
const size_t service_count = sizeof services / sizeof services[0];

void services_prepare(Store *store)
{
    store_on_timer(store, TIMER_QUEUE, queue_timer);
    store_on_timer(store, TIMER_FUNCTION, function_timer);
}
