/* The promises of policy_document.h: which documents are policies, and whom a trust policy lets in. */
#include "core/policy_document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define STATEMENT(text) "{\"Version\":\"2012-10-17\",\"Statement\":[{" text "}]}"
#define TRUST(principal, more)                                                                                         \
    STATEMENT("\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\",\"Principal\":" principal more)

static Error check(PolicyUse use, const char *text)
{
    Arena arena = arena_make();
    Error error = policy_document_check(slice_of_string(text), use, &arena);
    arena_free(&arena);
    return error;
}

typedef struct Row {
    const char *text;
    Error expected;
} Row;

static void expect_rows(PolicyUse use, const Row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Error error = check(use, rows[i].text);
        if (error != rows[i].expected)
            print_error("%s\n", rows[i].text);
        assert_int_equal(error, rows[i].expected);
    }
}

static void permissions_follow_the_grammar(void **state)
{
    (void)state;
    static const Row rows[] = {
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":\"s3:Get*\",\"Resource\":\"*\""), OK},
        {"{\"Statement\":{\"Effect\":\"Deny\",\"NotAction\":[\"a:b\",\"*\"],\"NotResource\":[\"arn:aws:s3:::x\"]}}",
         OK},
        {STATEMENT("\"Sid\":\"\",\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"Bool\":"
                   "{\"aws:SecureTransport\":\"true\"}}"),
         OK},
        {"{", POLICY_NO_JSON},
        {"", POLICY_NO_JSON},
        {"[]", POLICY_SYNTAX},
        {"{}", POLICY_SYNTAX},
        {"{\"Version\":\"2012-10-17\",\"Statement\":[]}", POLICY_SYNTAX},
        {"{\"Version\":\"2013-10-17\",\"Statement\":[]}", POLICY_VERSION},
        {"{\"Other\":1,\"Statement\":[]}", POLICY_SYNTAX},
        {STATEMENT("\"Effect\":\"Maybe\",\"Action\":\"*\",\"Resource\":\"*\""), POLICY_SYNTAX},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":\"*\",\"NotAction\":\"*\",\"Resource\":\"*\""), POLICY_SYNTAX},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":\"*\",\"Action\":\"*\",\"Resource\":\"*\""), POLICY_SYNTAX},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":[\"a:b\",5],\"Resource\":\"*\""), POLICY_SYNTAX},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":[]"), POLICY_SYNTAX},
        {STATEMENT("\"Effect\":\"Allow\",\"Resource\":\"*\""), POLICY_ACTION_MISSING},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":[],\"Resource\":\"*\""), POLICY_ACTION_MISSING},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":\"Get\",\"Resource\":\"*\""), POLICY_ACTION_VENDOR},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":\"*\""), POLICY_RESOURCE_MISSING},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"bucket\""), POLICY_RESOURCE_FORM},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Principal\":\"*\""),
         POLICY_PRINCIPAL_FORBIDDEN},
        {STATEMENT("\"Sid\":\"a b\",\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\""), POLICY_SID_INVALID},
        {STATEMENT("\"Sid\":\"a\",\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"},{\"Sid\":\"a\",\"Effect\":"
                   "\"Allow\",\"Action\":\"*\",\"Resource\":\"*\""),
         POLICY_SID_REPEATED},
    };
    expect_rows(POLICY_OF_PERMISSIONS, rows, sizeof rows / sizeof rows[0]);
}

static void trust_policies_name_principals_and_no_resources(void **state)
{
    (void)state;
    static const Row rows[] = {
        {TRUST("{\"Service\":\"lambda.amazonaws.com\"}", ""), OK},
        {TRUST("{\"AWS\":[\"123456789012\",\"arn:aws:iam::123456789012:user/a\"]}", ""), OK},
        {TRUST("\"*\"", ""), OK},
        {TRUST("\"everybody\"", ""), POLICY_PRINCIPAL_INVALID},
        {TRUST("{\"AWS\":\"nobody\"}", ""), POLICY_PRINCIPAL_INVALID},
        {TRUST("{\"AWS\":[]}", ""), POLICY_PRINCIPAL_INVALID},
        {TRUST("{}", ""), POLICY_PRINCIPAL_INVALID},
        {TRUST("{\"Robot\":\"r2\"}", ""), POLICY_PRINCIPAL_INVALID},
        {TRUST("\"*\"", ",\"Resource\":\"*\""), POLICY_RESOURCE_FORBIDDEN},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\""), POLICY_PRINCIPAL_MISSING},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":\"s3:Get\",\"Principal\":\"*\""), POLICY_TRUST_ACTION},
        {STATEMENT("\"Effect\":\"Allow\",\"Action\":\"*\",\"Principal\":\"*\""), POLICY_TRUST_ACTION},
    };
    expect_rows(POLICY_OF_TRUST, rows, sizeof rows / sizeof rows[0]);
}

/* ---- Trust ---- */

static const TrustRequest ann = {
    .account = SLICE_INIT("123456789012"),
    .principal_arn = SLICE_INIT("arn:aws:iam::123456789012:user/ann"),
    .action = SLICE_INIT("sts:AssumeRole"),
};

static bool allows(const char *text, const TrustRequest *request)
{
    Arena arena = arena_make();
    bool allowed = policy_trust_allows(slice_of_string(text), request, &arena);
    arena_free(&arena);
    return allowed;
}

