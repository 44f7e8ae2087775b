/* Any two texts, the first line a pattern, the rest an event: a pattern is compiled or refused with a reason that can be answered,
 * and matches the same alone as in company, before an event that is JSON and of one that is not, nothing. */
#include "base/bug.h"
#include "base/json.h"
#include "core/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const Slice company[] = {
    SLICE_INIT("{\"a\":[{\"prefix\":\"x\"}],\"b\":{\"c\":[1,{\"exists\":false}],\"d\":[{\"anything-but\":\"y\"}]}}"),
    SLICE_INIT("{\"$or\":[{\"a\":[{\"wildcard\":\"*x*\"}]},{\"b.c\":[{\"numeric\":[\">\",0]}]}]}"),
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena arena = arena_make();
    Slice input = slice_make(size == 0 ? "" : (const char *)data, size);
    size_t line = slice_find(input, '\n');
    Slice pattern = slice_make(input.data, line);
    Slice event = line == size ? SLICE("{}") : slice_skip(input, line + 1);
    const Slice together[] = {company[0], pattern, company[1], pattern};
    const PatternSet *alone;
    const PatternSet *set;
    size_t wrong = 0;
    Slice problem = {0};
    Error error = pattern_compile(&arena, &pattern, 1, &alone, &wrong, &problem);
    ASSERT(error == OK || (error == PATTERN_INVALID && problem.size > 0));
    ASSERT(error == OK || !utf8_is_valid(pattern) || utf8_is_valid(problem));
    ASSERT(pattern_compile(&arena, together, 4, &set, &wrong, &problem) == error && (error == OK || wrong == 1));
    if (error == OK) {
        bool matched = false;
        bool all[4];
        size_t count = pattern_match(alone, event, &arena, &matched);
        ASSERT(count == matched && (!matched || json_check(event) == OK));
        count = pattern_match(set, event, &arena, all);
        ASSERT(all[1] == matched && all[3] == matched && count == (size_t)all[0] + all[1] + all[2] + all[3]);
        pattern_shape(pattern, SLICE("a"), &arena);
    }
    arena_free(&arena);
    return 0;
}
