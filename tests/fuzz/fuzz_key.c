/* Keys and values read back from the disk: whatever the bytes are, reading ends, and what was read is what it says. */
#include "store/key.h"

#include "base/bug.h"

static void fuzz_key(Slice input, Arena *arena)
{
    Slice rest = input;
    Buffer again = buffer_make(arena);
    uint64_t number;
    Slice string;
    char tag;
    while (rest.size > 0) {
        if (key_take_tag(&rest, &tag) != OK)
            return;
        key_add_tag(&again, tag);
        if (tag & 1) {
            if (key_take_uint64(&rest, &number) != OK)
                return;
            key_add_uint64(&again, number);
        } else {
            if (key_take_string(&rest, arena, &string) != OK)
                return;
            key_add_string(&again, string);
        }
    }
    /* One tuple has one key. */
    ASSERT(slice_equal(buffer_slice(&again), input));
}

static void fuzz_value(Slice input)
{
    Slice rest = input;
    uint8_t schema;
    uint64_t number;
    Slice bytes;
    while (value_take_schema(&rest, &schema) == OK) {
        Error error = schema & 1   ? value_take_uint64(&rest, &number)
                      : schema & 2 ? value_take_bytes(&rest, &bytes)
                                   : value_take_optional(&rest, &bytes);
        if (error != OK)
            return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena arena = arena_make();
    Slice input = slice_make(data, size);
    fuzz_key(input, &arena);
    fuzz_value(input);
    if (size > 0 && data[0] != 0xFF) {
        KeyRange range = key_range_of_prefix(&arena, input);
        ASSERT(slice_compare(range.begin, range.end) < 0);
    }
    arena_free(&arena);
    return 0;
}
