#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/hmac.h>
#include <pthread.h>

static void assert_hex(Arena *arena, const void *bytes, size_t size, const char *expected)
{
    assert_string_equal(hex_encode(arena, bytes, size).data, expected);
}

static void hashes_match_the_published_vectors(void **state)
{
    (void)state;
    Arena arena = arena_make();
    unsigned char digest[SHA256_SIZE];
    md5(SLICE(""), digest); /* RFC 1321, A.5 */
    assert_hex(&arena, digest, MD5_SIZE, "d41d8cd98f00b204e9800998ecf8427e");
    md5(SLICE("message digest"), digest);
    assert_hex(&arena, digest, MD5_SIZE, "f96b697d7cb7938d525a2f31aaf161d0");
    sha256(SLICE(""), digest);
    assert_hex(&arena, digest, SHA256_SIZE, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256(SLICE("abc"), digest); /* FIPS 180-2, B.1 */
    assert_hex(&arena, digest, SHA256_SIZE, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    arena_free(&arena);
}

static void hmac_matches_rfc_4231(void **state)
{
    (void)state;
    Arena arena = arena_make();
    unsigned char digest[SHA256_SIZE];
    hmac_sha256(SLICE("Jefe"), SLICE("what do ya want for nothing?"), digest);
    assert_hex(&arena, digest, SHA256_SIZE, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    char long_key[131];
    memset(long_key, 0xaa, sizeof long_key);
    hmac_sha256(slice_make(long_key, sizeof long_key), SLICE("Test Using Larger Than Block-Size Key - Hash Key First"),
                digest);
    assert_hex(&arena, digest, SHA256_SIZE, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    arena_free(&arena);
}

static void hmac_agrees_with_openssl_at_every_length(void **state)
{
    (void)state;
    unsigned char bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 7 + 3);
    for (size_t key_size = 0; key_size < 150; key_size++) {
        unsigned char ours[SHA256_SIZE];
        unsigned char theirs[SHA256_SIZE];
        size_t data_size = key_size * 2;
        hmac_sha256(slice_make(bytes + 100, key_size), slice_make(bytes, data_size), ours);
        assert_non_null(HMAC(EVP_sha256(), bytes + 100, (int)key_size, bytes, data_size, theirs, NULL));
        assert_memory_equal(ours, theirs, SHA256_SIZE);
    }
}

static void pieces_hash_as_the_whole(void **state)
{
    (void)state;
    Arena arena = arena_make();
    char bytes[1000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 31);
    Md5 *in_md5 = md5_begin(&arena);
    Sha256 *in_sha256 = sha256_begin(&arena);
    for (size_t at = 0, step = 0; at < sizeof bytes; at += step, step = (step * 5 + 1) % 97) {
        if (step > sizeof bytes - at)
            step = sizeof bytes - at;
        md5_add(in_md5, slice_make(bytes + at, step));
        sha256_add(in_sha256, slice_make(bytes + at, step));
    }
    unsigned char pieces[SHA256_SIZE];
    unsigned char whole[SHA256_SIZE];
    md5_end(in_md5, pieces);
    md5(slice_make(bytes, sizeof bytes), whole);
    assert_memory_equal(pieces, whole, MD5_SIZE);
    sha256_end(in_sha256, pieces);
    sha256(slice_make(bytes, sizeof bytes), whole);
    assert_memory_equal(pieces, whole, SHA256_SIZE);
    arena_free(&arena);
}

static void *hash_often(void *wrong)
{
    unsigned char first[SHA256_SIZE];
    unsigned char again[SHA256_SIZE];
    hmac_sha256(SLICE("key"), SLICE("data"), first);
    for (int i = 0; i < 2000; i++) {
        md5(SLICE("noise"), again);
        hmac_sha256(SLICE("key"), SLICE("data"), again);
        if (memcmp(first, again, sizeof first) != 0)
            *(int *)wrong = 1;
    }
    return NULL;
}

static void threads_hash_side_by_side(void **state)
{
    (void)state;
    pthread_t threads[4];
    int wrong[4] = {0};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_often, &wrong[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(wrong[i], 0);
    }
}

static void hex_goes_both_ways(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Slice bytes;
    assert_int_equal(hex_decode(&arena, SLICE("00fFAb"), &bytes), OK);
    assert_true(slice_equal(bytes, SLICE("\x00\xff\xab")));
    assert_int_equal(hex_decode(&arena, SLICE(""), &bytes), OK);
    assert_int_equal(bytes.size, 0);
    assert_int_equal(hex_decode(&arena, SLICE("abc"), &bytes), ERROR_MALFORMED);
    assert_int_equal(hex_decode(&arena, SLICE("0g"), &bytes), ERROR_MALFORMED);
    arena_free(&arena);
}

static void base64_goes_both_ways_at_every_length(void **state)
{
    (void)state;
    Arena arena = arena_make();
    assert_string_equal(base64_encode(&arena, SLICE("foobar")).data, "Zm9vYmFy"); /* RFC 4648 section 10 */
    assert_string_equal(base64_encode(&arena, SLICE("fooba")).data, "Zm9vYmE=");
    assert_string_equal(base64_encode(&arena, SLICE("foob")).data, "Zm9vYg==");
    assert_string_equal(base64_encode(&arena, SLICE("")).data, "");
    char bytes[64];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(255 - i * 5);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        Slice back;
        assert_int_equal(base64_decode(&arena, base64_encode(&arena, slice_make(bytes, size)), &back), OK);
        assert_true(slice_equal(back, slice_make(bytes, size)));
    }
    arena_free(&arena);
}

static void base64_refuses_what_is_not_canonical(void **state)
{
    (void)state;
    static const char *const bad[] = {"Zg",     "Zg=",  "Zg===", "Z===", "====", "Zh==",     "Zm9=",
                                      "Zm9v\n", "Zm 9", "Z_9v",  "Zm=v", "=m9v", "Zg==Zg==", "Zm9vZ"};
    Arena arena = arena_make();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Slice bytes;
        if (base64_decode(&arena, slice_of_string(bad[i]), &bytes) != ERROR_MALFORMED)
            fail_msg("accepted %s", bad[i]);
    }
    arena_free(&arena);
}

static void percent_encoding_follows_rfc_3986(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Buffer out = buffer_make(&arena);
    percent_encode(&out, SLICE("a-Z_0.~ /+\xc3\xa9\x00"), false);
    assert_true(slice_equal(buffer_slice(&out), SLICE("a-Z_0.~%20%2F%2B%C3%A9%00")));
    out.size = 0;
    percent_encode(&out, SLICE("a/b c"), true);
    assert_true(slice_equal(buffer_slice(&out), SLICE("a/b%20c")));
    Slice bytes;
    assert_int_equal(percent_decode(&arena, SLICE("a+b%20%2b%C3%a9"), true, &bytes), OK);
    assert_true(slice_equal(bytes, SLICE("a b +\xc3\xa9")));
    assert_int_equal(percent_decode(&arena, SLICE("a+b"), false, &bytes), OK);
    assert_true(slice_equal(bytes, SLICE("a+b")));
    assert_int_equal(percent_decode(&arena, SLICE("a%"), false, &bytes), ERROR_MALFORMED);
    assert_int_equal(percent_decode(&arena, SLICE("a%2"), false, &bytes), ERROR_MALFORMED);
    assert_int_equal(percent_decode(&arena, SLICE("a%2x"), false, &bytes), ERROR_MALFORMED);
    arena_free(&arena);
}

static void secure_equal_compares(void **state)
{
    (void)state;
    assert_true(secure_equal(SLICE("abc"), SLICE("abc")));
    assert_true(secure_equal(SLICE(""), (Slice){0}));
    assert_false(secure_equal(SLICE("abc"), SLICE("abd")));
    assert_false(secure_equal(SLICE("abc"), SLICE("abcd")));
}

static void a_uuid_is_written_in_five_groups(void **state)
{
    (void)state;
    unsigned char bytes[16];
    char text[UUID_TEXT_SIZE];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 17);
    uuid_format(bytes, text);
    assert_memory_equal(text, "00112233-4455-6677-8899-aabbccddeeff", sizeof text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uuid_is_written_in_five_groups),
        cmocka_unit_test(hashes_match_the_published_vectors),
        cmocka_unit_test(hmac_matches_rfc_4231),
        cmocka_unit_test(hmac_agrees_with_openssl_at_every_length),
        cmocka_unit_test(pieces_hash_as_the_whole),
        cmocka_unit_test(threads_hash_side_by_side),
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(base64_goes_both_ways_at_every_length),
        cmocka_unit_test(base64_refuses_what_is_not_canonical),
        cmocka_unit_test(percent_encoding_follows_rfc_3986),
        cmocka_unit_test(secure_equal_compares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
