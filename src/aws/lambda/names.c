#include "aws/lambda/dialect.h"

#include "base/digest.h"

/* FunctionName and Qualifier: what they mean, and ARNs made of it. The declared patterns have been checked. */

static bool is_account(Slice part)
{
    uint64_t number;
    return part.size == 12 && slice_parse_uint64(part, &number);
}

/* "us-east-1", "us-gov-west-1": ends with a dash and one digit. */
static bool is_region(Slice part)
{
    return part.size > 4 && part.data[part.size - 2] == '-' && part.data[part.size - 1] >= '0' &&
           part.data[part.size - 1] <= '9' && slice_find(part, '-') >= 2;
}

/* Takes the first part when another one follows. */
static bool take_part(Slice *text, Slice *part)
{
    size_t end = slice_find(*text, ':');
    if (end == text->size)
        return false;
    *part = slice_make(text->data, end);
    *text = slice_skip(*text, end + 1);
    return true;
}

void lambda_split_name(Slice text, LambdaName *name)
{
    Slice part;
    Slice rest = text;
    if (slice_starts_with(rest, SLICE("arn:")))
        for (int i = 0; i < 3; i++) /* arn, partition, service */
            take_part(&rest, &part);
    Slice before = rest;
    if (take_part(&rest, &part) && is_region(part))
        name->region = part;
    else
        rest = before;
    before = rest;
    if (take_part(&rest, &part) && is_account(part))
        name->account = part;
    else
        rest = before;
    before = rest;
    if (!take_part(&rest, &part) || !slice_equal(part, SLICE("function")))
        rest = before;
    if (take_part(&rest, &part)) {
        name->name = part;
        name->qualifier = rest;
    } else {
        name->name = rest;
    }
}

Error lambda_read_name(Call *call, Slice text, Slice qualifier, LambdaName *name)
{
    const Actor *actor = &call->actor;
    *name = (LambdaName){.account = actor->account, .region = actor->region};
    lambda_split_name(text, name);
    if (name->qualifier.data != NULL && qualifier.data != NULL && !slice_equal(name->qualifier, qualifier))
        return lambda_invalid(call,
                              "The derived qualifier from the function name does not match the specified qualifier.");
    if (qualifier.data != NULL)
        name->qualifier = qualifier;
    if (!slice_equal(name->region, actor->region))
        return lambda_not_found(call, "Functions from '%.*s' are not reachable in this region ('%.*s')",
                                SLICE_PRINT(name->region), SLICE_PRINT(actor->region));
    /* Policies of functions are not evaluated yet: none lets another account in. */
    if (!slice_equal(name->account, actor->account))
        return call_fail(call, &common_access_denied,
                         "User: %.*s is not authorized to perform: %s on resource: %.*s because no resource-based "
                         "policy allows the %s action",
                         SLICE_PRINT(actor->principal_arn), call->operation->iam_action,
                         SLICE_PRINT(lambda_arn_of(call, name)), call->operation->iam_action);
    return OK;
}

Slice lambda_function_arn(Arena *arena, Slice account, Slice region, Slice name, Slice qualifier)
{
    return arena_format(arena, "arn:aws:lambda:%.*s:%.*s:function:%.*s%s%.*s", SLICE_PRINT(region),
                        SLICE_PRINT(account), SLICE_PRINT(name), qualifier.size > 0 ? ":" : "", SLICE_PRINT(qualifier));
}

Slice lambda_arn_of(Call *call, const LambdaName *name)
{
    return lambda_function_arn(call->arena, name->account, name->region, name->name, name->qualifier);
}

Error lambda_open(Call *call, Txn *txn, Slice text, Slice qualifier, LambdaName *name, Function *function)
{
    TRY(lambda_read_name(call, text, qualifier, name));
    return lambda_refuse(call, name, function_open(txn, name->account, name->region, name->name, function));
}

Error lambda_open_version(Call *call, Txn *txn, const LambdaName *name, const Function *function,
                          FunctionVersion *version)
{
    Slice qualifier = name->qualifier.data == NULL ? SLICE("$LATEST") : name->qualifier;
    FunctionAlias alias;
    Error error = function_version_get(txn, function, qualifier, version);
    if (error == FUNCTION_VERSION_NOT_FOUND && function_alias_get(txn, function, qualifier, &alias) == OK)
        error = function_version_get(txn, function, alias.version, version);
    return lambda_refuse(call, name, error);
}

/* ---- Pages ---- */

Error lambda_page_start(Call *call, Slice marker, bool has_max_items, int32_t max_items, FunctionPage *page)
{
    *page = (FunctionPage){.limit = LAMBDA_PAGE};
    if (has_max_items && max_items < LAMBDA_PAGE)
        page->limit = (size_t)max_items;
    if (marker.size > 0 && hex_decode(call->arena, marker, &page->after) != OK)
        return lambda_invalid(call, "The Marker is none that was given by %.*s.", SLICE_PRINT(call->operation->name));
    return OK;
}

Slice lambda_page_marker(Call *call, const FunctionPage *page)
{
    return page->next.data == NULL ? page->next : hex_encode(call->arena, page->next.data, page->next.size);
}
