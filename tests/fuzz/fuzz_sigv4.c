/* Signatures from outside bytes: parsing, canonical requests and verification never crash, and no input verifies with
 * a key that nobody signed with.
 *
 * The input: method, path, query, then "name:value" lines and the body, all separated by newlines, an empty line before
 * the body. */
#include "aws/wire/sigv4.h"
#include "base/bug.h"

enum { HEADERS_MAX = 32 };

static Slice take_line(Slice *rest)
{
    size_t end = slice_find(*rest, '\n');
    Slice line = {rest->data, end};
    *rest = slice_skip(*rest, end < rest->size ? end + 1 : end);
    return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char key[SHA256_SIZE] = {1, 2, 3};
    Arena arena = arena_make();
    Slice rest = slice_make(data, size);
    HttpHeader headers[HEADERS_MAX];
    HttpRequest request = {.arena = &arena, .headers = headers};
    request.method = take_line(&rest);
    request.path = take_line(&rest);
    request.query = take_line(&rest);
    while (request.header_count < HEADERS_MAX) {
        Slice value = take_line(&rest);
        if (value.size == 0)
            break;
        size_t colon = slice_find(value, ':');
        headers[request.header_count++] =
            (HttpHeader){{value.data, colon}, slice_skip(value, colon < value.size ? colon + 1 : colon)};
    }

    SigV4 signature;
    Slice message = {0};
    sigv4_read_credential(&request, &arena, &signature);
    SigV4Verdict verdict = sigv4_parse(&request, &arena, &signature, &message);
    ASSERT((verdict == SIGV4_GOOD) == (message.data == NULL));
    if (verdict == SIGV4_GOOD) {
        sigv4_check_time(&signature, 1440938160, &arena, &message);
        verdict = sigv4_verify(&signature, &request, rest, key, &arena, &message);
        ASSERT(verdict != SIGV4_GOOD);
    }
    arena_free(&arena);
    return 0;
}
