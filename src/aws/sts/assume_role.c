/* assume_role.c: temporary credentials: AssumeRole, GetSessionToken (AWS STS API reference). */
#include "api/sts.h"
#include "aws/wire/common_error.h"
#include "core/policy_document.h"
#include "core/session.h"

enum {
    POLICY_ARNS_MAX = 10,            /* STS API reference, AssumeRole: PolicyArns */
    POLICY_CHARACTERS_MAX = 2048,    /* the same: Policy */
    USER_SESSION_DURATION_S = 43200, /* STS API reference, GetSessionToken: DurationSeconds */
    ROOT_SESSION_MAX_S = 3600,       /* the same, of an account's root */
};

/* ---- The role ---- */

static Error not_authorized(Call *call, const char *action, Slice resource)
{
    return call_fail(call, &common_access_denied, "User: %.*s is not authorized to perform: %s on resource: %.*s",
                     SLICE_PRINT(call->actor.principal_arn), action, SLICE_PRINT(resource));
}

/* The account and name of "arn:aws:iam::123456789012:role/some/where/name". */
static Error read_role_arn(Call *call, Slice arn, Slice *account, Slice *name)
{
    Slice prefix = SLICE("arn:aws:iam::");
    Slice rest = slice_starts_with(arn, prefix) ? slice_skip(arn, prefix.size) : SLICE("");
    size_t colon = slice_find(rest, ':');
    size_t start = arn.size;
    *account = slice_make(rest.data, colon);
    while (start > 0 && arn.data[start - 1] != '/')
        start--;
    *name = slice_skip(arn, start);
    if (slice_starts_with(slice_skip(rest, colon), SLICE(":role/")) && name->size > 0)
        return OK;
    return call_fail(call, &common_validation, "%.*s is invalid", SLICE_PRINT(arn));
}

/* Whether the role's trust policy lets the caller take that action. In mode `open` nobody is who they say, and all may. */
static bool trusts_caller(Call *call, const Identity *role, Slice external_id, Slice action)
{
    const Actor *actor = &call->actor;
    TrustRequest request = {
        .account = actor->account,
        .principal_arn = actor->principal_arn,
        .role_arn = actor->session == NULL ? (Slice){0} : actor->session->role_arn,
        .action = action,
        .external_id = external_id,
    };
    return !actor->verified || policy_trust_allows(role->trust, &request, call->arena);
}

/* A role that is not there is not told from one that lets nobody in. */
static Error open_role(Call *call, Txn *txn, const AssumeRoleInput *in, Identity *role)
{
    Slice account;
    Slice name;
    TRY(read_role_arn(call, in->role_arn, &account, &name));
    Error error = identity_get(txn, account, IDENTITY_ROLE, name, role);
    if (error != OK && error != IDENTITY_NOT_FOUND)
        return error;
    if (error == IDENTITY_NOT_FOUND || !slice_equal(identity_arn(call->arena, role), in->role_arn) ||
        !trusts_caller(call, role, in->external_id, SLICE("sts:AssumeRole")))
        return not_authorized(call, "sts:AssumeRole", in->role_arn);
    if (in->tags.count > 0 && !trusts_caller(call, role, in->external_id, SLICE("sts:TagSession")))
        return not_authorized(call, "sts:TagSession", in->role_arn);
    if (in->source_identity.data != NULL && !trusts_caller(call, role, in->external_id, SLICE("sts:SetSourceIdentity")))
        return not_authorized(call, "sts:SetSourceIdentity", in->role_arn);
    return OK;
}

