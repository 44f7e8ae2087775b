/* log_pattern_internal.h: the parts of filter patterns, for core/log_pattern*.c alone. */
#ifndef BRUME_CORE_LOG_PATTERN_INTERNAL_H
#define BRUME_CORE_LOG_PATTERN_INTERNAL_H

#include "base/regex.h"
#include "core/log_pattern.h"

/* Reads a pattern from its front. */
typedef struct PatternParser {
    Slice rest;
    Arena *arena;
    const char *why;
    unsigned regexes;
    unsigned depth;
} PatternParser;

/* Keeps the reason and gives LOG_PATTERN_INVALID. */
Error pattern_fail(PatternParser *parser, const char *why);
void pattern_skip_space(PatternParser *parser);
/* Takes `word` off the front if it stands there. */
bool pattern_take(PatternParser *parser, Slice word);
/* "…" with \" and \\ in it; the front is the first quote. */
Error pattern_take_quoted(PatternParser *parser, Slice *text);
/* %…%; the front is the first percent sign. */
Error pattern_take_regex(PatternParser *parser, Regex **regex);

/* ---- Tests of one value (log_pattern_test.c) ---- */

typedef enum TestOperator {
    TEST_EQUAL,
    TEST_UNEQUAL,
    TEST_LESS,
    TEST_GREATER,
    TEST_AT_MOST,
    TEST_AT_LEAST
} TestOperator;

typedef struct PatternTest {
    TestOperator operator_;
    bool is_number;
    double number;
    Slice text; /* '*' stands for any characters */
    Regex *regex;
} PatternTest;

/* An operator and a value. A bare value ends before a space or one of `ends`, or before && or ||. */
Error pattern_take_test(PatternParser *parser, const char *ends, PatternTest *test);
/* `is_number`: the value is one, and is compared as such; otherwise it is text, which may read as a number. */
bool pattern_test_holds(const PatternTest *test, Slice text, bool is_number);

/* ---- JSON (log_pattern_json.c) ---- */

typedef struct JsonCondition JsonCondition;
Error json_condition_parse(PatternParser *parser, JsonCondition **condition);
bool json_condition_holds(const JsonCondition *condition, Slice message, Arena *scratch);
void json_condition_extract(const JsonCondition *condition, Slice message, Arena *arena, LogExtract **values,
                            size_t *count);
/* One selector, with nothing behind it. */
Error json_selector_parse(PatternParser *parser, JsonCondition **condition);
/* Where it leads first, strings unpacked; absent: nowhere. */
Slice json_selector_value(const JsonCondition *selector, Slice message, Arena *arena);

/* ---- Fields (log_pattern_fields.c) ---- */

typedef struct FieldPattern FieldPattern;
Error field_pattern_parse(PatternParser *parser, FieldPattern **fields);
bool field_pattern_matches(const FieldPattern *fields, Slice message, Arena *scratch);
void field_pattern_extract(const FieldPattern *fields, Slice message, Arena *arena, LogExtract **values, size_t *count);
/* "$name" */
bool field_pattern_names(const FieldPattern *fields, Slice name);

#endif
