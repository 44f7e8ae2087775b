#include "aws/sqs/dialect.h"

#include "base/json.h"

/* AddPermission, RemovePermission: statements of the queue's policy document, as SQS writes them. */

enum { LABEL_MAX = 80 }; /* SQS API reference, AddPermission: Label */
/* SQS quotas: policies. */
enum { ACTIONS_MAX = 7, STATEMENTS_MAX = 20, PRINCIPALS_MAX = 50 };

/* ---- What is asked for ---- */

/* Whether another account may ever get the action (SQS developer guide, "Overview of managing access": those that do not
 * apply to cross-account permissions). */
typedef struct ActionRow {
    Slice name;
    bool owner_only;
} ActionRow;

static const ActionRow actions[] = {
    {SLICE_INIT("*"), false},
    {SLICE_INIT("ChangeMessageVisibility"), false},
    {SLICE_INIT("DeleteMessage"), false},
    {SLICE_INIT("GetQueueAttributes"), false},
    {SLICE_INIT("GetQueueUrl"), false},
    {SLICE_INIT("ListDeadLetterSourceQueues"), false},
    {SLICE_INIT("PurgeQueue"), false},
    {SLICE_INIT("ReceiveMessage"), false},
    {SLICE_INIT("SendMessage"), false},
    {SLICE_INIT("AddPermission"), true},
    {SLICE_INIT("CancelMessageMoveTask"), true},
    {SLICE_INIT("CreateQueue"), true},
    {SLICE_INIT("DeleteQueue"), true},
    {SLICE_INIT("ListMessageMoveTasks"), true},
    {SLICE_INIT("ListQueueTags"), true},
    {SLICE_INIT("ListQueues"), true},
    {SLICE_INIT("RemovePermission"), true},
    {SLICE_INIT("SetQueueAttributes"), true},
    {SLICE_INIT("StartMessageMoveTask"), true},
    {SLICE_INIT("TagQueue"), true},
    {SLICE_INIT("UntagQueue"), true},
};

static Error bad_value(Call *call, Slice value, const char *parameter, const char *reason)
{
    return call_fail(call, &common_invalid_parameter_value, "Value %.*s for parameter %s is invalid. Reason: %s",
                     SLICE_PRINT(value), parameter, reason);
}

static Error too_many(Call *call, size_t found, const char *what, int max)
{
    return call_fail(call, &sqs_error_over_limit, "%zu %s were found, maximum allowed is %d.", found, what, max);
}

static Error check_action(Call *call, Slice name)
{
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (!slice_equal(name, actions[i].name))
            continue;
        return actions[i].owner_only ? bad_value(call, arena_format(call->arena, "SQS:%.*s", SLICE_PRINT(name)),
                                                 "ActionName", "Only the queue owner is allowed to invoke this action.")
                                     : OK;
    }
    return bad_value(call, arena_format(call->arena, "SQS:%.*s", SLICE_PRINT(name)), "ActionName",
                     "Please refer to the appropriate WSDL for a list of valid actions.");
}

static bool is_account(Slice text)
{
    uint64_t number;
    return text.size == 12 && slice_parse_uint64(text, &number);
}

static Error check_add(Call *call, const AddPermissionInput *in)
{
    if (!sqs_is_identifier(in->label, LABEL_MAX))
        return bad_value(call, in->label, "Label",
                         "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.");
    if (in->aws_account_ids.count == 0)
        return call_fail(call, &common_missing_parameter, "The request must contain the parameter AWSAccountIds.");
    if (in->actions.count == 0)
        return call_fail(call, &common_missing_parameter, "The request must contain the parameter Actions.");
    if (in->actions.count > ACTIONS_MAX)
        return too_many(call, in->actions.count, "Actions", ACTIONS_MAX);
    if (in->aws_account_ids.count > PRINCIPALS_MAX)
        return too_many(call, in->aws_account_ids.count, "Principals", PRINCIPALS_MAX);
    for (size_t i = 0; i < in->actions.count; i++)
        TRY(check_action(call, in->actions.items[i]));
    for (size_t i = 0; i < in->aws_account_ids.count; i++)
        if (!is_account(in->aws_account_ids.items[i]))
            return bad_value(call, in->aws_account_ids.items[i], "PrincipalId", "Unable to verify principal.");
    return OK;
}

