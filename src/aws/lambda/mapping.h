/* mapping.h: Lambda's words for core/mapping.h. For aws/lambda alone. */
#ifndef BRUME_AWS_LAMBDA_MAPPING_H
#define BRUME_AWS_LAMBDA_MAPPING_H

#include "aws/lambda/dialect.h"
#include "core/mapping.h"

/* ---- What is asked (event_source_mapping_settings.c) ---- */

/* What CreateEventSourceMapping and UpdateEventSourceMapping both take; NULL, absent and false: not given. */
typedef struct MappingSettings {
    bool has_batch_size;
    int32_t batch_size;
    bool has_window;
    int32_t window_s;
    const LambdaFilterCriteria *filters;
    const LambdaFunctionResponseTypeList *response_types;
    const LambdaScalingConfig *scaling;
    const LambdaProvisionedPollerConfig *provisioned;
    const LambdaEventSourceMappingMetricsConfig *metrics;
    const LambdaEventSourceMappingLoggingConfig *logging;
    Slice kms_key_arn;
    const char *foreign; /* lambda_foreign_member */
} MappingSettings;

/* The first of the members that are given and that queues do not have; NULL: there is none. */
typedef struct ForeignMember {
    bool given;
    const char *name;
} ForeignMember;
const char *lambda_foreign_member(const ForeignMember *members, size_t count);
/* Whether a member whose type is open says something. */
bool lambda_document_says(Slice document);

/* Puts what is given over the mapping, and checks what comes of it. InvalidParameterValueException, or 501 by name. */
Error lambda_apply_mapping(Call *call, const MappingSettings *settings, Mapping *mapping);

/* ---- Breakers (event_source_mapping_breaker.c) ---- */

/* The tag that gives a mapping a circuit breaker: "threshold=5 recovery=60". */
#define LAMBDA_BREAKER_TAG "brume:circuit-breaker"
/* Lets the mapping's breaker be what its tags say. InvalidParameterValueException: the tag says something else. */
Error lambda_read_breaker(Call *call, Mapping *mapping);

#endif
