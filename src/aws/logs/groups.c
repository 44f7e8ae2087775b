#include "aws/logs/dialect.h"

/* CreateLogGroup, DeleteLogGroup, DescribeLogGroups, PutRetentionPolicy, DeleteRetentionPolicy. */

Error logs_create_log_group(Call *call, Txn *txn, const CreateLogGroupInput *in, CreateLogGroupOutput *out)
{
    (void)out;
    LogGroup group = {
        .account = call->actor.account,
        .region = call->actor.region,
        .name = in->log_group_name,
        .class_name = in->log_group_class.data == NULL ? SLICE("STANDARD") : in->log_group_class,
        .kms_key_id = in->kms_key_id,
    };
    if (slice_equal(group.class_name, SLICE("DELIVERY")) || slice_equal(group.class_name, SLICE("ESSENTIALS")))
        return logs_not_implemented(call, "log groups of the classes DELIVERY and ESSENTIALS");
    if (in->deletion_protection_enabled)
        return logs_not_implemented(call, "the deletion protection of log groups");
    TRY(logs_read_tags(call, &in->tags, &group.tags));
    return log_group_create(txn, &group);
}

Error logs_delete_log_group(Call *call, Txn *txn, const DeleteLogGroupInput *in, DeleteLogGroupOutput *out)
{
    (void)out;
    LogGroup group;
    TRY(logs_open_group(call, txn, in->log_group_name, &group));
    return log_group_delete(txn, &group);
}

/* ---- Describing ---- */

static Error describe(Call *call, Txn *txn, const LogGroup *group, bool by_pattern, LogsLogGroup *out)
{
    uint64_t bytes;
    Slice name = arena_copy(call->arena, group->name);
    TRY(log_group_bytes(txn, group, &bytes));
    *out = (LogsLogGroup){
        .log_group_name = name,
        .has_creation_time = true,
        .creation_time = (int64_t)group->created_ms,
        .has_retention_in_days = group->retention_days != 0,
        .retention_in_days = (int32_t)group->retention_days,
        .has_metric_filter_count = true,
        .metric_filter_count = (int32_t)group->measured,
        .arn = logs_group_arn(call, name, ":*"),
        .log_group_arn = logs_group_arn(call, name, ""),
        .has_stored_bytes = !by_pattern, /* recorded: what is found by a pattern does not tell these two */
        .stored_bytes = (int64_t)bytes,
        .log_group_class = arena_copy(call->arena, group->class_name),
        .has_deletion_protection_enabled = !by_pattern,
    };
    if (group->kms_key_id.data != NULL)
        out->kms_key_id = arena_copy(call->arena, group->kms_key_id);
    return OK;
}

static bool has_class(const DescribeLogGroupsInput *in, const LogGroup *group)
{
    return in->log_group_class.data == NULL || slice_equal(in->log_group_class, group->class_name);
}

/* Those that exist of the ones that are named. */
static Error describe_named(Call *call, Txn *txn, const DescribeLogGroupsInput *in, DescribeLogGroupsOutput *out)
{
    LogGroup group;
    Slice name;
    if (in->log_group_name_prefix.data != NULL || in->log_group_name_pattern.data != NULL)
        return logs_invalid(call, "LogGroupIdentifiers cannot be given with a prefix or a pattern of names.");
    out->log_groups.items = ARENA_ARRAY(call->arena, LogsLogGroup, in->log_group_identifiers.count + 1);
    for (size_t i = 0; i < in->log_group_identifiers.count; i++) {
        if (!logs_group_name(call, in->log_group_identifiers.items[i], &name))
            continue;
        Error error = logs_open_group(call, txn, name, &group);
        if (error != OK && error != LOG_GROUP_NOT_FOUND)
            return error;
        if (error == OK && has_class(in, &group))
            TRY(describe(call, txn, &group, false, &out->log_groups.items[out->log_groups.count++]));
    }
    return OK;
}

