/* patterns: says of each line of its input, JSON of an array of two texts, a pattern and an event, whether the one matches the
 * other: true, false, or, as a string, why the pattern is none. tests/cases/run plays the recorded cases with it. */
#include "base/json.h"
#include "core/pattern.h"

#include <stdio.h>
#include <stdlib.h>

static Error read_case(Slice line, Arena *arena, Slice *pattern, Slice *event)
{
    JsonReader reader = json_reader(line, arena);
    bool more;
    TRY(json_begin_array(&reader));
    TRY(json_next_element(&reader, &more));
    TRY(json_read_string(&reader, pattern));
    TRY(json_next_element(&reader, &more));
    return json_read_string(&reader, event);
}

static void answer(Slice line, Arena *arena)
{
    Slice pattern;
    Slice event;
    if (read_case(line, arena, &pattern, &event) != OK) {
        fputs("patterns: a line is no array of two texts\n", stderr);
        exit(1);
    }
    Buffer out = buffer_make(arena);
    JsonWriter writer = json_writer(&out);
    const PatternSet *set;
    size_t wrong;
    Slice problem;
    bool matched = false;
    if (pattern_compile(arena, &pattern, 1, &set, &wrong, &problem) != OK) {
        json_write_string(&writer, problem);
    } else {
        pattern_match(set, event, arena, &matched);
        json_write_boolean(&writer, matched);
    }
    printf("%.*s\n", SLICE_PRINT(buffer_slice(&out)));
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    while ((size = getline(&line, &room, stdin)) > 0) {
        Arena arena = arena_make();
        answer(slice_make(line, (size_t)size - (line[size - 1] == '\n')), &arena);
        arena_free(&arena);
    }
    free(line);
    return 0;
}
