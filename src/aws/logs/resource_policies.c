/* resource_policies.c: PutResourcePolicy, DescribeResourcePolicies, DeleteResourcePolicy. Those of the account. */
#include "aws/logs/dialect.h"
#include "base/json.h"
#include "core/log_policy.h"

enum { DOCUMENT_CHARACTERS_MAX = 5120 }; /* CloudWatch Logs API reference, PutResourcePolicy: policyDocument */

static Error refuse_resource(Call *call, Slice resource_arn, Slice expected_revision)
{
    bool is_account = resource_arn.data == NULL && expected_revision.data == NULL;
    return is_account ? OK : logs_not_implemented(call, "resource policies of single log groups");
}

static size_t characters(Slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80; /* the first byte of one (RFC 3629, section 3) */
    return count;
}

static Error check_document(Call *call, Slice document)
{
    JsonType type;
    if (document.data == NULL)
        return logs_invalid(call, "policyDocument must be specified.");
    JsonReader reader = json_reader(document, call->arena);
    if (json_check(document) != OK || json_peek(&reader, &type) != OK || type != JSON_OBJECT)
        return logs_invalid(call, "Malformed policy document: it is no JSON object.");
    if (characters(document) > DOCUMENT_CHARACTERS_MAX)
        return call_fail(call, &logs_error_limit_exceeded_exception, "Resource limit exceeded.");
    return OK;
}

static LogsResourcePolicy describe(Call *call, const LogPolicy *policy)
{
    return (LogsResourcePolicy){
        .policy_name = arena_copy(call->arena, policy->name),
        .policy_document = arena_copy(call->arena, policy->document),
        .has_last_updated_time = true,
        .last_updated_time = (int64_t)policy->updated_ms,
    };
}

Error logs_put_resource_policy(Call *call, Txn *txn, const PutResourcePolicyInput *in, PutResourcePolicyOutput *out)
{
    LogPolicy policy = {.name = in->policy_name, .document = in->policy_document};
    TRY(refuse_resource(call, in->resource_arn, in->expected_revision_id));
    if (in->policy_name.size == 0)
        return logs_invalid(call, "policyName must be specified.");
    TRY(check_document(call, in->policy_document));
    Error error = log_policy_put(txn, call->actor.account, call->actor.region, &policy);
    if (error == LOG_POLICY_LIMIT)
        return call_fail(call, &logs_error_limit_exceeded_exception, "Resource limit exceeded.");
    TRY(error);
    out->resource_policy = ARENA_NEW(call->arena, LogsResourcePolicy);
    *out->resource_policy = describe(call, &policy);
    return OK;
}

Error logs_delete_resource_policy(Call *call, Txn *txn, const DeleteResourcePolicyInput *in,
                                  DeleteResourcePolicyOutput *out)
{
    (void)out;
    TRY(refuse_resource(call, in->resource_arn, in->expected_revision_id));
    if (in->policy_name.size == 0)
        return logs_invalid(call, "policyName must be specified.");
    Error error = log_policy_delete(txn, call->actor.account, call->actor.region, in->policy_name);
    if (error == LOG_POLICY_NOT_FOUND)
        return call_fail(call, &logs_error_resource_not_found_exception, "Policy with name [%.*s] does not exist.",
                         SLICE_PRINT(in->policy_name));
    return error;
}

/* A token is the name behind which the next page begins. */
Error logs_describe_resource_policies(Call *call, Txn *txn, const DescribeResourcePoliciesInput *in,
                                      DescribeResourcePoliciesOutput *out)
{
    LogPage page;
    size_t count;
    LogPolicy policies[LOG_POLICIES_MAX];
    if (in->resource_arn.data != NULL || slice_equal(in->policy_scope, SLICE("RESOURCE")))
        return logs_not_implemented(call, "resource policies of single log groups");
    TRY(logs_page_start(call, in->next_token, in->has_limit, in->limit, &page));
    TRY(log_policy_list(txn, call->actor.account, call->actor.region, policies, &count));
    out->resource_policies.items = ARENA_ARRAY(call->arena, LogsResourcePolicy, count + 1);
    for (size_t i = 0; i < count; i++) {
        if (page.after.size > 0 && slice_compare(policies[i].name, page.after) <= 0)
            continue;
        if (out->resource_policies.count == page.limit) {
            page.next = out->resource_policies.items[page.limit - 1].policy_name;
            break;
        }
        out->resource_policies.items[out->resource_policies.count++] = describe(call, &policies[i]);
    }
    out->next_token = logs_page_token(call, &page);
    return OK;
}
