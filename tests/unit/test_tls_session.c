/* TLS over memory: what is agreed on, what is refused, what a session holds while it waits. */
#include "tls_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/err.h>

/* ---- Sessions ---- */

static void bytes_go_both_ways_however_they_are_cut(void **state)
{
    TlsPlace *place = *state;
    enum { SIZE = 200000 };
    static const size_t steps[] = {SIZE_MAX, 1, 7, 16389};
    char *sent = malloc(SIZE);
    char *heard = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        sent[i] = (char)(i * 31 + i / 977);
    for (size_t i = 0; i < 8; i++) {
        Pair pair;
        SSL_CTX *client = tls_client_context(tls_versions[i % 2], tls_versions[i % 2]);
        pair_open(&pair, place->context, client, tls_http1_only);
        pair.step = steps[i / 2];
        assert_true(pair_shake(&pair));
        assert_int_equal(pair.state, TLS_OPEN);
        pair_client_says(&pair, sent, SIZE);
        assert_int_equal(pair.server_size, SIZE);
        assert_memory_equal(pair.server_got, sent, SIZE);

        size_t size;
        pair_server_says(&pair, slice_make(sent, SIZE));
        assert_int_equal(pair_client_hears(&pair, heard, SIZE, &size), SSL_ERROR_NONE);
        assert_int_equal(size, SIZE);
        assert_memory_equal(heard, sent, SIZE);
        pair_close(&pair);
        SSL_CTX_free(client);
    }
    free(sent);
    free(heard);
}

/* A write of up to 16 KiB is one record: of 22 (TLS 1.3) or 29 (1.2) bytes more. */
static void a_write_is_as_few_records_as_can_be(void **state)
{
    TlsPlace *place = *state;
    static const size_t overhead[] = {29, 22};
    static const char bytes[2 * TLS_RECORD_BYTES];
    for (int i = 0; i < 2; i++) {
        Pair pair;
        SSL_CTX *client = tls_client_context(tls_versions[i], tls_versions[i]);
        pair_open(&pair, place->context, client, tls_http1_only);
        assert_true(pair_shake(&pair));
        for (size_t records = 1; records <= 2; records++) {
            pair.output.size = 0;
            assert_true(tls_session_send(pair.session, slice_make(bytes, records * TLS_RECORD_BYTES), &pair.output));
            assert_int_equal(pair.output.size, records * (TLS_RECORD_BYTES + overhead[i]));
        }
        pair_close(&pair);
        SSL_CTX_free(client);
    }
}

static void a_part_of_a_record_is_known_to_be_one(void **state)
{
    TlsPlace *place = *state;
    for (int i = 0; i < 2; i++) {
        Pair pair;
        SSL_CTX *client = tls_client_context(tls_versions[i], tls_versions[i]);
        pair_open(&pair, place->context, client, tls_http1_only);
        assert_true(pair_shake(&pair));
        assert_false(tls_session_is_partial(pair.session));
        size_t written;
        char *bytes;
        assert_int_equal(SSL_write_ex(pair.client, "hello", 5, &written), 1);
        size_t size = (size_t)BIO_get_mem_data(pair.from_client, &bytes);
        /* The header is five bytes long. */
        for (size_t cut = 0; cut < size; cut++) {
            pair_feed(&pair, slice_make(bytes + cut, 1));
            assert_int_equal(tls_session_is_partial(pair.session), cut + 1 < size);
        }
        assert_int_equal(pair.server_size, 5);
        pair_close(&pair);
        SSL_CTX_free(client);
    }
}