static Error read_duration(Call *call, const AssumeRoleInput *in, const Identity *role, uint64_t *duration_s)
{
    *duration_s = in->has_duration_seconds ? (uint64_t)in->duration_seconds : SESSION_DURATION_S;
    bool chained = call->actor.session != NULL && call->actor.session->role_arn.data != NULL;
    if (chained && *duration_s > SESSION_CHAINED_MAX_S)
        return call_fail(call, &common_validation,
                         "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
                         "chaining.");
    if (*duration_s > role->session_max_s)
        return call_fail(call, &common_validation,
                         "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
    return OK;
}

/* ---- Policies and tags ---- */

static Error read_policies(Call *call, const AssumeRoleInput *in, Session *session)
{
    if (in->policy_arns.count > POLICY_ARNS_MAX)
        return call_fail(call, &common_validation, "The request has more than %d policy ARNs.", POLICY_ARNS_MAX);
    if (in->policy.size > POLICY_CHARACTERS_MAX)
        return call_fail(call, &common_validation,
                         "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must "
                         "have length less than or equal to %d",
                         POLICY_CHARACTERS_MAX);
    if (in->policy.data != NULL && policy_document_check(in->policy, POLICY_OF_PERMISSIONS, call->arena) != OK)
        return call_fail(call, &sts_error_malformed_policy_document_exception,
                         "The policy is not in the valid JSON format.");
    session->policy = in->policy;
    session->policy_arns = ARENA_ARRAY(call->arena, Slice, in->policy_arns.count);
    for (size_t i = 0; i < in->policy_arns.count; i++) {
        if (in->policy_arns.items[i].arn.data == NULL)
            return call_fail(call, &common_validation, "A policy's ARN is missing.");
        session->policy_arns[session->policy_arn_count++] = in->policy_arns.items[i].arn;
    }
    return OK;
}

static size_t label_place(const Labels *labels, Slice key)
{
    size_t place = 0;
    while (place < labels->count && !slice_equal_ignore_case(labels->items[place].key, key))
        place++;
    return place;
}

/* Tags that the caller's own session hands on come first (IAM user guide, "Pass session tags in AWS STS": chaining). */
static void inherit_tags(const Call *call, Session *session)
{
    const Session *from = call->actor.session;
    if (from == NULL)
        return;
    for (size_t i = 0; i < from->labels.count; i++) {
        if ((from->transitive >> i & 1) == 0)
            continue;
        session->transitive |= 1ull << session->labels.count;
        session->labels.items[session->labels.count++] = from->labels.items[i];
    }
}

static Error read_tags(Call *call, const AssumeRoleInput *in, Session *session)
{
    Labels *labels = &session->labels;
    size_t inherited = call->actor.session == NULL ? 0 : call->actor.session->labels.count;
    labels->items = ARENA_ARRAY(call->arena, Label, in->tags.count + inherited);
    inherit_tags(call, session);
    inherited = labels->count;
    for (size_t i = 0; i < in->tags.count; i++) {
        Label label = {in->tags.items[i].key, in->tags.items[i].value};
        size_t place = label_place(labels, label.key);
        if (place < inherited)
            return call_fail(call, &common_invalid_parameter_value,
                             "One of the specified transitive tag keys can't be set because it conflicts with a "
                             "transitive tag key from the calling session.");
        if (place < labels->count)
            return call_fail(call, &common_invalid_parameter_value,
                             "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
        labels->items[labels->count++] = label;
    }
    for (size_t i = 0; i < in->transitive_tag_keys.count; i++) {
        size_t place = label_place(labels, in->transitive_tag_keys.items[i]);
        if (place == labels->count)
            return call_fail(call, &common_invalid_parameter_value,
                             "The specified transitive tag key must be included in the requested tags.");
        session->transitive |= 1ull << place;
    }
    return labels->count <= 50 ? OK : call_fail(call, &common_validation, "The session would have more than 50 tags.");
}

/* ---- Credentials ---- */

static StsCredentials *credentials_of(Call *call, const SessionCredentials *credentials)
{
    StsCredentials *out = ARENA_NEW(call->arena, StsCredentials);
    out->access_key_id = arena_copy(call->arena, credentials->access_key_id);
    out->secret_access_key = arena_copy(call->arena, credentials->secret_key);
    out->session_token = arena_copy(call->arena, credentials->token);
    out->expiration = (int64_t)credentials->expires_ms;
    out->has_expiration = true;
    return out;
}

/* Sessions end on the wall clock, as the client's SDK reckons; a whole second, as it is told. */
static Error issue(Call *call, Txn *txn, uint64_t duration_s, Session *session, StsCredentials **out)
{
    unsigned char secret[SESSION_SECRET_SIZE];
    SessionCredentials credentials;
    session->expires_ms = (call->wall_ms / 1000 + duration_s) * 1000;
    TRY(session_secret_make(txn, secret));
    Error error = session_issue(txn, secret, session, &credentials);
    explicit_bzero(secret, sizeof secret);
    if (error == SESSION_TOO_LARGE)
        return call_fail(call, &sts_error_packed_policy_too_large_exception,
                         "Packed size of session policies and session tags consumes %ju%% of allotted space.",
                         (uintmax_t)session_packed_percent(call->arena, session));
    if (error == OK)
        *out = credentials_of(call, &credentials);
    return error;
}

static Error not_implemented(Call *call, const char *feature)
{
    return call_fail(call, &common_not_implemented, "Brume does not implement %s.", feature);
}

Error sts_assume_role(Call *call, Txn *txn, const AssumeRoleInput *in, AssumeRoleOutput *out)
{
    Identity role;
    uint64_t duration_s;
    if (in->serial_number.data != NULL || in->token_code.data != NULL)
        return not_implemented(call, "multi-factor authentication");
    if (in->provided_contexts.items != NULL)
        return not_implemented(call, "ProvidedContexts");
    if (in->has_minimum_session_token_size)
        return not_implemented(call, "MinimumSessionTokenSize");
    TRY(open_role(call, txn, in, &role));
    TRY(read_duration(call, in, &role, &duration_s));
    Session session = session_of_role(call->arena, &role, in->role_session_name);
    session.source_identity = in->source_identity;
    if (session.source_identity.data == NULL && call->actor.session != NULL)
        session.source_identity = call->actor.session->source_identity;
    TRY(read_policies(call, in, &session));
    TRY(read_tags(call, in, &session));
    TRY(issue(call, txn, duration_s, &session, &out->credentials));

    out->assumed_role_user = ARENA_NEW(call->arena, StsAssumedRoleUser);
    out->assumed_role_user->assumed_role_id = arena_copy(call->arena, session.principal_id);
    out->assumed_role_user->arn = arena_copy(call->arena, session.principal_arn);
    out->source_identity = session.source_identity;
    if (session.policy.data != NULL || session.policy_arn_count > 0 || session.labels.count > 0) {
        out->packed_policy_size = (int32_t)session_packed_percent(call->arena, &session);
        out->has_packed_policy_size = true;
    }
    return OK;
}

/* The caller, for a while. */
Error sts_get_session_token(Call *call, Txn *txn, const GetSessionTokenInput *in, GetSessionTokenOutput *out)
{
    bool root = slice_equal(call->actor.principal_id, call->actor.account);
    uint64_t most_s = root ? ROOT_SESSION_MAX_S : UINT64_MAX;
    uint64_t duration_s = in->has_duration_seconds ? (uint64_t)in->duration_seconds : USER_SESSION_DURATION_S;
    if (in->serial_number.data != NULL || in->token_code.data != NULL)
        return not_implemented(call, "multi-factor authentication");
    if (in->has_minimum_session_token_size)
        return not_implemented(call, "MinimumSessionTokenSize");
    if (call->actor.session != NULL)
        return call_fail(call, &common_access_denied, "Cannot call GetSessionToken with session credentials");
    Session session = {
        .account = call->actor.account,
        .principal_arn = call->actor.principal_arn,
        .principal_id = call->actor.principal_id,
    };
    return issue(call, txn, duration_s < most_s ? duration_s : most_s, &session, &out->credentials);
}

/* ---- Hooks ---- */

/* All that is ever written is the secret of all sessions. */
static Home home(const Call *call, Slice value)
{
    (void)call;
    (void)value;
    return identity_home(SLICE(""));
}

const ServiceHooks sts_hooks = {.home = home};
