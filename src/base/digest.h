/* digest.h: hashes, message authentication codes and encodings of bytes as text.
 *
 * OpenSSL computes; algorithms are fetched once a process and contexts once a thread. Any thread. */
#ifndef BRUME_BASE_DIGEST_H
#define BRUME_BASE_DIGEST_H

#include "base/buffer.h"
#include "base/error.h"

enum { MD5_SIZE = 16, SHA256_SIZE = 32 };

void md5(Slice data, unsigned char digest[MD5_SIZE]);
void sha256(Slice data, unsigned char digest[SHA256_SIZE]);
void hmac_sha256(Slice key, Slice data, unsigned char digest[SHA256_SIZE]);

/* A hash that is computed over pieces. */
typedef struct Md5 Md5;
typedef struct Sha256 Sha256;
Md5 *md5_begin(Arena *arena);
void md5_add(Md5 *state, Slice data);
void md5_end(Md5 *state, unsigned char digest[MD5_SIZE]); /* frees what OpenSSL holds */
Sha256 *sha256_begin(Arena *arena);
void sha256_add(Sha256 *state, Slice data);
void sha256_end(Sha256 *state, unsigned char digest[SHA256_SIZE]);

/* Lower-case hexadecimal of `size` bytes. */
Slice hex_encode(Arena *arena, const void *bytes, size_t size);
/* ERROR_MALFORMED: odd length or another character; either case is read. */
Error hex_decode(Arena *arena, Slice text, Slice *bytes);
enum { UUID_TEXT_SIZE = 36 };
/* The text of a UUID's 16 bytes as they stand (RFC 9562 section 4). */
void uuid_format(const unsigned char bytes[16], char text[UUID_TEXT_SIZE]);
/* RFC 4648 section 4, padded. */
Slice base64_encode(Arena *arena, Slice bytes);
/* ERROR_MALFORMED: another alphabet, wrong padding, stray bits. */
Error base64_decode(Arena *arena, Slice text, Slice *bytes);

/* Percent-encoding as signatures ask for it (RFC 3986 unreserved characters stay; '/' stays when asked). */
void percent_encode(Buffer *out, Slice bytes, bool keep_slash);
/* Decodes %XX, and '+' as a space when `plus_is_space` (forms). ERROR_MALFORMED: a '%' without two digits. */
Error percent_decode(Arena *arena, Slice text, bool plus_is_space, Slice *bytes);

/* Whether the bytes are equal, in a time that does not tell where they differ. */
bool secure_equal(Slice a, Slice b);

/* The library that does it and its version, as "OpenSSL 3.0.0"; static. */
const char *digest_library(void);

#endif
