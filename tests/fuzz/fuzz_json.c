/* Any bytes: checking and pulling agree, and a string that was read can be written and read again. */
#include "base/bug.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(Arena *arena, Slice value)
{
    ASSERT(utf8_is_valid(value));
    Buffer out = buffer_make(arena);
    JsonWriter writer = json_writer(&out);
    json_write_string(&writer, value);
    JsonReader reader = json_reader(buffer_slice(&out), arena);
    Slice back;
    ASSERT(json_read_string(&reader, &back) == OK && json_read_end(&reader) == OK && slice_equal(back, value));
}

static Error pull_value(JsonReader *reader)
{
    JsonType type;
    Slice text;
    bool flag;
    TRY(json_peek(reader, &type));
    switch (type) {
    case JSON_NULL:
        return json_read_null(reader);
    case JSON_BOOLEAN:
        return json_read_boolean(reader, &flag);
    case JSON_NUMBER:
        return json_read_number(reader, &text);
    case JSON_STRING:
        TRY(json_read_string(reader, &text));
        round_trip(reader->arena, text);
        return OK;
    case JSON_ARRAY:
        TRY(json_begin_array(reader));
        for (;;) {
            TRY(json_next_element(reader, &flag));
            if (!flag)
                return OK;
            TRY(pull_value(reader));
        }
    default:
        TRY(json_begin_object(reader));
        for (;;) {
            TRY(json_next_member(reader, &text));
            if (text.data == NULL)
                return OK;
            round_trip(reader->arena, text);
            TRY(pull_value(reader));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena arena = arena_make();
    Slice text = slice_make(data, size);
    JsonReader reader = json_reader(text, &arena);
    Error pulled = pull_value(&reader);
    if (pulled == OK)
        pulled = json_read_end(&reader);
    ASSERT(pulled == json_check(text));
    arena_free(&arena);
    return 0;
}
