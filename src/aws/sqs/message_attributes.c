#include "aws/sqs/dialect.h"

#include "base/digest.h"

#include <inttypes.h>
#include <stdlib.h>

/* Message attributes: their rules and their digest (SQS developer guide, "Amazon SQS message attributes"). */

enum { ATTRIBUTE_NAME_MAX = 256, ATTRIBUTE_TYPE_MAX = 256 };

/* How a value is announced in the digest. */
enum { TRANSPORT_STRING = 1, TRANSPORT_BINARY = 2 };

/* ---- Names ---- */

static Slice prefix_of(Slice text, size_t size)
{
    return (Slice){text.data, text.size < size ? text.size : size};
}

/* One character of UTF-8, which the text is. */
static uint32_t take_character(Slice *text)
{
    unsigned char first = (unsigned char)text->data[0];
    size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size > text->size)
        size = text->size;
    uint32_t character = size == 1 ? first : first & (0x7fu >> size);
    for (size_t i = 1; i < size; i++)
        character = character << 6 | ((unsigned char)text->data[i] & 0x3f);
    *text = slice_skip(*text, size);
    return character;
}

/* The guide lists letters of ASCII, digits, underscore, hyphen and period; SQS takes other letters too, and refuses
 * signs such as '§'. From U+00C0 on, characters are taken for letters but for the signs and the blocks of signs. */
static bool is_name_character(uint32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == '.';
    if (c == 0xaa || c == 0xb5 || c == 0xba)
        return true;
    return c >= 0xc0 && c != 0xd7 && c != 0xf7 && !(c >= 0x2000 && c <= 0x2bff) && !(c >= 0x3000 && c <= 0x3004) &&
           !(c >= 0xe000 && c <= 0xf8ff) && c < 0xfff0;
}

static bool is_valid_name(Slice name)
{
    if (name.size == 0 || name.data[0] == '.' || name.data[name.size - 1] == '.')
        return false;
    if (slice_equal_ignore_case(prefix_of(name, 4), SLICE("aws.")) ||
        slice_equal_ignore_case(prefix_of(name, 7), SLICE("amazon.")))
        return false;
    size_t characters = 0;
    uint32_t before = 0;
    while (name.size > 0) {
        uint32_t character = take_character(&name);
        if (!is_name_character(character) || (character == '.' && before == '.'))
            return false;
        before = character;
        characters++;
    }
    return characters <= ATTRIBUTE_NAME_MAX;
}

/* ---- Types and values ---- */

/* The logical type before the label: "Number" of "Number.price". */
static Slice logical_type(Slice type)
{
    return prefix_of(type, slice_find(type, '.'));
}

static bool is_binary(Slice type)
{
    return slice_equal(logical_type(type), SLICE("Binary"));
}

static Error check_text(Call *call, Slice name, Slice text)
{
    uint32_t character;
    if (!sqs_find_forbidden_character(text, &character))
        return OK;
    return call_fail(call, &common_invalid_parameter_value,
                     "Invalid binary character '#x%X' was found in the message attribute '%.*s', the set of allowed "
                     "characters is #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
                     character, SLICE_PRINT(name));
}

static Error check_type(Call *call, Slice name, Slice type)
{
    if (type.size == 0)
        return call_fail(call, &common_invalid_parameter_value,
                         "Message (user) attribute '%.*s' must contain a non-empty attribute type.", SLICE_PRINT(name));
    Slice logical = logical_type(type);
    bool known = slice_equal(logical, SLICE("String")) || slice_equal(logical, SLICE("Number")) ||
                 slice_equal(logical, SLICE("Binary"));
    if (!known)
        return call_fail(call, &common_invalid_parameter_value,
                         "The type of message (user) attribute '%.*s' is invalid. You must use only the following "
                         "supported type prefixes: Binary, Number, String.",
                         SLICE_PRINT(name));
    if (type.size > ATTRIBUTE_TYPE_MAX)
        return call_fail(call, &common_invalid_parameter_value,
                         "The type of message (user) attribute '%.*s' must be shorter than %d bytes.",
                         SLICE_PRINT(name), ATTRIBUTE_TYPE_MAX);
    return check_text(call, name, type);
}

static Error check_value(Call *call, Slice name, Slice type, Slice string, Slice binary, Slice *value)
{
    Slice logical = logical_type(type);
    *value = is_binary(type) ? binary : string;
    if (value->size == 0)
        return call_fail(call, &common_invalid_parameter_value,
                         "Message (user) attribute '%.*s' must contain a non-empty value of type '%.*s'.",
                         SLICE_PRINT(name), SLICE_PRINT(logical));
    if (string.size > 0 && binary.size > 0)
        return call_fail(call, &common_invalid_parameter_value,
                         "Message (user) attribute '%.*s' must contain a value of one type only.", SLICE_PRINT(name));
    if (is_binary(type))
        return OK;
    if (slice_equal(logical, SLICE("Number")) && !sqs_is_number(*value))
        return call_fail(call, &common_invalid_parameter_value,
                         "Can't cast the value of message (user) attribute '%.*s' to a number.", SLICE_PRINT(name));
    return check_text(call, name, *value);
}

