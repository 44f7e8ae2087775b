#define PCRE2_CODE_UNIT_WIDTH 8

#include "base/regex.h"

#include <pcre2.h>

enum {
    STEPS_MAX = 20000, /* of one match: about a millisecond */
    HEAP_KIB_MAX = 1024,
    EXPRESSION_BYTES_MAX = 4096,
};

struct Regex {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
};

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
    (*regex)->code = pcre2_compile((PCRE2_SPTR)expression.data, expression.size, PCRE2_NEVER_UTF | PCRE2_NEVER_UCP,
                                   &code, &offset, pcre2_compile_context_create(memory));
    if ((*regex)->code == NULL)
        return ERROR_MALFORMED;
    (*regex)->data = pcre2_match_data_create(1, memory);
    (*regex)->context = pcre2_match_context_create(memory);
    pcre2_set_match_limit((*regex)->context, STEPS_MAX);
    pcre2_set_heap_limit((*regex)->context, HEAP_KIB_MAX);
    return OK;
}

bool regex_matches(Regex *regex, Slice text)
{
    return pcre2_match(regex->code, (PCRE2_SPTR)(text.data == NULL ? "" : text.data), text.size, 0, 0, regex->data,
                       regex->context) >= 0;
}
