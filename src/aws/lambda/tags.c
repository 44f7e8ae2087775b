#include "aws/lambda/dialect.h"

/* TagResource, UntagResource, ListTags. */

enum { TAGS_MAX = 50 }; /* Lambda developer guide, "Using tags on Lambda functions" */

/* The function of an ARN whose pattern has been checked: the only kind of Lambda's resources with tags that there is. */
static Error open_resource(Call *call, Txn *txn, Slice arn, Function *function)
{
    static const struct {
        Slice kind;
        const char *feature;
    } others[] = {
        {SLICE_INIT(":event-source-mapping:"), "event source mappings and their tags"},
        {SLICE_INIT(":code-signing-config:"), "code signing configurations and their tags"},
        {SLICE_INIT(":capacity-provider:"), "capacity providers and their tags"},
    };
    LambdaName name;
    Slice kind = arn;
    for (int i = 0; i < 5; i++) /* arn, partition, service, region, account */
        kind = slice_skip(kind, slice_find(kind, ':') + 1);
    kind = slice_make(kind.data - 1, kind.size + 1);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (slice_starts_with(kind, others[i].kind))
            return lambda_not_implemented(call, others[i].feature);
    if (slice_starts_with(kind, SLICE(":layer:")))
        return lambda_invalid(call, "Tags on layers are not supported. Please specify a function ARN.");
    Error error = lambda_find(call, txn, arn, (Slice){0}, &name, function);
    if (name.qualifier.data != NULL)
        return lambda_invalid(
            call, "Tags on function aliases and versions are not supported. Please specify a function ARN.");
    return lambda_refuse(call, &name, error);
}

Error lambda_tag_resource(Call *call, Txn *txn, const TagResourceInput *in, TagResourceOutput *out)
{
    (void)out;
    Function function;
    Labels labels;
    TRY(open_resource(call, txn, in->resource, &function));
    if (in->tags.count == 0)
        return lambda_invalid(call, "An error occurred and the request cannot be processed.");
    TRY(lambda_read_tags(call, &in->tags, &labels));
    labels_set(txn_arena(txn), &function.tags, labels.items, labels.count);
    if (function.tags.count > TAGS_MAX)
        return lambda_invalid(call, "Number of tags exceeds resource tag limit.");
    return function_put_tags(txn, &function);
}

Error lambda_untag_resource(Call *call, Txn *txn, const UntagResourceInput *in, UntagResourceOutput *out)
{
    (void)out;
    Function function;
    TRY(open_resource(call, txn, in->resource, &function));
    labels_remove(&function.tags, in->tag_keys.items, in->tag_keys.count);
    return function_put_tags(txn, &function);
}

Error lambda_list_tags(Call *call, Txn *txn, const ListTagsInput *in, ListTagsOutput *out)
{
    Function function;
    TRY(open_resource(call, txn, in->resource, &function));
    out->tags = lambda_tags_of(call, &function.tags);
    if (out->tags.items == NULL)
        out->tags.items = ARENA_NEW(call->arena, LambdaTagsEntry); /* AWS says that there is none */
    return OK;
}