Error logs_describe_log_groups(Call *call, Txn *txn, const DescribeLogGroupsInput *in, DescribeLogGroupsOutput *out)
{
    LogPage page;
    LogGroup *groups;
    size_t count;
    if (in->include_linked_accounts || in->account_identifiers.count > 0)
        return logs_not_implemented(call, "log groups of linked accounts");
    if (in->log_group_identifiers.items != NULL)
        return describe_named(call, txn, in, out);
    if (in->log_group_name_prefix.data != NULL && in->log_group_name_pattern.data != NULL)
        return logs_invalid(call, "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
    TRY(logs_page_start(call, in->next_token, in->has_limit, in->limit, &page));
    TRY(log_group_list(txn, call->actor.account, call->actor.region, in->log_group_name_prefix,
                       in->log_group_name_pattern, &page, &groups, &count));
    out->log_groups.items = ARENA_ARRAY(call->arena, LogsLogGroup, count + 1);
    for (size_t i = 0; i < count; i++)
        if (has_class(in, &groups[i]))
            TRY(describe(call, txn, &groups[i], in->log_group_name_pattern.data != NULL,
                         &out->log_groups.items[out->log_groups.count++]));
    out->next_token = logs_page_token(call, &page);
    return OK;
}

/* ---- Listing ---- */

/* Up to five parts of names between '|', each of which stands at the beginning when it begins with '^' (CloudWatch Logs API
 * reference, ListLogGroups: logGroupNamePattern). */
static bool name_fits(Slice pattern, Slice name)
{
    while (pattern.size > 0) {
        size_t size = slice_find(pattern, '|');
        Slice part = slice_make(pattern.data, size);
        pattern = slice_skip(pattern, size < pattern.size ? size + 1 : size);
        bool fits = part.data[0] == '^' ? slice_starts_with(name, slice_skip(part, 1))
                                        : memmem(name.data, name.size, part.data, part.size) != NULL;
        if (fits)
            return true;
    }
    return false;
}

static bool is_listed(const ListLogGroupsInput *in, const LogGroup *group)
{
    bool has_class = in->log_group_class.data == NULL || slice_equal(in->log_group_class, group->class_name);
    return has_class && (in->log_group_name_pattern.data == NULL || name_fits(in->log_group_name_pattern, group->name));
}

Error logs_list_log_groups(Call *call, Txn *txn, const ListLogGroupsInput *in, ListLogGroupsOutput *out)
{
    LogPage page;
    LogGroup *groups;
    size_t count;
    if (in->include_linked_accounts || in->account_identifiers.count > 0)
        return logs_not_implemented(call, "log groups of linked accounts");
    if (in->data_sources.count > 0 || in->field_index_names.count > 0 || in->log_group_tags.count > 0)
        return logs_not_implemented(call, "the search of log groups by data sources, indexes and tags");
    TRY(logs_page_start(call, in->next_token, in->has_limit, in->limit, &page));
    out->log_groups.items = ARENA_ARRAY(call->arena, LogsLogGroupSummary, page.limit);
    TRY(log_group_list(txn, call->actor.account, call->actor.region, (Slice){0}, (Slice){0}, &page, &groups, &count));
    for (size_t i = 0; i < count; i++) {
        if (!is_listed(in, &groups[i]))
            continue;
        Slice name = arena_copy(call->arena, groups[i].name);
        out->log_groups.items[out->log_groups.count++] =
            (LogsLogGroupSummary){.log_group_name = name,
                                  .log_group_arn = logs_group_arn(call, name, ""),
                                  .log_group_class = arena_copy(call->arena, groups[i].class_name)};
    }
    out->next_token = logs_page_token(call, &page);
    return OK;
}

/* ---- Retention ---- */

/* CloudWatch Logs API reference, PutRetentionPolicy: retentionInDays. */
static const int32_t allowed_days[] = {1,   3,   5,   7,   14,   30,   60,   90,   120,  150,  180,
                                       365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653};

static Error check_days(Call *call, int32_t days)
{
    Buffer list = buffer_make(call->arena);
    for (size_t i = 0; i < sizeof allowed_days / sizeof allowed_days[0]; i++) {
        if (allowed_days[i] == days)
            return OK;
        buffer_add_format(&list, i == 0 ? "%d" : ", %d", allowed_days[i]);
    }
    return logs_invalid(call,
                        "1 validation error detected: Value '%d' at 'retentionInDays' failed to satisfy constraint: "
                        "Member must satisfy enum value set: [%.*s]",
                        days, SLICE_PRINT(buffer_slice(&list)));
}

Error logs_put_retention_policy(Call *call, Txn *txn, const PutRetentionPolicyInput *in, PutRetentionPolicyOutput *out)
{
    (void)out;
    LogGroup group;
    TRY(check_days(call, in->retention_in_days));
    TRY(logs_open_group(call, txn, in->log_group_name, &group));
    log_group_put_retention(txn, &group, (uint64_t)in->retention_in_days);
    return OK;
}

Error logs_delete_retention_policy(Call *call, Txn *txn, const DeleteRetentionPolicyInput *in,
                                   DeleteRetentionPolicyOutput *out)
{
    (void)out;
    LogGroup group;
    TRY(logs_open_group(call, txn, in->log_group_name, &group));
    log_group_put_retention(txn, &group, 0);
    return OK;
}