static void each_side_says_when_it_ends(void **state)
{
    TlsPlace *place = *state;
    for (int i = 0; i < 2; i++) {
        Pair pair;
        char byte;
        size_t size;
        SSL_CTX *client = tls_client_context(tls_versions[i], tls_versions[i]);
        pair_open(&pair, place->context, client, tls_http1_only);
        tls_session_end(pair.session, &pair.output);
        assert_int_equal(pair.output.size, 0); /* not before the handshake */
        assert_false(tls_session_send(pair.session, SLICE("early"), &pair.output));
        assert_true(pair_shake(&pair));
        /* The client's end comes with its last bytes, and is not the server's. */
        assert_int_equal(SSL_write_ex(pair.client, "last", 4, &size), 1);
        SSL_shutdown(pair.client);
        pair_carry(&pair);
        assert_int_equal(pair.state, TLS_ENDED);
        assert_int_equal(pair.server_size, 4);
        pair_server_says(&pair, SLICE("answer"));
        tls_session_end(pair.session, &pair.output);
        size_t once = pair.output.size;
        tls_session_end(pair.session, &pair.output);
        assert_int_equal(pair.output.size, once);
        assert_false(tls_session_send(pair.session, SLICE("late"), &pair.output));
        pair_give_to_client(&pair);
        char text[16];
        assert_int_equal(pair_client_hears(&pair, text, sizeof text, &size), SSL_ERROR_ZERO_RETURN);
        assert_int_equal(size, 6);
        assert_int_equal(pair_client_hears(&pair, &byte, 1, &size), SSL_ERROR_ZERO_RETURN);
        pair_close(&pair);
        SSL_CTX_free(client);
    }
}

/* ---- What is refused ---- */

static void expect_alert(Pair *pair, int reason)
{
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), reason);
    assert_int_equal(pair->state, TLS_FAILED);
    assert_false(tls_session_send(pair->session, SLICE("more"), &pair->output));
    tls_session_end(pair->session, &pair->output);
    assert_int_equal(pair->output.size, 0);
}

