/* Certificates are loaded and changed while sessions live; what cannot be used is named and changes nothing. */
#include "tls_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

static void expect_server_name(TlsPlace *place, const char *name)
{
    tls_place_expect_chain(place, name, 1);
}

static void a_new_certificate_is_for_new_sessions(void **state)
{
    TlsPlace *place = *state;
    TlsLoad load;
    Pair old;
    Pair half;
    SSL_CTX *client = tls_client_context(TLS1_2_VERSION, TLS1_3_VERSION);
    pair_open(&old, place->context, client, tls_http1_only);
    assert_true(pair_shake(&old));
    pair_open(&half, place->context, client, tls_http1_only);
    tls_files_renew(&place->files, "second.test");
    assert_true(tls_context_load(place->context, &place->arena, &load));
    assert_non_null(strstr(load.subject.data, "second.test"));
    int64_t now_ms = (int64_t)os_wall_ms(os_linux());
    assert_true(load.expires_ms > now_ms && load.expires_ms <= now_ms + 86400000);
    expect_server_name(place, "second.test");
    pair_client_says(&old, "still", 5);
    assert_int_equal(old.server_size, 5);
    pair_server_says(&old, SLICE("here"));
    pair_expect_heard(&old, "here");
    /* It had begun with the old one. */
    assert_true(pair_shake(&half));
    char *name = tls_client_saw(half.client);
    assert_string_equal(name, "first.test");
    free(name);
    pair_close(&old);
    pair_close(&half);
    SSL_CTX_free(client);
}

static void expect_problem(TlsPlace *place, const char *path, const char *what)
{
    TlsLoad load;
    assert_false(tls_context_load(place->context, &place->arena, &load));
    assert_null(memchr(load.problem.data, '\n', load.problem.size));
    const char *text = arena_string(&place->arena, load.problem);
    if (strstr(text, path) == NULL || strstr(text, what) == NULL)
        print_error("%s\n", text);
    assert_non_null(strstr(text, path));
    assert_non_null(strstr(text, what));
    expect_server_name(place, "first.test"); /* the old one is in use */
}

static Slice key_text(TlsPlace *place, EVP_PKEY *key, const char *password)
{
    char *bytes;
    BIO *file = BIO_new(BIO_s_mem());
    const EVP_CIPHER *cipher = password == NULL ? NULL : EVP_aes_128_cbc();
    assert_int_equal(PEM_write_bio_PrivateKey(file, key, cipher, (const unsigned char *)password,
                                              password == NULL ? 0 : (int)strlen(password), NULL, NULL),
                     1);
    long size = BIO_get_mem_data(file, &bytes);
    Slice text = arena_copy(&place->arena, slice_make(bytes, (size_t)size));
    BIO_free(file);
    return text;
}

static void what_cannot_be_used_is_named_and_changes_nothing(void **state)
{
    TlsPlace *place = *state;
    TlsFiles *files = &place->files;
    Slice certificate = tls_place_read(place, files->certificate);
    Slice key = tls_place_read(place, files->key);
    TlsLoad load;

    unlink(files->certificate);
    expect_problem(place, files->certificate, "there is no such file");
    tls_files_write(files, "cert.pem", SLICE("hello"), 0644);
    expect_problem(place, files->certificate, "no certificate in PEM form");
    tls_files_write(files, "cert.pem", key, 0644);
    expect_problem(place, files->certificate, "no certificate in PEM form");
    tls_files_write(files, "cert.pem", (Slice){certificate.data, certificate.size / 2}, 0644);
    expect_problem(place, files->certificate, "no certificate in PEM form");
    Slice tail =
        arena_format(&place->arena, "%.*s%.*s", SLICE_PRINT(certificate), (int)certificate.size / 2, certificate.data);
    tls_files_write(files, "cert.pem", tail, 0644);
    expect_problem(place, files->certificate, "a damaged certificate behind the first");
    tls_files_write(files, "cert.pem", certificate, 0644);

    unlink(files->key);
    expect_problem(place, files->key, "there is no such file");
    tls_files_write(files, "key.pem", certificate, 0600);
    expect_problem(place, files->key, "no private key in PEM form");
    EVP_PKEY *other = EVP_EC_gen("P-256");
    tls_files_write(files, "key.pem", key_text(place, other, NULL), 0600);
    expect_problem(place, files->key, "is not the key of the first certificate");
    tls_files_write(files, "key.pem", key_text(place, other, "secret"), 0600);
    expect_problem(place, files->key, "is encrypted with a password");
    EVP_PKEY_free(other);

    tls_files_write(files, "key.pem", key, 0600);
    assert_true(tls_context_load(place->context, &place->arena, &load));
    assert_int_equal(load.warning_count, 0);
}