/* ---- The document ---- */

typedef struct Statement {
    Slice sid; /* absent: none */
    Slice text;
} Statement;

/* A policy in parts: its members as they stand, but the statements one by one. */
typedef struct Policy {
    Buffer head; /* "{…," up to the statements */
    JsonWriter writer;
    Statement *statements;
    size_t count;
    size_t capacity;
} Policy;

static Error read_sid(Arena *arena, Statement *statement)
{
    JsonReader reader = json_reader(statement->text, arena);
    TRY(json_begin_object(&reader));
    for (;;) {
        Slice name;
        Slice skipped;
        JsonType type;
        TRY(json_next_member(&reader, &name));
        if (name.data == NULL)
            return OK;
        TRY(json_peek(&reader, &type));
        if (slice_equal(name, SLICE("Sid")) && type == JSON_STRING)
            TRY(json_read_string(&reader, &statement->sid));
        else
            TRY(json_read_any(&reader, &skipped));
    }
}

static Error add_statement(Arena *arena, Policy *policy, Slice text)
{
    if (policy->count == policy->capacity) {
        policy->capacity = policy->capacity == 0 ? STATEMENTS_MAX : policy->capacity * 2;
        Statement *more = ARENA_ARRAY(arena, Statement, policy->capacity);
        for (size_t i = 0; i < policy->count; i++)
            more[i] = policy->statements[i];
        policy->statements = more;
    }
    Statement *statement = &policy->statements[policy->count++];
    *statement = (Statement){.text = text};
    return read_sid(arena, statement);
}

/* One statement, or an array of them (IAM user guide, "IAM JSON policy elements: Statement"). */
static Error read_statements(Arena *arena, JsonReader *reader, Policy *policy)
{
    JsonType type;
    Slice text;
    bool more;
    TRY(json_peek(reader, &type));
    if (type != JSON_ARRAY) {
        TRY(json_read_any(reader, &text));
        return add_statement(arena, policy, text);
    }
    TRY(json_begin_array(reader));
    for (;;) {
        TRY(json_next_element(reader, &more));
        if (!more)
            return OK;
        TRY(json_read_any(reader, &text));
        TRY(add_statement(arena, policy, text));
    }
}

static Error read_policy(Arena *arena, Slice text, Policy *policy)
{
    JsonReader reader = json_reader(text, arena);
    TRY(json_begin_object(&reader));
    for (;;) {
        Slice name;
        Slice value;
        TRY(json_next_member(&reader, &name));
        if (name.data == NULL)
            return json_read_end(&reader);
        if (slice_equal(name, SLICE("Statement"))) {
            TRY(read_statements(arena, &reader, policy));
            continue;
        }
        TRY(json_read_any(&reader, &value));
        json_write_name(&policy->writer, name);
        json_write_raw(&policy->writer, value);
    }
}

/* The queue's policy, or the beginning of one. */
static Error open_policy(Call *call, const Queue *queue, Policy *policy)
{
    *policy = (Policy){.head = buffer_make(call->arena)};
    policy->writer = json_writer(&policy->head);
    json_write_object_begin(&policy->writer);
    Slice text = sqs_document(&queue->settings, SLICE("Policy"));
    if (text.data == NULL) {
        json_write_name(&policy->writer, SLICE("Version"));
        json_write_string(&policy->writer, SLICE("2008-10-17"));
        json_write_name(&policy->writer, SLICE("Id"));
        json_write_string(&policy->writer, arena_format(call->arena, "%.*s/SQSDefaultPolicy",
                                                        SLICE_PRINT(sqs_queue_arn(call, queue->name))));
        return OK;
    }
    /* Policies are checked to be JSON, not to be policies. */
    if (read_policy(call->arena, text, policy) != OK)
        return call_fail(call, &common_invalid_parameter_value,
                         "The queue's Policy has no statements to which one could be added, or from which one could be "
                         "removed: set another with SetQueueAttributes.");
    return OK;
}

