#include "aws/lambda/dialect.h"

/* PublishVersion, ListVersionsByFunction. */

static Error check_settled(Call *call, const LambdaName *name, const FunctionVersion *latest)
{
    if (slice_equal(latest->state, SLICE("Pending")))
        return lambda_refuse(call, name, FUNCTION_PENDING);
    return slice_equal(latest->update_status, SLICE("InProgress")) ? lambda_refuse(call, name, FUNCTION_UPDATING) : OK;
}

Error lambda_publish_version(Call *call, Txn *txn, const PublishVersionInput *in, PublishVersionOutput *out)
{
    LambdaName name;
    Function function;
    FunctionVersion version;
    uint64_t code_limit = call->limits->value[LIMIT_LAMBDA_CODE_STORAGE_BYTES];
    if (in->publish_to.data != NULL)
        return lambda_not_implemented(call, "PublishTo");
    TRY(lambda_open(call, txn, in->function_name, (Slice){0}, &name, &function));
    TRY(function_version_get(txn, &function, SLICE("$LATEST"), &version));
    TRY(check_settled(call, &name, &version));
    TRY(lambda_check_revision(call, in->revision_id, version.revision_id, "GetFunction/GetAlias"));
    if (in->code_sha256.size > 0 && !slice_equal(in->code_sha256, version.code_sha256))
        return lambda_invalid(call,
                              "CodeSHA256 (%.*s) is different from current CodeSHA256 in $LATEST (%.*s). Please try "
                              "again with the CodeSHA256 in $LATEST.",
                              SLICE_PRINT(in->code_sha256), SLICE_PRINT(version.code_sha256));
    TRY(lambda_refuse(call, &name, function_publish(txn, &function, in->description, code_limit, &version)));
    lambda_configuration_of(call, &version, true, LAMBDA_FULL, out);
    return OK;
}

Error lambda_list_versions_by_function(Call *call, Txn *txn, const ListVersionsByFunctionInput *in,
                                       ListVersionsByFunctionOutput *out)
{
    LambdaName name;
    Function function;
    FunctionPage page;
    FunctionVersion *versions;
    size_t count;
    TRY(lambda_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(lambda_open(call, txn, in->function_name, (Slice){0}, &name, &function));
    TRY(function_version_list(txn, &function, &page, &versions, &count));
    out->versions = (LambdaFunctionList){ARENA_ARRAY(call->arena, LambdaFunctionConfiguration, count + 1), count};
    for (size_t i = 0; i < count; i++)
        lambda_configuration_of(call, &versions[i], true, LAMBDA_LISTED, &out->versions.items[i]);
    out->next_marker = lambda_page_marker(call, &page);
    return OK;
}
