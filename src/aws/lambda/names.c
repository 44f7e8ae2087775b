#include "aws/lambda/dialect.h"

#include "base/digest.h"
#include "core/function_policy.h"
#include "core/session.h"

/* FunctionName and Qualifier: what they mean, and ARNs made of it. The declared patterns have been checked. */

static bool is_account(Slice part)
{
    uint64_t number;
    return part.size == 12 && slice_parse_uint64(part, &number);
}

static bool drop_prefix(Slice *text, Slice prefix)
{
    if (!slice_starts_with(*text, prefix))
        return false;
    *text = slice_skip(*text, prefix.size);
    return true;
}

static size_t drop_letters(Slice *text)
{
    size_t count = 0;
    while (count < text->size && text->data[count] >= 'a' && text->data[count] <= 'z')
        count++;
    *text = slice_skip(*text, count);
    return count;
}

/* "us-east-1", "us-gov-west-1", "us-isob-east-1": as the pattern of FunctionName has it. */
static bool is_region(Slice part)
{
    Slice rest = part;
    drop_prefix(&rest, SLICE("eusc-"));
    if (drop_letters(&rest) != 2 || !drop_prefix(&rest, SLICE("-")))
        return false;
    Slice direction = rest;
    if (drop_letters(&rest) == 0 || !drop_prefix(&rest, SLICE("-")))
        return false;
    bool special = slice_starts_with(direction, SLICE("gov-")) ||
                   (slice_starts_with(direction, SLICE("iso")) && direction.size - rest.size <= SLICE("isob-").size);
    if (special && rest.size > 1 && (drop_letters(&rest) == 0 || !drop_prefix(&rest, SLICE("-"))))
        return false;
    return rest.size == 1 && rest.data[0] >= '0' && rest.data[0] <= '9';
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

static bool begins_with_account(Slice text)
{
    Slice part;
    return take_part(&text, &part) && is_account(part);
}

void lambda_split_name(Slice text, LambdaName *name)
{
    Slice part;
    Slice rest = text;
    if (slice_starts_with(rest, SLICE("arn:")))
        for (int i = 0; i < 3; i++) /* arn, partition, service */
            take_part(&rest, &part);
    /* "hello-1:live" is a function and its alias, though it could be a region and a function: no form begins with a region
     * but with an account behind it. */
    Slice before = rest;
    Slice region;
    if (take_part(&rest, &region) && is_region(region) && begins_with_account(rest))
        name->region = region;
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

static Error read_name(Call *call, Slice text, Slice qualifier, LambdaName *name)
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
    return OK;
}

Error lambda_read_name(Call *call, Slice text, Slice qualifier, LambdaName *name)
{
    TRY(read_name(call, text, qualifier, name));
    if (slice_equal(name->account, call->actor.account))
        return OK;
    return lambda_denied(call, call->operation->iam_action, lambda_arn_of(call, name));
}

Slice lambda_arn_of(Call *call, const LambdaName *name)
{
    return function_arn(call->arena, name->account, name->region, name->name, name->qualifier);
}

/* Whether the policy of what is named lets the caller, who is of another account, do what it is about. */
static Error is_shared(Call *call, Txn *txn, const LambdaName *name, const Function *function, bool *shared)
{
    Permissions permissions;
    AccessRequest request = {
        .action = slice_of_string(call->operation->iam_action),
        .account = call->actor.account,
        .principal_arn = call->actor.principal_arn,
    };
    if (call->actor.session != NULL)
        request.role_arn = call->actor.session->role_arn;
    Slice qualifier = name->qualifier.data == NULL ? SLICE("") : name->qualifier;
    TRY(function_policy_get(txn, function, qualifier, &permissions));
    *shared = permissions_allow(&permissions, &request);
    return OK;
}

Error lambda_find(Call *call, Txn *txn, Slice text, Slice qualifier, LambdaName *name, Function *function)
{
    bool shared = false;
    TRY(read_name(call, text, qualifier, name));
    Error error = function_open(txn, name->account, name->region, name->name, function);
    if (slice_equal(name->account, call->actor.account))
        return error;
    if (error == OK)
        TRY(is_shared(call, txn, name, function, &shared));
    else if (error != FUNCTION_NOT_FOUND) /* nobody learns what others have */
        return error;
    return shared ? OK : lambda_denied(call, call->operation->iam_action, lambda_arn_of(call, name));
}

Error lambda_open(Call *call, Txn *txn, Slice text, Slice qualifier, LambdaName *name, Function *function)
{
    return lambda_refuse(call, name, lambda_find(call, txn, text, qualifier, name, function));
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

Error lambda_refuse_marker(Call *call)
{
    return lambda_invalid(call, "The Marker is none that was given by %.*s.", SLICE_PRINT(call->operation->name));
}

Error lambda_page_start(Call *call, Slice marker, bool has_max_items, int32_t max_items, FunctionPage *page)
{
    *page = (FunctionPage){.limit = LAMBDA_PAGE};
    if (has_max_items && max_items < LAMBDA_PAGE)
        page->limit = (size_t)max_items;
    if (marker.size > 0 && hex_decode(call->arena, marker, &page->after) != OK)
        return lambda_refuse_marker(call);
    return OK;
}

Slice lambda_page_marker(Call *call, const FunctionPage *page)
{
    return page->next.data == NULL ? page->next : hex_encode(call->arena, page->next.data, page->next.size);
}