static int by_name(const void *left, const void *right)
{
    return slice_compare(((const MessageAttribute *)left)->name, ((const MessageAttribute *)right)->name);
}

Error sqs_read_message_attributes(Call *call, const SqsMessageBodyAttributeMap *map, Message *message)
{
    uint64_t max = call->limits->value[LIMIT_SQS_MESSAGE_ATTRIBUTES];
    if (map->count == 0)
        return OK;
    if (map->count > max)
        return call_fail(call, &common_invalid_parameter_value,
                         "Number of message attributes [%zu] exceeds the allowed maximum [%" PRIu64 "].", map->count,
                         max);
    MessageAttribute *attributes = ARENA_ARRAY(call->arena, MessageAttribute, map->count);
    for (size_t i = 0; i < map->count; i++) {
        Slice name = map->items[i].key;
        const SqsMessageAttributeValue *given = &map->items[i].value;
        if (!is_valid_name(name))
            return call_fail(call, &common_invalid_parameter_value,
                             "The name of message (user) attribute '%.*s' is invalid. It can contain letters, digits, "
                             "hyphens, underscores and periods, must not start with 'AWS.', 'Amazon.' or a period, end "
                             "with a period or hold two in a row, and be 1 to 256 in length.",
                             SLICE_PRINT(name));
        TRY(check_type(call, name, given->data_type));
        if (given->string_list_values.count > 0 || given->binary_list_values.count > 0)
            return call_fail(call, &common_invalid_parameter_value,
                             "Message attribute list values in SendMessage operation are not supported.");
        attributes[i] = (MessageAttribute){.name = name, .type = given->data_type};
        TRY(check_value(call, name, given->data_type, given->string_value, given->binary_value, &attributes[i].value));
    }
    qsort(attributes, map->count, sizeof(attributes[0]), by_name);
    for (size_t i = 1; i < map->count; i++)
        if (slice_equal(attributes[i - 1].name, attributes[i].name))
            return call_fail(call, &common_invalid_parameter_value,
                             "Message (user) attribute '%.*s' is given more than once.",
                             SLICE_PRINT(attributes[i].name));
    message->attributes = attributes;
    message->attribute_count = map->count;
    return OK;
}

Error sqs_read_system_attributes(Call *call, const SqsMessageBodySystemAttributeMap *map, Message *message,
                                 Slice *digest)
{
    *digest = (Slice){0};
    message->trace = call->trace;
    for (size_t i = 0; i < map->count; i++) {
        Slice name = map->items[i].key;
        const SqsMessageSystemAttributeValue *given = &map->items[i].value;
        if (!slice_equal(name, SLICE("AWSTraceHeader")) || i > 0)
            return call_fail(call, &common_invalid_parameter_value,
                             "Message system attribute name '%.*s' is invalid. The only one supported is "
                             "AWSTraceHeader.",
                             SLICE_PRINT(name));
        if (!slice_equal(given->data_type, SLICE("String")))
            return call_fail(call, &common_invalid_parameter_value,
                             "The type of message system attribute '%.*s' must be String.", SLICE_PRINT(name));
        MessageAttribute attribute = {.name = name, .type = given->data_type};
        TRY(check_value(call, name, given->data_type, given->string_value, given->binary_value, &attribute.value));
        message->trace = attribute.value;
        *digest = sqs_message_attributes_md5(call->arena, &attribute, 1);
    }
    return OK;
}

/* ---- The digest ---- */

static void add_with_length(Md5 *state, Slice bytes)
{
    const unsigned char length[4] = {(unsigned char)(bytes.size >> 24), (unsigned char)(bytes.size >> 16),
                                     (unsigned char)(bytes.size >> 8), (unsigned char)bytes.size};
    md5_add(state, slice_make(length, sizeof(length)));
    md5_add(state, bytes);
}

Slice sqs_message_attributes_md5(Arena *arena, const MessageAttribute *attributes, size_t count)
{
    if (count == 0)
        return (Slice){0};
    Md5 *state = md5_begin(arena);
    for (size_t i = 0; i < count; i++) {
        const char transport = is_binary(attributes[i].type) ? TRANSPORT_BINARY : TRANSPORT_STRING;
        add_with_length(state, attributes[i].name);
        add_with_length(state, attributes[i].type);
        md5_add(state, slice_make(&transport, 1));
        add_with_length(state, attributes[i].value);
    }
    unsigned char digest[MD5_SIZE];
    md5_end(state, digest);
    return hex_encode(arena, digest, sizeof(digest));
}

/* ---- Filters ---- */

bool sqs_wants_attribute(const SqsMessageAttributeNameList *names, Slice name)
{
    for (size_t i = 0; i < names->count; i++) {
        Slice wanted = names->items[i];
        if (slice_equal(wanted, SLICE("All")) || slice_equal(wanted, name))
            return true;
        if (slice_ends_with(wanted, SLICE(".*")) && slice_starts_with(name, prefix_of(wanted, wanted.size - 2)))
            return true;
    }
    return false;
}