static void a_principal_is_let_in_by_its_arn_or_its_account(void **state)
{
    (void)state;
    assert_true(allows(TRUST("{\"AWS\":\"arn:aws:iam::123456789012:user/ann\"}", ""), &ann));
    assert_true(allows(TRUST("{\"AWS\":[\"999999999999\",\"123456789012\"]}", ""), &ann));
    assert_true(allows(TRUST("{\"AWS\":\"arn:aws:iam::123456789012:root\"}", ""), &ann));
    assert_true(allows(TRUST("\"*\"", ""), &ann));
    assert_false(allows(TRUST("{\"AWS\":\"arn:aws:iam::123456789012:user/bob\"}", ""), &ann));
    assert_false(allows(TRUST("{\"AWS\":\"999999999999\"}", ""), &ann));
    assert_false(allows(TRUST("{\"Service\":\"lambda.amazonaws.com\"}", ""), &ann));
    assert_false(allows("{", &ann));
}

static void a_session_is_let_in_by_its_role(void **state)
{
    (void)state;
    TrustRequest session = ann;
    session.principal_arn = SLICE("arn:aws:sts::123456789012:assumed-role/worker/one");
    session.role_arn = SLICE("arn:aws:iam::123456789012:role/worker");
    assert_true(allows(TRUST("{\"AWS\":\"arn:aws:iam::123456789012:role/worker\"}", ""), &session));
    assert_true(allows(TRUST("{\"AWS\":\"arn:aws:sts::123456789012:assumed-role/worker/one\"}", ""), &session));
    assert_false(allows(TRUST("{\"AWS\":\"arn:aws:iam::123456789012:role/other\"}", ""), &session));
}

static void a_service_is_no_account(void **state)
{
    (void)state;
    TrustRequest service = {.service = SLICE("lambda.amazonaws.com"), .action = SLICE("sts:AssumeRole")};
    assert_true(allows(TRUST("{\"Service\":[\"a.amazonaws.com\",\"lambda.amazonaws.com\"]}", ""), &service));
    assert_false(allows(TRUST("{\"Service\":\"events.amazonaws.com\"}", ""), &service));
    assert_false(allows(TRUST("{\"AWS\":\"*\"}", ""), &service));
}

static void a_denial_wins(void **state)
{
    (void)state;
    assert_false(allows(TRUST("\"*\"", "},{\"Effect\":\"Deny\",\"Action\":\"sts:*\",\"Principal\":{\"AWS\":"
                                       "\"arn:aws:iam::123456789012:user/ann\"}"),
                        &ann));
    assert_true(
        allows(TRUST("\"*\"", "},{\"Effect\":\"Deny\",\"Action\":\"sts:TagSession\",\"Principal\":\"*\""), &ann));
    assert_false(allows(TRUST("\"*\"", "},{\"Effect\":\"Deny\",\"Action\":\"sts:*\",\"NotPrincipal\":{\"AWS\":"
                                       "\"arn:aws:iam::123456789012:user/bob\"}"),
                        &ann));
}

static void another_action_is_another_matter(void **state)
{
    (void)state;
    TrustRequest tagging = ann;
    tagging.action = SLICE("sts:TagSession");
    assert_false(allows(TRUST("\"*\"", ""), &tagging));
    assert_true(allows(STATEMENT("\"Effect\":\"Allow\",\"Action\":\"STS:tag*\",\"Principal\":\"*\""), &tagging));
    assert_true(
        allows(STATEMENT("\"Effect\":\"Allow\",\"NotAction\":\"sts:AssumeRole\",\"Principal\":\"*\""), &tagging));
}

static void an_external_id_must_be_the_one_asked_for(void **state)
{
    (void)state;
    static const char *policy = TRUST("\"*\"", ",\"Condition\":{\"StringEquals\":{\"sts:ExternalId\":[\"x\",\"y\"]}}");
    TrustRequest request = ann;
    assert_false(allows(policy, &request));
    request.external_id = SLICE("z");
    assert_false(allows(policy, &request));
    request.external_id = SLICE("y");
    assert_true(allows(policy, &request));
}

static void a_condition_that_is_not_understood_opens_no_door(void **state)
{
    (void)state;
    assert_false(allows(TRUST("\"*\"", ",\"Condition\":{\"Bool\":{\"aws:MultiFactorAuthPresent\":\"true\"}}"), &ann));
    assert_false(allows(TRUST("\"*\"", "},{\"Effect\":\"Deny\",\"Action\":\"sts:*\",\"Principal\":\"*\",\"Condition\":"
                                       "{\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/8\"}}"),
                        &ann));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(permissions_follow_the_grammar),
        cmocka_unit_test(trust_policies_name_principals_and_no_resources),
        cmocka_unit_test(a_principal_is_let_in_by_its_arn_or_its_account),
        cmocka_unit_test(a_session_is_let_in_by_its_role),
        cmocka_unit_test(a_service_is_no_account),
        cmocka_unit_test(a_denial_wins),
        cmocka_unit_test(another_action_is_another_matter),
        cmocka_unit_test(an_external_id_must_be_the_one_asked_for),
        cmocka_unit_test(a_condition_that_is_not_understood_opens_no_door),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
