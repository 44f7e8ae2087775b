/* Self-signed certificates are what clients take, for the names that they were made for. */
#include "net/tls_self_signed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static X509 *self_signed(Arena *arena, const TlsSelfSigned *wanted)
{
    Slice certificate;
    Slice key;
    const char *bad_name;
    assert_int_equal(tls_self_signed(os_linux(), wanted, arena, &certificate, &key, &bad_name), OK);
    BIO *file = BIO_new_mem_buf(certificate.data, (int)certificate.size);
    X509 *read = PEM_read_bio_X509(file, NULL, NULL, NULL);
    BIO_free(file);
    assert_non_null(read);
    return read;
}

static int verify(X509 *certificate, const char *host, bool is_address)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_STORE_add_cert(store, certificate);
    X509_STORE_CTX_init(context, store, certificate, NULL);
    X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(context);
    X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_X509_STRICT);
    if (is_address)
        X509_VERIFY_PARAM_set1_ip_asc(rules, host);
    else
        X509_VERIFY_PARAM_set1_host(rules, host, 0);
    X509_verify_cert(context);
    int result = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return result;
}

static void a_self_signed_certificate_is_trusted_for_its_names_alone(void **state)
{
    Arena *arena = *state;
    const char *const names[] = {"brume.test", "*.dev.test", "192.0.2.7", "2001:db8::7", "a_b"};
    X509 *certificate = self_signed(arena, &(TlsSelfSigned){.names = names, .name_count = 5, .days = 2});
    assert_int_equal(verify(certificate, "localhost", false), X509_V_OK);
    assert_int_equal(verify(certificate, "127.0.0.1", true), X509_V_OK);
    assert_int_equal(verify(certificate, "::1", true), X509_V_OK);
    assert_int_equal(verify(certificate, "brume.test", false), X509_V_OK);
    assert_int_equal(verify(certificate, "x.dev.test", false), X509_V_OK);
    assert_int_equal(verify(certificate, "192.0.2.7", true), X509_V_OK);
    assert_int_equal(verify(certificate, "2001:db8::7", true), X509_V_OK);
    assert_int_equal(verify(certificate, "other.test", false), X509_V_ERR_HOSTNAME_MISMATCH);
    assert_int_equal(verify(certificate, "192.0.2.8", true), X509_V_ERR_IP_ADDRESS_MISMATCH);
    assert_int_equal(X509_check_ca(certificate), 0);
    int days;
    int seconds;
    assert_int_equal(ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)), 1);
    assert_int_equal((days * 86400 + seconds + 60) / 86400, 2);
    X509 *other = self_signed(arena, &(TlsSelfSigned){.days = 2});
    assert_int_not_equal(ASN1_INTEGER_cmp(X509_get_serialNumber(certificate), X509_get_serialNumber(other)), 0);
    X509_free(other);
    X509_free(certificate);
}

static void what_is_no_name_is_refused(void **state)
{
    Arena *arena = *state;
    static const char *const bad[] = {"",   "a b",  "a,DNS:b", "a..b",      ".a",    "a.",   "-a",
                                      "*.", "*a.b", "a.*.b",   "1.2.3.4/8", "[::1]", "a:80", "\xc3\xa4.test"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Slice certificate;
        Slice key;
        const char *bad_name = NULL;
        const char *const names[] = {"good.test", bad[i]};
        TlsSelfSigned wanted = {.names = names, .name_count = 2, .days = 1};
        assert_int_equal(tls_self_signed(os_linux(), &wanted, arena, &certificate, &key, &bad_name), ERROR_MALFORMED);
        assert_ptr_equal(bad_name, bad[i]);
    }
}

static int make_arena(void **state)
{
    static Arena arena;
    arena = arena_make();
    *state = &arena;
    return 0;
}

static int free_arena(void **state)
{
    arena_free(*state);
    return 0;
}

#define ARENA_TEST(name) cmocka_unit_test_setup_teardown(name, make_arena, free_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_self_signed_certificate_is_trusted_for_its_names_alone),
        ARENA_TEST(what_is_no_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
