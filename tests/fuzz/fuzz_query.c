/* Parameters of forms: whatever comes is parsed or refused, and what is parsed is valid UTF-8. */
#include "aws/wire/codec.h"
#include "base/bug.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena arena = arena_make();
    QueryParameters parameters = {.limit = 1000};
    /* A copy, so that reading past its end is seen. */
    if (query_parse(&arena, arena_copy(&arena, slice_make(data, size)), &parameters) == OK)
        for (size_t i = 0; i < parameters.count; i++) {
            ASSERT(utf8_is_valid(parameters.items[i].name) && utf8_is_valid(parameters.items[i].value));
            ASSERT(query_find(&parameters, parameters.items[i].name).data != NULL);
        }
    arena_free(&arena);
    return 0;
}
