#include "aws/lambda/mapping.h"

/* TagResource, UntagResource, ListTags. */

enum { TAGS_MAX = 50 }; /* Lambda developer guide, "Using tags on Lambda functions" */

/* A function, or an event source mapping: what has tags. */
typedef struct Tagged {
    bool is_mapping;
    Function function;
    Mapping mapping;
} Tagged;

static Labels *tags_of(Tagged *tagged)
{
    return tagged->is_mapping ? &tagged->mapping.tags : &tagged->function.tags;
}

static Error keep_tags(Call *call, Txn *txn, Tagged *tagged)
{
    if (!tagged->is_mapping)
        return function_put_tags(txn, &tagged->function);
    TRY(lambda_read_breaker(call, &tagged->mapping));
    Error error = mapping_put_tags(txn, &tagged->mapping);
    return error == MAPPING_BUSY ? lambda_conflict(call, "The event source mapping is being deleted.") : error;
}

static Error open_mapping(Call *call, Txn *txn, Slice account, Slice region, Slice uuid, Mapping *mapping)
{
    Error error = MAPPING_NOT_FOUND;
    if (slice_equal(account, call->actor.account) && slice_equal(region, call->actor.region))
        error = mapping_get(txn, account, region, uuid, mapping);
    return error == MAPPING_NOT_FOUND ? lambda_not_found(call, "The resource you requested does not exist.") : error;
}

static Error open_function(Call *call, Txn *txn, Slice arn, Function *function)
{
    LambdaName name;
    Error error = lambda_find(call, txn, arn, (Slice){0}, &name, function);
    if (name.qualifier.data != NULL)
        return lambda_invalid(
            call, "Tags on function aliases and versions are not supported. Please specify a function ARN.");
    return lambda_refuse(call, &name, error);
}

/* What an ARN whose pattern has been checked names. */
static Error open_resource(Call *call, Txn *txn, Slice arn, Tagged *tagged)
{
    static const struct {
        Slice kind;
        const char *feature;
    } others[] = {
        {SLICE_INIT("code-signing-config:"), "code signing configurations and their tags"},
        {SLICE_INIT("capacity-provider:"), "capacity providers and their tags"},
    };
    Slice parts[5]; /* arn, partition, service, region, account */
    Slice mappings = SLICE("event-source-mapping:");
    Slice rest = arn;
    for (size_t i = 0; i < 5; i++) {
        parts[i] = slice_make(rest.data, slice_find(rest, ':'));
        rest = slice_skip(rest, parts[i].size + 1);
    }
    *tagged = (Tagged){.is_mapping = slice_starts_with(rest, mappings)};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (slice_starts_with(rest, others[i].kind))
            return lambda_not_implemented(call, others[i].feature);
    if (slice_starts_with(rest, SLICE("layer:")))
        return lambda_invalid(call, "Tags on layers are not supported. Please specify a function ARN.");
    if (tagged->is_mapping)
        return open_mapping(call, txn, parts[4], parts[3], slice_skip(rest, mappings.size), &tagged->mapping);
    return open_function(call, txn, arn, &tagged->function);
}

Error lambda_tag_resource(Call *call, Txn *txn, const TagResourceInput *in, TagResourceOutput *out)
{
    (void)out;
    Tagged tagged;
    Labels labels;
    TRY(open_resource(call, txn, in->resource, &tagged));
    if (in->tags.count == 0)
        return lambda_invalid(call, "An error occurred and the request cannot be processed.");
    TRY(lambda_read_tags(call, &in->tags, &labels));
    labels_set(txn_arena(txn), tags_of(&tagged), labels.items, labels.count);
    if (tags_of(&tagged)->count > TAGS_MAX)
        return lambda_invalid(call, "Number of tags exceeds resource tag limit.");
    return keep_tags(call, txn, &tagged);
}

Error lambda_untag_resource(Call *call, Txn *txn, const UntagResourceInput *in, UntagResourceOutput *out)
{
    (void)out;
    Tagged tagged;
    TRY(open_resource(call, txn, in->resource, &tagged));
    labels_remove(tags_of(&tagged), in->tag_keys.items, in->tag_keys.count);
    return keep_tags(call, txn, &tagged);
}

Error lambda_list_tags(Call *call, Txn *txn, const ListTagsInput *in, ListTagsOutput *out)
{
    Tagged tagged;
    TRY(open_resource(call, txn, in->resource, &tagged));
    out->tags = lambda_tags_of(call, tags_of(&tagged));
    if (out->tags.items == NULL)
        out->tags.items = ARENA_NEW(call->arena, LambdaTagsEntry); /* AWS says that there is none */
    return OK;
}
