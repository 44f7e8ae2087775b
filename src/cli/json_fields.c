#include "cli/json_fields.h"

static Error read_value(JsonReader *reader, Slice *text)
{
    JsonType type;
    TRY(json_peek(reader, &type));
    switch (type) {
    case JSON_STRING:
        return json_read_string(reader, text);
    case JSON_NUMBER:
        return json_read_number(reader, text);
    case JSON_NULL:
        return json_read_null(reader);
    default:
        return ERROR_MALFORMED;
    }
}

Error json_read_fields(JsonReader *reader, JsonField *fields, size_t count)
{
    Slice name;
    Slice skipped;
    for (size_t i = 0; i < count; i++)
        fields[i].text = (Slice){0};
    TRY(json_begin_object(reader));
    for (;;) {
        TRY(json_next_member(reader, &name));
        if (name.data == NULL)
            return OK;
        JsonField *field = NULL;
        for (size_t i = 0; i < count && field == NULL; i++)
            field = slice_equal(name, fields[i].name) ? &fields[i] : NULL;
        if (field == NULL)
            TRY(json_read_any(reader, &skipped));
        else
            TRY(read_value(reader, &field->text));
    }
}

Error json_read_document(Slice document, Arena *arena, JsonField *fields, size_t count)
{
    JsonReader reader = json_reader(document, arena);
    TRY(json_read_fields(&reader, fields, count));
    return json_read_end(&reader);
}
