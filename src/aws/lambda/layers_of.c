/* layers_of.c: the layers of a function. */
#include "aws/lambda/dialect.h"

/* There are none yet, so that an ARN of one is of one that is not there. */
Error lambda_read_layers(Call *call, Txn *txn, const LambdaLayerList *arns, FunctionVersion *version)
{
    (void)txn;
    version->layers = NULL;
    version->layer_count = 0;
    if (arns->count == 0)
        return OK;
    return lambda_invalid(call, "Layer version %.*s does not exist.", SLICE_PRINT(arns->items[0]));
}
