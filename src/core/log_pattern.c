/* log_pattern.c: which of the three languages a pattern is in; and terms. */
#include "core/log_pattern_internal.h"

enum { REGEXES_MAX = 2 }; /* user guide, "Supported regular expressions (regex) syntax": Quotas */

/* ---- Parsing ---- */

Error pattern_fail(PatternParser *parser, const char *why)
{
    if (parser->why == NULL)
        parser->why = why;
    return LOG_PATTERN_INVALID;
}

static bool is_space(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

void pattern_skip_space(PatternParser *parser)
{
    while (parser->rest.size > 0 && is_space(parser->rest.data[0]))
        parser->rest = slice_skip(parser->rest, 1);
}

bool pattern_take(PatternParser *parser, Slice word)
{
    if (!slice_starts_with(parser->rest, word))
        return false;
    parser->rest = slice_skip(parser->rest, word.size);
    return true;
}

Error pattern_take_quoted(PatternParser *parser, Slice *text)
{
    char *out = arena_alloc_aligned(parser->arena, parser->rest.size + 1, 1);
    size_t size = 0;
    size_t at = 1;
    for (; at < parser->rest.size && parser->rest.data[at] != '"'; at++) {
        bool escaped = parser->rest.data[at] == '\\' && at + 1 < parser->rest.size &&
                       (parser->rest.data[at + 1] == '"' || parser->rest.data[at + 1] == '\\');
        at += escaped;
        out[size++] = parser->rest.data[at];
    }
    if (at >= parser->rest.size)
        return pattern_fail(parser, "a quotation mark is not closed");
    parser->rest = slice_skip(parser->rest, at + 1);
    *text = slice_make(out, size);
    return OK;
}

/* User guide, "Supported regular expressions (regex) syntax": letters, digits, some symbols, some operators; no groups, no
 * bytes beyond ASCII. Behind a backslash may stand a symbol, or the letter of a class or of \xhh. */
static bool regex_allows(Slice expression)
{
    static const char symbols[] = ":_#=@/;,-^$?[]{}|*+.";
    static const char classes[] = "dDsSwWx";
    for (size_t i = 0; i < expression.size; i++) {
        unsigned char byte = (unsigned char)expression.data[i];
        bool is_word = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        if (byte == '\\') {
            if (++i == expression.size)
                return false;
            byte = (unsigned char)expression.data[i];
            is_word = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
            if (byte <= ' ' || byte >= 0x7f || (is_word && strchr(classes, byte) == NULL))
                return false;
        } else if (!is_word && (byte == '\0' || strchr(symbols, byte) == NULL)) {
            return false;
        }
    }
    return true;
}

Error pattern_take_regex(PatternParser *parser, Regex **regex)
{
    size_t at = 1;
    while (at < parser->rest.size && parser->rest.data[at] != '%')
        at += parser->rest.data[at] == '\\' ? 2 : 1;
    if (at >= parser->rest.size)
        return pattern_fail(parser, "a regular expression is not closed by %");
    Slice expression = slice_make(parser->rest.data + 1, at - 1);
    parser->rest = slice_skip(parser->rest, at + 1);
    if (++parser->regexes > REGEXES_MAX)
        return pattern_fail(parser, "it has more than two regular expressions");
    if (!regex_allows(expression) || regex_compile(expression, parser->arena, regex) != OK)
        return pattern_fail(parser, "a regular expression is not of the supported syntax");
    return OK;
}

/* ---- Terms ---- */

typedef enum TermKind { TERM_REQUIRED, TERM_OPTIONAL, TERM_EXCLUDED } TermKind;

typedef struct Term {
    TermKind kind;
    Slice text;
    Regex *regex; /* NULL: the text */
} Term;

typedef enum LogPatternKind { PATTERN_ANY, PATTERN_TERMS, PATTERN_JSON, PATTERN_FIELDS } LogPatternKind;

struct LogPattern {
    LogPatternKind kind;
    Term *terms;
    size_t term_count;
    bool has_others; /* than optional terms */
    JsonCondition *condition;
    FieldPattern *fields;
};

static Error parse_term(PatternParser *parser, Term *term)
{
    term->kind = pattern_take(parser, SLICE("?"))   ? TERM_OPTIONAL
                 : pattern_take(parser, SLICE("-")) ? TERM_EXCLUDED
                                                    : TERM_REQUIRED;
    if (parser->rest.size > 0 && parser->rest.data[0] == '"')
        return pattern_take_quoted(parser, &term->text);
    if (parser->rest.size > 0 && parser->rest.data[0] == '%')
        return pattern_take_regex(parser, &term->regex);
    size_t size = 0;
    while (size < parser->rest.size && !is_space(parser->rest.data[size]))
        size++;
    if (size == 0)
        return pattern_fail(parser, "a term is missing behind ? or -");
    term->text = slice_make(parser->rest.data, size);
    parser->rest = slice_skip(parser->rest, size);
    return OK;
}

static Error parse_terms(PatternParser *parser, LogPattern *pattern)
{
    pattern->kind = PATTERN_TERMS;
    pattern->terms = ARENA_ARRAY(parser->arena, Term, parser->rest.size);
    for (pattern_skip_space(parser); parser->rest.size > 0; pattern_skip_space(parser)) {
        Term *term = &pattern->terms[pattern->term_count++];
        TRY(parse_term(parser, term));
        pattern->has_others = pattern->has_others || term->kind != TERM_OPTIONAL;
    }
    return OK;
}

static bool has_term(const Term *term, Slice message)
{
    if (term->regex != NULL)
        return regex_matches(term->regex, message);
    return term->text.size == 0 || memmem(message.data, message.size, term->text.data, term->text.size) != NULL;
}

/* User guide, "Using filter patterns to match terms in unstructured log events": all terms, or any of those with '?', which
 * do not count where there are others; none of those with '-'. */
static bool terms_match(const LogPattern *pattern, Slice message)
{
    bool any = false;
    for (size_t i = 0; i < pattern->term_count; i++) {
        const Term *term = &pattern->terms[i];
        if (term->kind == TERM_OPTIONAL) {
            any = any || (!pattern->has_others && has_term(term, message));
            continue;
        }
        if (has_term(term, message) != (term->kind == TERM_REQUIRED))
            return false;
    }
    return any || pattern->has_others;
}

/* ---- Patterns ---- */

Error log_pattern_compile(Slice text, Arena *arena, LogPattern **result, const char **why)
{
    PatternParser parser = {.rest = arena_copy(arena, text), .arena = arena};
    LogPattern *pattern = ARENA_NEW(arena, LogPattern);
    Error error = OK;
    *result = pattern;
    if (text.size > LOG_PATTERN_BYTES_MAX)
        error = pattern_fail(&parser, "it is too long");
    pattern_skip_space(&parser);
    if (error != OK || parser.rest.size == 0) {
        pattern->kind = PATTERN_ANY;
    } else if (parser.rest.data[0] == '{') {
        pattern->kind = PATTERN_JSON;
        error = json_condition_parse(&parser, &pattern->condition);
    } else if (parser.rest.data[0] == '[') {
        pattern->kind = PATTERN_FIELDS;
        error = field_pattern_parse(&parser, &pattern->fields);
    } else {
        error = parse_terms(&parser, pattern);
    }
    *why = parser.why;
    return error;
}

bool log_pattern_matches(const LogPattern *pattern, Slice message, Arena *scratch)
{
    bool matches = true;
    ArenaMark mark = arena_mark(scratch);
    if (pattern->kind == PATTERN_TERMS)
        matches = terms_match(pattern, message);
    else if (pattern->kind == PATTERN_JSON)
        matches = json_condition_holds(pattern->condition, message, scratch);
    else if (pattern->kind == PATTERN_FIELDS)
        matches = field_pattern_matches(pattern->fields, message, scratch);
    arena_rewind(scratch, mark);
    return matches;
}

void log_pattern_extract(const LogPattern *pattern, Slice message, Arena *arena, LogExtract **values, size_t *count)
{
    *values = NULL;
    *count = 0;
    if (pattern->kind == PATTERN_JSON)
        json_condition_extract(pattern->condition, message, arena, values, count);
    else if (pattern->kind == PATTERN_FIELDS)
        field_pattern_extract(pattern->fields, message, arena, values, count);
}

/* ---- What is named ---- */

bool log_pattern_has_fields(const LogPattern *pattern)
{
    return pattern->kind == PATTERN_JSON || pattern->kind == PATTERN_FIELDS;
}

bool log_pattern_names(const LogPattern *pattern, Slice name, Arena *arena)
{
    JsonCondition *selector;
    PatternParser parser = {.rest = name, .arena = arena};
    if (pattern->kind == PATTERN_FIELDS)
        return field_pattern_names(pattern->fields, name);
    return pattern->kind == PATTERN_JSON && json_selector_parse(&parser, &selector) == OK;
}

Slice log_pattern_value(const LogPattern *pattern, Slice name, Slice message, Arena *arena)
{
    LogExtract *values;
    size_t count = 0;
    JsonCondition *selector;
    PatternParser parser = {.rest = name, .arena = arena};
    if (pattern->kind == PATTERN_JSON && json_selector_parse(&parser, &selector) == OK)
        return json_selector_value(selector, message, arena);
    if (pattern->kind == PATTERN_FIELDS)
        field_pattern_extract(pattern->fields, message, arena, &values, &count);
    for (size_t i = 0; i < count; i++)
        if (slice_equal(values[i].name, name))
            return values[i].value;
    return (Slice){0};
}
