#include "aws/lambda/policy.h"

#include "base/json.h"

/* ---- Writing ---- */

static void write_member(JsonWriter *writer, const char *name, Slice value)
{
    if (value.data == NULL)
        return;
    json_write_name(writer, slice_of_string(name));
    json_write_string(writer, value);
}

static void write_principal(JsonWriter *writer, Arena *arena, const Permission *permission)
{
    json_write_name(writer, SLICE("Principal"));
    if (permission->kind == PERMISSION_ANYONE) {
        json_write_string(writer, SLICE("*"));
        return;
    }
    Slice name = permission->principal;
    if (permission->kind == PERMISSION_ACCOUNT)
        name = arena_format(arena, "arn:aws:iam::%.*s:root", SLICE_PRINT(name));
    json_write_object_begin(writer);
    write_member(writer, permission->kind == PERMISSION_SERVICE ? "Service" : "AWS", name);
    json_write_object_end(writer);
}

static void write_conditions(JsonWriter *writer, const Permission *permission)
{
    bool equals = permission->source_account.data != NULL || permission->source_token.data != NULL ||
                  permission->url_auth.data != NULL || permission->organization.data != NULL;
    if (!equals && permission->source_arn.data == NULL && !permission->has_via_url)
        return;
    json_write_name(writer, SLICE("Condition"));
    json_write_object_begin(writer);
    if (equals) {
        json_write_name(writer, SLICE("StringEquals"));
        json_write_object_begin(writer);
        write_member(writer, "AWS:SourceAccount", permission->source_account);
        write_member(writer, "lambda:EventSourceToken", permission->source_token);
        write_member(writer, "lambda:FunctionUrlAuthType", permission->url_auth);
        write_member(writer, "aws:PrincipalOrgID", permission->organization);
        json_write_object_end(writer);
    }
    if (permission->source_arn.data != NULL) {
        json_write_name(writer, SLICE("ArnLike"));
        json_write_object_begin(writer);
        write_member(writer, "AWS:SourceArn", permission->source_arn);
        json_write_object_end(writer);
    }
    if (permission->has_via_url) {
        json_write_name(writer, SLICE("Bool"));
        json_write_object_begin(writer);
        write_member(writer, "lambda:InvokedViaFunctionUrl", permission->via_url ? SLICE("true") : SLICE("false"));
        json_write_object_end(writer);
    }
    json_write_object_end(writer);
}

static void write_statement(JsonWriter *writer, Arena *arena, const Permission *permission, Slice resource)
{
    json_write_object_begin(writer);
    write_member(writer, "Sid", permission->id);
    write_member(writer, "Effect", SLICE("Allow"));
    write_principal(writer, arena, permission);
    write_member(writer, "Action", permission->action);
    write_member(writer, "Resource", resource);
    write_conditions(writer, permission);
    json_write_object_end(writer);
}

Slice lambda_statement(Arena *arena, const Permission *permission, Slice resource)
{
    Buffer out = buffer_make(arena);
    JsonWriter writer = json_writer(&out);
    write_statement(&writer, arena, permission, resource);
    return buffer_slice(&out);
}

Slice lambda_policy_document(Arena *arena, const Permissions *permissions, Slice resource)
{
    Buffer out = buffer_make(arena);
    JsonWriter writer = json_writer(&out);
    json_write_object_begin(&writer);
    write_member(&writer, "Version", SLICE("2012-10-17"));
    write_member(&writer, "Id", SLICE("default"));
    json_write_name(&writer, SLICE("Statement"));
    json_write_array_begin(&writer);
    for (size_t i = 0; i < permissions->count; i++)
        write_statement(&writer, arena, &permissions->items[i], resource);
    json_write_array_end(&writer);
    json_write_object_end(&writer);
    return buffer_slice(&out);
}

/* ---- Reading ---- */

static bool is_account(Slice text)
{
    uint64_t number;
    return text.size == 12 && slice_parse_uint64(text, &number);
}

/* "arn:aws:iam::123456789012:role/name", "arn:aws:sts::123456789012:assumed-role/…": what follows the account, and that. */
static bool split_principal(Slice arn, Slice *account, Slice *rest)
{
    Slice parts[5];
    for (size_t i = 0; i < 5; i++) {
        size_t end = slice_find(arn, ':');
        if (end == arn.size)
            return false;
        parts[i] = slice_make(arn.data, end);
        arn = slice_skip(arn, end + 1);
    }
    *account = parts[4];
    *rest = arn;
    return slice_equal(parts[0], SLICE("arn")) && parts[3].size == 0 && is_account(parts[4]) && arn.size > 0 &&
           (slice_equal(parts[2], SLICE("iam")) || slice_equal(parts[2], SLICE("sts")));
}

Error lambda_read_principal(Call *call, Slice text, Permission *permission)
{
    Slice account;
    Slice rest;
    permission->principal = text;
    if (slice_equal(text, SLICE("*"))) {
        permission->kind = PERMISSION_ANYONE;
        permission->principal = (Slice){0};
    } else if (is_account(text)) {
        permission->kind = PERMISSION_ACCOUNT;
    } else if (split_principal(text, &account, &rest)) {
        bool root = slice_equal(rest, SLICE("root"));
        permission->kind = root ? PERMISSION_ACCOUNT : PERMISSION_ARN;
        permission->principal = root ? account : text;
    } else if (slice_ends_with(text, SLICE(".amazonaws.com")) || slice_ends_with(text, SLICE(".amazon.com")) ||
               slice_ends_with(text, SLICE(".amazonaws.com.cn"))) {
        permission->kind = PERMISSION_SERVICE;
    } else {
        return lambda_invalid(call, "The provided principal was invalid. Please check the principal and try again.");
    }
    return OK;
}

/* ---- Changes ---- */

Error lambda_add_statement(Call *call, Permissions *permissions, const Permission *permission, Slice resource)
{
    uint64_t most = call->limits->value[LIMIT_LAMBDA_POLICY_BYTES];
    if (permissions_add(permissions, permission, call->arena) != OK)
        return lambda_conflict(call,
                               "The statement id (%.*s) provided already exists. Please provide a new statement id, or "
                               "remove the existing statement.",
                               SLICE_PRINT(permission->id));
    size_t size = lambda_policy_document(call->arena, permissions, resource).size;
    if (size > most)
        return call_fail(call, &lambda_error_policy_length_exceeded_exception,
                         "The final policy size (%zu) is bigger than the limit (%ju).", size, (uintmax_t)most);
    return OK;
}

Error lambda_remove_statement(Call *call, Permissions *permissions, Slice id)
{
    if (permissions->count == 0)
        return lambda_not_found(call, "No policy is associated with the given resource.");
    if (permissions_remove(permissions, id) != OK)
        return lambda_not_found(call, "Statement %.*s is not found in resource policy.", SLICE_PRINT(id));
    return OK;
}
