#define PCRE2_CODE_UNIT_WIDTH 8

#include "base/regex.h"

#include <pcre2.h>

enum {
    BACKTRACKS_MAX = 20000, /* PCRE2 counts them anew at each place where a match might begin */
    STEPS_MIN = 100000,  /* of all such places: items of the expression that are tried, and bytes that they pass … */
    STEPS_PER_BYTE = 20, /* … and what the text's length adds: a microsecond for some ten of them */
    HEAP_KIB_MAX = 1024,
    EXPRESSION_BYTES_MAX = 4096,
};

struct Regex {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
    uint64_t steps_left;
    size_t place; /* that the last step was at */
};

/* PCRE2 calls this before each item of an expression that it tries. Its own limits hold for one place where a match might begin: a
 * text of 100 000 bytes has as many of them, and `[^x]+x` passes all that is left of it at each. */
static int count_step(pcre2_callout_block *step, void *user)
{
    Regex *regex = user;
    size_t place = step->current_position;
    uint64_t passed = 1 + (place > regex->place ? place - regex->place : 0);
    regex->place = place;
    if (passed > regex->steps_left)
        return PCRE2_ERROR_CALLOUT;
    regex->steps_left -= passed;
    return 0;
}

static void *take(PCRE2_SIZE size, void *arena)
{
    return arena_alloc(arena, size);
}

/* All of it goes with the arena. */
static void leave(void *memory, void *arena)
{
    (void)memory;
    (void)arena;
}

Error regex_compile(Slice expression, Arena *arena, Regex **regex)
{
    int code;
    PCRE2_SIZE offset;
    if (expression.size > EXPRESSION_BYTES_MAX)
        return ERROR_MALFORMED;
    pcre2_general_context *memory = pcre2_general_context_create(take, leave, arena);
    *regex = ARENA_NEW(arena, Regex);
    (*regex)->code = pcre2_compile((PCRE2_SPTR)expression.data, expression.size,
                                   PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_AUTO_CALLOUT, &code, &offset,
                                   pcre2_compile_context_create(memory));
    if ((*regex)->code == NULL)
        return ERROR_MALFORMED;
    (*regex)->data = pcre2_match_data_create(1, memory);
    (*regex)->context = pcre2_match_context_create(memory);
    pcre2_set_match_limit((*regex)->context, BACKTRACKS_MAX);
    pcre2_set_callout((*regex)->context, count_step, *regex);
    pcre2_set_heap_limit((*regex)->context, HEAP_KIB_MAX);
    return OK;
}

bool regex_matches(Regex *regex, Slice text)
{
    regex->place = 0;
    regex->steps_left = STEPS_MIN + (uint64_t)STEPS_PER_BYTE * text.size;
    return pcre2_match(regex->code, (PCRE2_SPTR)(text.data == NULL ? "" : text.data), text.size, 0, 0, regex->data,
                       regex->context) >= 0;
}
