/* Filter patterns of whoever asks: compiling and matching end, and whatever compiles can be matched and measured. Input: the
 * pattern, a zero byte, the message; behind another one the name of a value. */
#include "core/log_pattern.h"

#include "base/bug.h"

static void fuzz_pattern(Slice input, Arena *arena)
{
    LogPattern *pattern;
    LogExtract *values;
    size_t count;
    const char *why = NULL;
    size_t end = slice_find(input, '\0');
    Slice text = slice_make(input.data, end);
    Slice message =
        end < input.size ? slice_skip(input, end + 1) : SLICE("{\"a\": [1, {\"b\": \"c\"}], \"d\": null} x");
    Error error = log_pattern_compile(text, arena, &pattern, &why);
    ASSERT(error == OK || (error == LOG_PATTERN_INVALID && why != NULL));
    if (error != OK)
        return;
    if (log_pattern_matches(pattern, message, arena))
        log_pattern_extract(pattern, message, arena, &values, &count);
    size_t message_end = slice_find(message, '\0');
    Slice name = message_end < message.size ? slice_skip(message, message_end + 1) : SLICE("$.a[1].b");
    log_pattern_names(pattern, name, arena);
    log_pattern_value(pattern, name, message, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena arena = arena_make();
    fuzz_pattern(slice_make(data, size), &arena);
    arena_free(&arena);
    return 0;
}
