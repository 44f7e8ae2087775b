/* log_pattern_fields.c: [ip, user, ..., status = 4* || status = 5*, bytes > 100]: conditions on the fields of an event, which
 * stand between spaces; what is in brackets or quotation marks is one field (user guide, "Using filter patterns to match
 * terms in space-delimited log events"). */
#include "core/log_pattern_internal.h"

typedef struct FieldTest {
    PatternTest test;
    bool is_or; /* it and what stands before it: one of both; otherwise both */
} FieldTest;

typedef struct Column {
    Slice name; /* absent: any number of fields */
    FieldTest *tests;
    size_t test_count;
} Column;

struct FieldPattern {
    Column *columns;
    size_t count;
    size_t rest; /* the column that stands for any number of fields; `count`: none does */
};

/* ---- Parsing ---- */

static size_t name_size(Slice rest)
{
    size_t size = 0;
    while (size < rest.size && (unsigned char)rest.data[size] > ' ' && strchr(",]=!<>&|\"%", rest.data[size]) == NULL)
        size++;
    return size;
}

static Error parse_name(PatternParser *parser, Column *column)
{
    pattern_skip_space(parser);
    size_t size = name_size(parser->rest);
    Slice name = slice_make(parser->rest.data, size);
    parser->rest = slice_skip(parser->rest, size);
    if (size == 0)
        return pattern_fail(parser, "a field's name is missing");
    if (column->name.data != NULL && !slice_equal(column->name, name))
        return pattern_fail(parser, "a condition of a field names another one");
    column->name = name;
    return OK;
}

/* name = value || name = value && … */
static Error parse_column(PatternParser *parser, Column *column)
{
    bool is_or = false;
    column->tests = ARENA_ARRAY(parser->arena, FieldTest, parser->rest.size / 2 + 1);
    for (;;) {
        TRY(parse_name(parser, column));
        pattern_skip_space(parser);
        if (parser->rest.size > 0 && strchr("=!<>", parser->rest.data[0]) != NULL) {
            FieldTest *test = &column->tests[column->test_count++];
            test->is_or = is_or;
            TRY(pattern_take_test(parser, ",]", &test->test));
            pattern_skip_space(parser);
        }
        is_or = pattern_take(parser, SLICE("||"));
        if (!is_or && !pattern_take(parser, SLICE("&&")))
            return OK;
    }
}

static Error parse_columns(PatternParser *parser, FieldPattern *fields)
{
    for (;;) {
        Column *column = &fields->columns[fields->count++];
        pattern_skip_space(parser);
        if (pattern_take(parser, SLICE("..."))) {
            if (fields->rest != SIZE_MAX)
                return pattern_fail(parser, "it has more than one ...");
            fields->rest = fields->count - 1;
        } else {
            TRY(parse_column(parser, column));
        }
        pattern_skip_space(parser);
        if (pattern_take(parser, SLICE("]")))
            return OK;
        if (!pattern_take(parser, SLICE(",")))
            return pattern_fail(parser, "a comma or the closing bracket is missing");
    }
}

Error field_pattern_parse(PatternParser *parser, FieldPattern **result)
{
    FieldPattern *fields = ARENA_NEW(parser->arena, FieldPattern);
    parser->rest = slice_skip(parser->rest, 1);
    fields->columns = ARENA_ARRAY(parser->arena, Column, parser->rest.size + 1);
    fields->rest = SIZE_MAX;
    *result = fields;
    TRY(parse_columns(parser, fields));
    if (fields->rest == SIZE_MAX)
        fields->rest = fields->count;
    pattern_skip_space(parser);
    return parser->rest.size == 0 ? OK : pattern_fail(parser, "something stands behind the closing bracket");
}

/* ---- Fields ---- */

/* Takes one field off the front; false: there is none. */
static bool take_field(Slice *rest, Slice *field)
{
    while (rest->size > 0 && (rest->data[0] == ' ' || (rest->data[0] >= '\t' && rest->data[0] <= '\r')))
        *rest = slice_skip(*rest, 1);
    if (rest->size == 0)
        return false;
    char closing = rest->data[0] == '[' ? ']' : rest->data[0] == '"' ? '"' : '\0';
    size_t end = closing == '\0' ? 0 : 1;
    while (end < rest->size &&
           (closing != '\0' ? rest->data[end] != closing
                            : rest->data[end] != ' ' && !(rest->data[end] >= '\t' && rest->data[end] <= '\r')))
        end++;
    if (closing != '\0' && end < rest->size) {
        *field = slice_make(rest->data + 1, end - 1);
        *rest = slice_skip(*rest, end + 1);
        return true;
    }
    *field = slice_make(rest->data, end);
    *rest = slice_skip(*rest, end);
    return true;
}

/* All of them, or those that a pattern of `most` columns can look at: it fits none that has more. */
static size_t split(Slice message, size_t most, Slice *fields)
{
    size_t count = 0;
    while (count < most && take_field(&message, &fields[count]))
        count++;
    return count;
}

static bool column_holds(const Column *column, Slice field)
{
    bool holds = true;
    for (size_t i = 0; i < column->test_count; i++) {
        const FieldTest *test = &column->tests[i];
        if (i > 0 && holds == test->is_or)
            continue; /* decided already */
        holds = pattern_test_holds(&test->test, field, true);
    }
    return holds;
}

/* The field of a column; SIZE_MAX: it has none, or stands for many. */
static size_t field_of(const FieldPattern *pattern, size_t column, size_t field_count)
{
    if (column == pattern->rest)
        return SIZE_MAX;
    return column < pattern->rest ? column : field_count - (pattern->count - column);
}

static size_t read_fields(const FieldPattern *pattern, Slice message, Arena *arena, Slice **fields)
{
    bool open = pattern->rest < pattern->count;
    size_t most = open ? message.size / 2 + 1 : pattern->count + 1;
    *fields = ARENA_ARRAY(arena, Slice, most);
    size_t count = split(message, most, *fields);
    bool fits = open ? count + 1 >= pattern->count : count == pattern->count;
    return fits ? count : SIZE_MAX;
}

bool field_pattern_matches(const FieldPattern *pattern, Slice message, Arena *scratch)
{
    Slice *fields;
    size_t count = read_fields(pattern, message, scratch, &fields);
    if (count == SIZE_MAX)
        return false;
    for (size_t i = 0; i < pattern->count; i++)
        if (i != pattern->rest && !column_holds(&pattern->columns[i], fields[field_of(pattern, i, count)]))
            return false;
    return true;
}

void field_pattern_extract(const FieldPattern *pattern, Slice message, Arena *arena, LogExtract **values, size_t *count)
{
    Slice *fields;
    size_t field_count = read_fields(pattern, message, arena, &fields);
    *values = ARENA_ARRAY(arena, LogExtract, pattern->count);
    for (size_t i = 0; field_count != SIZE_MAX && i < pattern->count; i++)
        if (i != pattern->rest)
            (*values)[(*count)++] = (LogExtract){arena_format(arena, "$%.*s", SLICE_PRINT(pattern->columns[i].name)),
                                                 fields[field_of(pattern, i, field_count)]};
}

bool field_pattern_names(const FieldPattern *pattern, Slice name)
{
    if (!slice_starts_with(name, SLICE("$")))
        return false;
    for (size_t i = 0; i < pattern->count; i++)
        if (i != pattern->rest && slice_equal(pattern->columns[i].name, slice_skip(name, 1)))
            return true;
    return false;
}
