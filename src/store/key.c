#include "store/key.h"

#include "base/bug.h"

/* Strings: 00 inside is 00 FF, the end is 00 01, so that a string sorts before what it is a prefix of. */
enum { STRING_ESCAPE = 0x00, STRING_ESCAPED_ZERO = 0xFF, STRING_END = 0x01 };

void key_add_uint64(Buffer *key, uint64_t value)
{
    unsigned size = value == 0 ? 0 : (71 - (unsigned)__builtin_clzll(value)) / 8;
    unsigned char *out = (unsigned char *)buffer_reserve(key, 1 + size);
    out[0] = (unsigned char)size;
    for (unsigned i = 0; i < size; i++)
        out[1 + i] = (unsigned char)(value >> (8 * (size - 1 - i)));
    key->size += 1 + size;
}

void key_add_string(Buffer *key, Slice string)
{
    char *out = buffer_reserve(key, string.size * 2 + 2);
    for (size_t i = 0; i < string.size; i++) {
        *out++ = string.data[i];
        if (string.data[i] == STRING_ESCAPE)
            *out++ = (char)STRING_ESCAPED_ZERO;
    }
    *out++ = STRING_ESCAPE;
    *out++ = STRING_END;
    key->size = (size_t)(out - key->data);
}

Buffer key_start(Arena *arena, Slice account, Slice region, KeyKind kind)
{
    /* An account is its number plus one; none is 0 (the store's own keys). */
    uint64_t account_element = 0;
    if (account.size > 0) {
        ASSERT(account.size == 12 && slice_parse_uint64(account, &account_element));
        account_element++;
    }
    Buffer key = buffer_make(arena);
    buffer_reserve(&key, 64);
    key_add_uint64(&key, account_element);
    key_add_string(&key, region);
    key_add_tag(&key, (char)kind);
    return key;
}

Error key_take_uint64(Slice *key, uint64_t *value)
{
    if (key->size == 0)
        return ERROR_MALFORMED;
    unsigned size = (unsigned char)key->data[0];
    if (size > 8 || key->size < 1 + (size_t)size)
        return ERROR_MALFORMED;
    uint64_t result = 0;
    for (unsigned i = 0; i < size; i++)
        result = result << 8 | (unsigned char)key->data[1 + i];
    /* One number has one form, else two keys would mean the same. */
    if (size > 0 && key->data[1] == 0)
        return ERROR_MALFORMED;
    *value = result;
    *key = slice_skip(*key, 1 + (size_t)size);
    return OK;
}

Error key_take_string(Slice *key, Arena *arena, Slice *string)
{
    Buffer out = buffer_make(arena);
    buffer_reserve(&out, 16);
    size_t at = 0;
    for (;;) {
        size_t run = slice_find(slice_skip(*key, at), STRING_ESCAPE);
        if (at + run + 1 >= key->size)
            return ERROR_MALFORMED;
        buffer_add(&out, slice_make(key->data + at, run));
        unsigned char after = (unsigned char)key->data[at + run + 1];
        at += run + 2;
        if (after == STRING_END)
            break;
        if (after != STRING_ESCAPED_ZERO)
            return ERROR_MALFORMED;
        buffer_add_byte(&out, '\0');
    }
    *string = buffer_slice(&out);
    *key = slice_skip(*key, at);
    return OK;
}

Error key_take_tag(Slice *key, char *tag)
{
    if (key->size == 0)
        return ERROR_MALFORMED;
    *tag = key->data[0];
    *key = slice_skip(*key, 1);
    return OK;
}

KeyRange key_range_of_prefix(Arena *arena, Slice prefix)
{
    char *end = arena_string(arena, prefix);
    size_t size = prefix.size;
    while (size > 0 && (unsigned char)end[size - 1] == 0xFF)
        size--;
    ASSERT(size > 0);
    end[size - 1] = (char)((unsigned char)end[size - 1] + 1);
    return (KeyRange){.begin = prefix, .end = slice_make(end, size)};
}

KeyRange key_range_after(Arena *arena, Slice prefix, Slice after)
{
    KeyRange range = key_range_of_prefix(arena, prefix);
    if (after.size > 0) {
        Buffer begin = buffer_make(arena);
        buffer_add(&begin, prefix);
        buffer_add(&begin, after);
        buffer_add_byte(&begin, '\0');
        range.begin = buffer_slice(&begin);
    }
    return range;
}

Buffer value_start(Arena *arena, uint8_t schema)
{
    Buffer value = buffer_make(arena);
    buffer_add_byte(&value, (char)schema);
    return value;
}

void value_add_uint64(Buffer *value, uint64_t number)
{
    unsigned char *out = (unsigned char *)buffer_reserve(value, 10);
    size_t size = 0;
    while (number >= 0x80) {
        out[size++] = (unsigned char)(number | 0x80);
        number >>= 7;
    }
    out[size++] = (unsigned char)number;
    value->size += size;
}

void value_add_bytes(Buffer *value, Slice bytes)
{
    value_add_uint64(value, bytes.size);
    buffer_add(value, bytes);
}

void value_add_optional(Buffer *value, Slice bytes)
{
    value_add_uint64(value, bytes.data == NULL ? 0 : (uint64_t)bytes.size + 1);
    buffer_add(value, bytes);
}

Error value_take_schema(Slice *value, uint8_t *schema)
{
    char tag;
    TRY(key_take_tag(value, &tag));
    *schema = (uint8_t)tag;
    return OK;
}

Error value_take_uint64(Slice *value, uint64_t *number)
{
    uint64_t result = 0;
    for (size_t i = 0; i < value->size && i < 10; i++) {
        unsigned char byte = (unsigned char)value->data[i];
        if (i == 9 && byte > 1)
            return ERROR_MALFORMED;
        result |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            *number = result;
            *value = slice_skip(*value, i + 1);
            return OK;
        }
    }
    return ERROR_MALFORMED;
}

static Error take_run(Slice *value, uint64_t size, Slice *bytes)
{
    if (size > value->size)
        return ERROR_MALFORMED;
    *bytes = slice_make(value->data, (size_t)size);
    *value = slice_skip(*value, (size_t)size);
    return OK;
}

Error value_take_bytes(Slice *value, Slice *bytes)
{
    uint64_t size;
    TRY(value_take_uint64(value, &size));
    return take_run(value, size, bytes);
}

Error value_take_optional(Slice *value, Slice *bytes)
{
    uint64_t size;
    TRY(value_take_uint64(value, &size));
    if (size == 0) {
        *bytes = (Slice){0};
        return OK;
    }
    return take_run(value, size - 1, bytes);
}

Home home_of(Slice account, Slice region, Slice kind, Slice name)
{
    /* FNV-1a over the parts with their lengths: stable for ever, since leases on many nodes are held on it. */
    uint64_t hash = 0xcbf29ce484222325u;
    Slice parts[] = {account, region, kind, name};
    for (size_t part = 0; part < sizeof parts / sizeof parts[0]; part++) {
        hash = (hash ^ parts[part].size) * 0x100000001b3u;
        for (size_t i = 0; i < parts[part].size; i++)
            hash = (hash ^ (unsigned char)parts[part].data[i]) * 0x100000001b3u;
    }
    return hash;
}
