/* layers.h: Lambda's words for core/layer.h. For aws/lambda alone. */
#ifndef BRUME_AWS_LAMBDA_LAYERS_H
#define BRUME_AWS_LAMBDA_LAYERS_H

#include "aws/lambda/dialect.h"
#include "core/layer.h"

/* Whose layer a LayerName means: a name of the caller's own, or an ARN without a version. */
typedef struct LayerName {
    Slice account;
    Slice region;
    Slice name;
} LayerName;
void lambda_read_layer_name(const Call *call, Slice text, LayerName *name);
/* The caller's own layer: AccessDeniedException. */
Error lambda_read_own_layer(Call *call, Slice text, LayerName *name);
/* InvalidParameterValueException below 1. */
Error lambda_check_layer_version(Call *call, int64_t number);

#endif