/* A certificate for the key, valid from and until so many seconds from now. */
static Slice certificate_text(TlsPlace *place, EVP_PKEY *key, long from_s, long until_s)
{
    X509 *certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), until_s);
    X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName, MBSTRING_UTF8,
                               (const unsigned char *)"made.test", -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_set_pubkey(certificate, key);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    char *bytes;
    BIO *file = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(file, certificate), 1);
    long size = BIO_get_mem_data(file, &bytes);
    Slice text = arena_copy(&place->arena, slice_make(bytes, (size_t)size));
    BIO_free(file);
    X509_free(certificate);
    return text;
}

static void write_pair(TlsPlace *place, EVP_PKEY *key, long from_s, long until_s, unsigned key_mode)
{
    tls_files_write(&place->files, "cert.pem", certificate_text(place, key, from_s, until_s), 0644);
    tls_files_write(&place->files, "key.pem", key_text(place, key, NULL), key_mode);
}

static void expect_warning(TlsPlace *place, const char *path, const char *what)
{
    TlsLoad load;
    assert_true(tls_context_load(place->context, &place->arena, &load));
    assert_int_equal(load.warning_count, 1);
    assert_non_null(strstr(load.warnings[0].data, path));
    assert_non_null(strstr(load.warnings[0].data, what));
}

static void what_clients_may_refuse_is_warned_of(void **state)
{
    TlsPlace *place = *state;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    write_pair(place, key, -7200, -3600, 0600);
    expect_warning(place, place->files.certificate, "has expired");
    write_pair(place, key, 3600, 7200, 0600);
    expect_warning(place, place->files.certificate, "is not valid yet");
    static const unsigned open_modes[] = {0644, 0620, 0604};
    for (size_t i = 0; i < sizeof open_modes / sizeof *open_modes; i++) {
        write_pair(place, key, -3600, 3600, 0600);
        assert_int_equal(chmod(place->files.key, open_modes[i]), 0);
        expect_warning(place, place->files.key, "chmod 600");
    }
    EVP_PKEY_free(key);
}

static void keys_of_other_kinds_serve_and_short_ones_do_not(void **state)
{
    TlsPlace *place = *state;
    TlsLoad load;
    EVP_PKEY *key = EVP_RSA_gen(1024);
    write_pair(place, key, -3600, 3600, 0600);
    EVP_PKEY_free(key);
    assert_false(tls_context_load(place->context, &place->arena, &load));
    assert_non_null(strstr(load.problem.data, "cannot be used (ee key too small)"));
    for (int i = 0; i < 2; i++) {
        key = i == 0 ? EVP_RSA_gen(2048) : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        tls_files_write(&place->files, "key.pem", key_text(place, key, NULL), 0600);
        if (i == 0) {
            write_pair(place, key, -3600, 3600, 0600);
            assert_true(tls_context_load(place->context, &place->arena, &load));
            expect_server_name(place, "made.test");
        } else {
            expect_problem(place, place->files.key, "is not the key of the first certificate");
        }
        EVP_PKEY_free(key);
        tls_files_renew(&place->files, "first.test");
        assert_true(tls_context_load(place->context, &place->arena, &load));
    }
}

static void the_whole_chain_is_sent(void **state)
{
    TlsPlace *place = *state;
    TlsLoad load;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    Slice own = tls_place_read(place, place->files.certificate);
    Slice second = certificate_text(place, key, -1, 3600);
    Slice third = certificate_text(place, key, -1, 7200);
    Slice all = arena_format(&place->arena, "%.*s# a remark\n%.*s%.*s", SLICE_PRINT(own), SLICE_PRINT(second),
                             SLICE_PRINT(third));
    EVP_PKEY_free(key);
    tls_files_write(&place->files, "cert.pem", all, 0644);
    if (!tls_context_load(place->context, &place->arena, &load))
        fail_msg("%.*s", SLICE_PRINT(load.problem));
    tls_place_expect_chain(place, "first.test", 3);
}

#define TLS_TEST(name) cmocka_unit_test_setup_teardown(name, tls_place_make, tls_place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TLS_TEST(a_new_certificate_is_for_new_sessions),
        TLS_TEST(what_cannot_be_used_is_named_and_changes_nothing),
        TLS_TEST(what_clients_may_refuse_is_warned_of),
        TLS_TEST(keys_of_other_kinds_serve_and_short_ones_do_not),
        TLS_TEST(the_whole_chain_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