static const Statement *find_statement(const Policy *policy, Slice sid)
{
    for (size_t i = 0; i < policy->count; i++)
        if (slice_equal(policy->statements[i].sid, sid))
            return &policy->statements[i];
    return NULL;
}

/* Gives the queue the policy, or none when no statement is left. */
static Error keep_policy(Call *call, Txn *txn, Queue *queue, Policy *policy)
{
    QueueSettings settings = queue->settings;
    Slice text = SLICE("");
    if (policy->count > 0) {
        json_write_name(&policy->writer, SLICE("Statement"));
        json_write_array_begin(&policy->writer);
        for (size_t i = 0; i < policy->count; i++)
            json_write_raw(&policy->writer, policy->statements[i].text);
        json_write_array_end(&policy->writer);
        json_write_object_end(&policy->writer);
        text = buffer_slice(&policy->head);
    }
    sqs_set_document(call, &settings, SLICE("Policy"), text);
    return queue_change(txn, queue, &settings);
}

/* One string as itself, several as an array. */
static void write_strings(Call *call, JsonWriter *writer, const Slice *values, size_t count, const char *before,
                          const char *after)
{
    if (count > 1)
        json_write_array_begin(writer);
    for (size_t i = 0; i < count; i++)
        json_write_string(writer, arena_format(call->arena, "%s%.*s%s", before, SLICE_PRINT(values[i]), after));
    if (count > 1)
        json_write_array_end(writer);
}

static Slice new_statement(Call *call, const Queue *queue, const AddPermissionInput *in)
{
    Buffer text = buffer_make(call->arena);
    JsonWriter writer = json_writer(&text);
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("Sid"));
    json_write_string(&writer, in->label);
    json_write_name(&writer, SLICE("Effect"));
    json_write_string(&writer, SLICE("Allow"));
    json_write_name(&writer, SLICE("Principal"));
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("AWS"));
    const char *iam = arena_string(call->arena, arena_format(call->arena, "arn:%s:iam::", sqs_partition(call)));
    write_strings(call, &writer, in->aws_account_ids.items, in->aws_account_ids.count, iam, ":root");
    json_write_object_end(&writer);
    json_write_name(&writer, SLICE("Action"));
    write_strings(call, &writer, in->actions.items, in->actions.count, "SQS:", "");
    json_write_name(&writer, SLICE("Resource"));
    json_write_string(&writer, sqs_queue_arn(call, queue->name));
    json_write_object_end(&writer);
    return buffer_slice(&text);
}

/* ---- Operations ---- */

Error sqs_add_permission(Call *call, Txn *txn, const AddPermissionInput *in, AddPermissionOutput *out)
{
    (void)out;
    Queue queue;
    Policy policy;
    TRY(sqs_open(call, txn, in->queue_url, &queue));
    TRY(check_add(call, in));
    TRY(open_policy(call, &queue, &policy));
    if (find_statement(&policy, in->label) != NULL)
        return bad_value(call, in->label, "Label", "Already exists.");
    if (policy.count >= STATEMENTS_MAX)
        return too_many(call, policy.count + 1, "Statements", STATEMENTS_MAX);
    TRY(add_statement(call->arena, &policy, new_statement(call, &queue, in)));
    return keep_policy(call, txn, &queue, &policy);
}

Error sqs_remove_permission(Call *call, Txn *txn, const RemovePermissionInput *in, RemovePermissionOutput *out)
{
    (void)out;
    Queue queue;
    Policy policy;
    TRY(sqs_open(call, txn, in->queue_url, &queue));
    TRY(open_policy(call, &queue, &policy));
    const Statement *statement = find_statement(&policy, in->label);
    if (in->label.size == 0 || statement == NULL)
        return bad_value(call, in->label, "Label", "can't find label.");
    size_t at = (size_t)(statement - policy.statements);
    policy.count -= 1;
    for (size_t i = at; i < policy.count; i++)
        policy.statements[i] = policy.statements[i + 1];
    return keep_policy(call, txn, &queue, &policy);
}
