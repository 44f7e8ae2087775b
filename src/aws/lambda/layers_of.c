/* layers_of.c: the layers of a function, as it is made or changed. */
#include "aws/lambda/layers.h"

enum { LAYERS_MAX = 5 }; /* Lambda developer guide, "Managing Lambda dependencies with layers" */

/* The same layer, whichever version. */
static bool are_of_one_layer(Slice a, Slice b)
{
    Slice names[2] = {a, b};
    for (int i = 0; i < 2; i++)
        while (names[i].size > 0 && names[i].data[names[i].size - 1] != ':')
            names[i].size--;
    return slice_equal(names[0], names[1]);
}

static Error check_arns(Call *call, const LambdaLayerList *arns)
{
    if (arns->count > LAYERS_MAX)
        return lambda_invalid(call, "Cannot reference more than %d layers.", LAYERS_MAX);
    for (size_t i = 0; i < arns->count; i++)
        for (size_t other = i + 1; other < arns->count; other++)
            if (are_of_one_layer(arns->items[i], arns->items[other]))
                return lambda_invalid(call,
                                      "Two different versions of the same layer are not allowed to be referenced in "
                                      "the same function. %.*s and %.*s are versions of the same layer.",
                                      SLICE_PRINT(arns->items[i]), SLICE_PRINT(arns->items[other]));
    return OK;
}

static Error read_layer(Call *call, Txn *txn, Slice arn, Slice region, FunctionLayer *layer)
{
    LayerVersion found;
    LayerName name;
    uint64_t number;
    if (!layer_arn_parse(arn, &name.account, &name.region, &name.name, &number))
        return lambda_not_implemented(call, "layers of AWS's own (awslayer)");
    if (!slice_equal(name.region, region))
        return lambda_invalid(call,
                              "Layers are not in the same region as the function. Layers are expected to be in region "
                              "%.*s.",
                              SLICE_PRINT(region));
    Error error = layer_use(txn, call->actor.account, arn, &found);
    if (error == LAYER_DENIED)
        return lambda_denied(call, "lambda:GetLayerVersion", arn);
    if (error == LAYER_NOT_FOUND)
        return lambda_invalid(call, "Layer version %.*s does not exist.", SLICE_PRINT(arn));
    TRY(error);
    *layer = (FunctionLayer){.arn = layer_version_arn(call->arena, &found),
                             .code = found.code,
                             .code_bytes = found.code_bytes,
                             .unzipped_bytes = found.unzipped_bytes};
    return OK;
}

Error lambda_read_layers(Call *call, Txn *txn, const LambdaLayerList *arns, FunctionVersion *version)
{
    TRY(check_arns(call, arns));
    version->layers = arns->count == 0 ? NULL : ARENA_ARRAY(call->arena, FunctionLayer, arns->count);
    version->layer_count = arns->count;
    for (size_t i = 0; i < arns->count; i++)
        TRY(read_layer(call, txn, arns->items[i], version->region, &version->layers[i]));
    return OK;
}