static void versions_before_1_2_are_refused(void **state)
{
    TlsPlace *place = *state;
    static const int old[] = {TLS1_VERSION, TLS1_1_VERSION};
    for (int i = 0; i < 2; i++) {
        Pair pair;
        SSL_CTX *client = tls_client_context(old[i], old[i]);
        pair_open(&pair, place->context, client, tls_http1_only);
        assert_false(pair_shake(&pair));
        expect_alert(&pair, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
        pair_close(&pair);
        SSL_CTX_free(client);
    }
}

static void weak_ciphers_are_refused_and_strong_ones_taken(void **state)
{
    TlsPlace *place = *state;
    static const struct {
        const char *cipher;
        bool taken;
    } rows[] = {
        {"ECDHE-ECDSA-AES128-GCM-SHA256", true}, {"ECDHE-ECDSA-AES256-GCM-SHA384", true},
        {"ECDHE-ECDSA-CHACHA20-POLY1305", true}, {"ECDHE-ECDSA-AES128-SHA", false},
        {"ECDHE-ECDSA-AES256-SHA384", false},    {"ECDHE-ECDSA-NULL-SHA", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Pair pair;
        SSL_CTX *client = tls_client_context(TLS1_2_VERSION, TLS1_2_VERSION);
        assert_int_equal(SSL_CTX_set_cipher_list(client, rows[i].cipher), 1);
        pair_open(&pair, place->context, client, tls_http1_only);
        assert_int_equal(pair_shake(&pair), rows[i].taken);
        if (rows[i].taken)
            assert_string_equal(SSL_get_cipher_name(pair.client), rows[i].cipher);
        pair_close(&pair);
        SSL_CTX_free(client);
    }
}

static void what_is_no_tls_fails(void **state)
{
    TlsPlace *place = *state;
    static const char zeros[64];
    Pair pair;
    SSL_CTX *client = tls_client_context(TLS1_2_VERSION, TLS1_3_VERSION);
    /* From the first byte on; in the middle of a handshake; in an open session. */
    for (int stage = 0; stage < 3; stage++) {
        pair_open(&pair, place->context, client, tls_http1_only);
        if (stage == 1) {
            assert_int_equal(SSL_do_handshake(pair.client), -1);
            pair_carry(&pair);
            assert_int_equal(pair.state, TLS_HANDSHAKE);
        } else if (stage == 2) {
            assert_true(pair_shake(&pair));
        }
        pair_feed(&pair, slice_make(zeros, sizeof zeros));
        assert_int_equal(pair.state, TLS_FAILED);
        pair_feed(&pair, slice_make(zeros, sizeof zeros)); /* stays so */
        assert_int_equal(pair.state, TLS_FAILED);
        assert_int_equal(pair.server_size, 0);
        pair_close(&pair);
    }
    SSL_CTX_free(client);
}

static void renegotiation_is_refused_and_the_session_goes_on(void **state)
{
    TlsPlace *place = *state;
    Pair pair;
    SSL_CTX *client = tls_client_context(TLS1_2_VERSION, TLS1_2_VERSION);
    pair_open(&pair, place->context, client, tls_http1_only);
    assert_true(pair_shake(&pair));
    assert_int_equal(SSL_renegotiate(pair.client), 1);
    SSL_do_handshake(pair.client);
    pair_carry(&pair);
    assert_int_equal(pair.state, TLS_OPEN);
    ERR_clear_error();
    assert_int_not_equal(SSL_do_handshake(pair.client), 1);
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_NO_RENEGOTIATION);
    pair_close(&pair);
    SSL_CTX_free(client);
}

/* ---- ALPN ---- */

static void the_server_s_protocol_goes_first(void **state)
{
    TlsPlace *place = *state;
    static const char *const ours[] = {"h2", "http/1.1", NULL};
    static const struct {
        const char *offered;
        int chosen; /* -2: refused */
    } rows[] = {
        {"\x08http/1.1\x02h2", 0}, {"\x08http/1.1", 1},  {"\x03zzz\x08http/1.1", 1}, {"", -1},
        {"\x03zzz\x01h", -2},      {"\x08http/1.0", -2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Pair pair;
        SSL_CTX *client = tls_client_context(TLS1_2_VERSION, TLS1_3_VERSION);
        pair_open(&pair, place->context, client, ours);
        const unsigned char *offered = (const unsigned char *)rows[i].offered;
        SSL_set_alpn_protos(pair.client, offered, (unsigned)strlen(rows[i].offered));
        if (rows[i].chosen == -2) {
            assert_false(pair_shake(&pair));
            expect_alert(&pair, SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
        } else {
            assert_true(pair_shake(&pair));
            assert_int_equal(tls_session_protocol(pair.session), rows[i].chosen);
        }
        pair_close(&pair);
        SSL_CTX_free(client);
    }
}

/* ---- Resumption ---- */

static SSL_SESSION *kept_session;

static int keep_session(SSL *client, SSL_SESSION *session)
{
    (void)client;
    SSL_SESSION_free(kept_session);
    kept_session = session;
    return 1;
}

static SSL_CTX *resuming_client(int version)
{
    SSL_CTX *client = tls_client_context(version, version);
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client, keep_session);
    return client;
}

static void forget_session(void)
{
    SSL_SESSION_free(kept_session);
    kept_session = NULL;
}

static bool is_resumed(TlsPlace *place, SSL_CTX *client)
{
    Pair pair;
    pair_open(&pair, place->context, client, tls_http1_only);
    if (kept_session != NULL)
        SSL_set_session(pair.client, kept_session);
    assert_true(pair_shake(&pair));
    pair_server_says(&pair, SLICE("tickets come before this"));
    pair_expect_heard(&pair, "tickets come before this");
    bool resumed = SSL_session_reused(pair.client) == 1;
    /* A client that has not said goodbye forgets its session. */
    SSL_shutdown(pair.client);
    pair_close(&pair);
    return resumed;
}

static void sessions_are_resumed_until_the_certificate_changes(void **state)
{
    TlsPlace *place = *state;
    TlsLoad load;
    for (int i = 0; i < 2; i++) {
        SSL_CTX *client = resuming_client(tls_versions[i]);
        assert_false(is_resumed(place, client));
        assert_non_null(kept_session);
        assert_true(is_resumed(place, client));
        /* Who holds a ticket must see the new certificate too. */
        assert_true(tls_context_load(place->context, &place->arena, &load));
        assert_false(is_resumed(place, client));
        forget_session();
        SSL_CTX_free(client);
    }
}

static uint64_t later_ns;

static uint64_t later_monotonic_ns(Os *os)
{
    (void)os;
    return os_monotonic_ns(os_linux()) + later_ns;
}

static void keys_of_tickets_live_for_hours_only(void **state)
{
    TlsPlace *place = *state;
    TlsLoad load;
    OsOperations operations = *os_linux()->operations;
    operations.monotonic_ns = later_monotonic_ns;
    Os os = {&operations};
    TlsContext *before = place->context;
    later_ns = 0;
    /* A chain of two, which is served afterwards, too. */
    Slice own = tls_place_read(place, place->files.certificate);
    tls_files_write(&place->files, "cert.pem",
                    arena_format(&place->arena, "%.*s%.*s", SLICE_PRINT(own), SLICE_PRINT(own)), 0644);
    place->context = tls_context_make(&os, place->files.certificate, place->files.key);
    assert_true(tls_context_load(place->context, &place->arena, &load));
    for (int i = 0; i < 2; i++) {
        SSL_CTX *client = resuming_client(tls_versions[i]);
        assert_false(is_resumed(place, client));
        later_ns += 11ull * 3600 * 1000000000;
        assert_true(is_resumed(place, client));
        later_ns += 2ull * 3600 * 1000000000;
        assert_false(is_resumed(place, client));
        assert_true(is_resumed(place, client));
        forget_session();
        SSL_CTX_free(client);
    }
    tls_place_expect_chain(place, "first.test", 2);
    tls_context_free(place->context);
    place->context = before;
}

/* ---- Memory ---- */

/* OpenSSL's allocations, counted: a word in front of each holds its size. */
static size_t allocated;

static void *counted_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    size_t *room = malloc(size + 16);
    if (room == NULL)
        return NULL;
    allocated += size;
    room[0] = size;
    return (char *)room + 16;
}

static void counted_free(void *pointer, const char *file, int line)
{
    (void)file;
    (void)line;
    if (pointer == NULL)
        return;
    size_t *room = (size_t *)(void *)((char *)pointer - 16);
    allocated -= room[0];
    free(room);
}

static void *counted_realloc(void *pointer, size_t size, const char *file, int line)
{
    void *grown = counted_malloc(size, file, line);
    if (pointer != NULL && grown != NULL) {
        size_t before = ((size_t *)(void *)((char *)pointer - 16))[0];
        memcpy(grown, pointer, before < size ? before : size);
        counted_free(pointer, file, line);
    }
    return grown;
}

static void a_session_that_waits_holds_no_buffers(void **state)
{
    TlsPlace *place = *state;
    enum { IDLE_BYTES = 16 * 1024 };
    static const char bytes[100000];
    for (int i = 0; i < 2; i++) {
        Pair pair;
        SSL_CTX *client = tls_client_context(tls_versions[i], tls_versions[i]);
        pair_open(&pair, place->context, client, tls_http1_only);
        assert_true(pair_shake(&pair));
        pair_client_says(&pair, bytes, sizeof bytes);
        pair_server_says(&pair, slice_make(bytes, sizeof bytes));
        size_t before = allocated;
        tls_session_free(pair.session);
        pair.session = NULL;
        if (before - allocated > IDLE_BYTES)
            print_error("a session holds %zu bytes\n", before - allocated);
        assert_true(before - allocated > 0);
        assert_true(before - allocated <= IDLE_BYTES);
        pair_close(&pair);
        SSL_CTX_free(client);
    }
}

#define TLS_TEST(name) cmocka_unit_test_setup_teardown(name, tls_place_make, tls_place_remove)

int main(void)
{
    if (CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free) != 1)
        return 1;
    const struct CMUnitTest tests[] = {
        TLS_TEST(bytes_go_both_ways_however_they_are_cut),
        TLS_TEST(a_write_is_as_few_records_as_can_be),
        TLS_TEST(a_part_of_a_record_is_known_to_be_one),
        TLS_TEST(each_side_says_when_it_ends),
        TLS_TEST(versions_before_1_2_are_refused),
        TLS_TEST(weak_ciphers_are_refused_and_strong_ones_taken),
        TLS_TEST(what_is_no_tls_fails),
        TLS_TEST(renegotiation_is_refused_and_the_session_goes_on),
        TLS_TEST(the_server_s_protocol_goes_first),
        TLS_TEST(sessions_are_resumed_until_the_certificate_changes),
        TLS_TEST(keys_of_tickets_live_for_hours_only),
        TLS_TEST(a_session_that_waits_holds_no_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
