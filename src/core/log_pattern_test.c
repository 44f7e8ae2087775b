/* log_pattern_test.c: one value of a log event against an operator and a value of a pattern. */
#include "core/log_pattern_internal.h"

#include <errno.h>
#include <stdlib.h>

enum { NUMBER_BYTES_MAX = 64 };

/* ---- Numbers ---- */

/* Decimal, with an exponent perhaps; nothing else that strtod would take. */
bool log_pattern_number(Slice text, double *number)
{
    char copy[NUMBER_BYTES_MAX + 1];
    char *end;
    bool has_digit = false;
    if (text.size == 0 || text.size > NUMBER_BYTES_MAX)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        bool is_digit = text.data[i] >= '0' && text.data[i] <= '9';
        has_digit = has_digit || is_digit;
        if (!is_digit && (text.data[i] == '\0' || strchr("+-.eE", text.data[i]) == NULL))
            return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    *number = strtod(copy, &end);
    return has_digit && *end == '\0';
}

/* ---- Reading ---- */

static bool take_operator(PatternParser *parser, TestOperator *operator_)
{
    static const struct {
        Slice text;
        TestOperator operator_;
    } rows[] = {
        {SLICE_INIT("!="), TEST_UNEQUAL}, {SLICE_INIT("<="), TEST_AT_MOST}, {SLICE_INIT(">="), TEST_AT_LEAST},
        {SLICE_INIT("="), TEST_EQUAL},    {SLICE_INIT("<"), TEST_LESS},     {SLICE_INIT(">"), TEST_GREATER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (pattern_take(parser, rows[i].text)) {
            *operator_ = rows[i].operator_;
            return true;
        }
    return false;
}

static size_t bare_size(Slice rest, const char *ends)
{
    size_t size = 0;
    for (; size < rest.size; size++) {
        char byte = rest.data[size];
        Slice here = slice_skip(rest, size);
        if (byte == ' ' || (byte >= '\t' && byte <= '\r') || (byte != '\0' && strchr(ends, byte) != NULL) ||
            slice_starts_with(here, SLICE("&&")) || slice_starts_with(here, SLICE("||")))
            break;
    }
    return size;
}

Error pattern_take_test(PatternParser *parser, const char *ends, PatternTest *test)
{
    *test = (PatternTest){0};
    pattern_skip_space(parser);
    if (!take_operator(parser, &test->operator_))
        return pattern_fail(parser, "an operator is missing");
    pattern_skip_space(parser);
    char first = parser->rest.size > 0 ? parser->rest.data[0] : '\0';
    bool is_equality = test->operator_ == TEST_EQUAL || test->operator_ == TEST_UNEQUAL;
    if (first == '"' && is_equality)
        return pattern_take_quoted(parser, &test->text);
    if (first == '%' && is_equality)
        return pattern_take_regex(parser, &test->regex);
    size_t size = bare_size(parser->rest, ends);
    if (size == 0)
        return pattern_fail(parser, "a value is missing behind an operator");
    test->text = slice_make(parser->rest.data, size);
    parser->rest = slice_skip(parser->rest, size);
    test->is_number = log_pattern_number(test->text, &test->number);
    if (!test->is_number && !is_equality)
        return pattern_fail(parser, "what is compared by <, >, <= or >= is no number");
    return OK;
}

/* ---- Matching ---- */

/* '*' stands for any characters. Only the last star is ever tried again: the time grows with the product of both sizes. */
static bool wildcard_matches(Slice pattern, Slice text)
{
    size_t p = 0;
    size_t t = 0;
    size_t star = SIZE_MAX;
    size_t from = 0;
    while (t < text.size) {
        if (p < pattern.size && pattern.data[p] == '*') {
            star = p++;
            from = t;
        } else if (p < pattern.size && pattern.data[p] == text.data[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.size && pattern.data[p] == '*')
        p++;
    return p == pattern.size;
}

static bool compare(TestOperator operator_, double value, double bound)
{
    switch (operator_) {
    case TEST_LESS:
        return value < bound;
    case TEST_GREATER:
        return value > bound;
    case TEST_AT_MOST:
        return value <= bound;
    case TEST_AT_LEAST:
        return value >= bound;
    case TEST_EQUAL:
        return value == bound;
    case TEST_UNEQUAL:
        return value != bound;
    }
    return false;
}

bool pattern_test_holds(const PatternTest *test, Slice text, bool is_number)
{
    double value;
    bool is_equality = test->operator_ == TEST_EQUAL || test->operator_ == TEST_UNEQUAL;
    if (test->regex != NULL)
        return regex_matches(test->regex, text) == (test->operator_ == TEST_EQUAL);
    if (test->is_number && (is_number || !is_equality) && log_pattern_number(text, &value))
        return compare(test->operator_, value, test->number);
    return is_equality && wildcard_matches(test->text, text) == (test->operator_ == TEST_EQUAL);
}
