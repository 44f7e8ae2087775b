/* Any bytes: checking and pulling agree, and what was pulled can be written and is read again as the same bytes. */
#include "base/bug.h"
#include "base/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Error copy_scalar(CborReader *reader, CborType type, Buffer *out)
{
    uint64_t number;
    int64_t integer;
    double real;
    bool truth;
    Slice text;
    switch (type) {
    case CBOR_UNSIGNED:
        TRY(cbor_read_uint64(reader, &number));
        cbor_write_uint64(out, number);
        return OK;
    case CBOR_NEGATIVE:
        if (cbor_read_int64(reader, &integer) == OK)
            cbor_write_int64(out, integer);
        else
            TRY(cbor_read_any(reader, &text)); /* past int64_t */
        return OK;
    case CBOR_BYTES:
        TRY(cbor_read_bytes(reader, &text));
        cbor_write_bytes(out, text);
        return OK;
    case CBOR_TEXT:
        TRY(cbor_read_text(reader, &text));
        cbor_write_text(out, text);
        return OK;
    case CBOR_BOOLEAN:
        TRY(cbor_read_boolean(reader, &truth));
        cbor_write_boolean(out, truth);
        return OK;
    case CBOR_FLOAT:
        TRY(cbor_read_double(reader, &real));
        cbor_write_double(out, real);
        return OK;
    case CBOR_NULL:
    case CBOR_UNDEFINED:
        TRY(cbor_read_null(reader));
        cbor_write_null(out);
        return OK;
    default:
        TRY(cbor_read_any(reader, &text));
        return OK;
    }
}

static Error copy_item(CborReader *reader, Buffer *out)
{
    CborType type;
    uint64_t tag;
    TRY(cbor_peek(reader, &type));
    while (type == CBOR_TAG) {
        TRY(cbor_read_tag(reader, &tag));
        cbor_write_tag(out, tag);
        TRY(cbor_peek(reader, &type));
    }
    if (type != CBOR_ARRAY && type != CBOR_MAP) {
        size_t before = out->size;
        TRY(copy_scalar(reader, type, out));
        if (out->size == before)
            cbor_write_null(out); /* what has no writer */
        return OK;
    }
    if (type == CBOR_ARRAY)
        cbor_write_array_indefinite(out);
    else
        cbor_write_map_indefinite(out);
    TRY(type == CBOR_ARRAY ? cbor_begin_array(reader) : cbor_begin_map(reader));
    for (;;) {
        bool more;
        TRY(type == CBOR_ARRAY ? cbor_next_element(reader, &more) : cbor_next_member(reader, &more));
        if (!more)
            break;
        TRY(copy_item(reader, out));
        if (type == CBOR_MAP)
            TRY(copy_item(reader, out));
    }
    cbor_write_break(out);
    return OK;
}

static Error copy_document(Slice bytes, Arena *arena, Slice *copy)
{
    CborReader reader = cbor_reader(bytes, arena);
    Buffer out = buffer_make(arena);
    TRY(copy_item(&reader, &out));
    TRY(cbor_read_end(&reader));
    *copy = buffer_slice(&out);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena arena = arena_make();
    Slice bytes = slice_make(data, size);
    Slice copy;
    Slice again;
    Error pulled = copy_document(bytes, &arena, &copy);
    ASSERT(pulled == cbor_check(bytes));
    if (pulled == OK)
        ASSERT(copy_document(copy, &arena, &again) == OK && slice_equal(copy, again));
    arena_free(&arena);
    return 0;
}
