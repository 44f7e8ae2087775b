/* pattern.c: whether a value matches a declared regular expression (descriptor.h, PatternStep).
 *
 * No backtracking, so that no value makes a pattern slow: a step turns the set of places where it may begin into the set
 * of those where it may end. */
#include "aws/wire/codec.h"
#include "base/bug.h"

enum { PATTERN_BYTES_MAX = 4096 }; /* longer than any value that AWS describes by a pattern of several steps */

/* places[i]: the text before i may have been matched. */
typedef bool Places[PATTERN_BYTES_MAX + 1];

/* No more of them than the text has: to clear all would cost more than most matches do. */
static void clear_places(Places places, Slice text)
{
    memset(places, 0, text.size + 1);
}

static bool step_allows(const PatternStep *step, unsigned char byte)
{
    return byte < 128 ? (step->ascii[byte / 32] >> (byte % 32) & 1) != 0 : step->beyond;
}

static size_t run_length(const PatternStep *step, Slice text)
{
    size_t length = 0;
    while (length < text.size && step_allows(step, (unsigned char)text.data[length]))
        length++;
    return length;
}

/* Each start opens and closes a range of ends, so that a set costs the text's length however often it may stand there. */
static void match_set(const PatternStep *step, Slice text, Places places)
{
    int32_t change[PATTERN_BYTES_MAX + 2];
    memset(change, 0, (text.size + 2) * sizeof change[0]);
    size_t run_end = 0; /* the end of the run of allowed bytes that the place lies in */
    for (size_t place = 0; place <= text.size; place++) {
        if (place >= run_end)
            run_end = place + run_length(step, slice_skip(text, place));
        size_t run = run_end - place;
        if (!places[place] || run < step->min)
            continue;
        change[place + step->min]++;
        change[place + (run < step->max ? run : step->max) + 1]--;
    }
    int32_t open = 0;
    for (size_t place = 0; place <= text.size; place++) {
        open += change[place];
        places[place] = open > 0;
    }
}

static void match_alternatives(const PatternStep *steps, size_t count, Slice text, Places places);

/* Adds what is not yet in `all`, and leaves that alone in `places`; false when nothing was new. */
static bool keep_new(Slice text, Places all, Places places)
{
    bool some = false;
    for (size_t place = 0; place <= text.size; place++) {
        places[place] = places[place] && !all[place];
        all[place] = all[place] || places[place];
        some = some || places[place];
    }
    return some;
}

static void match_group(const PatternStep *group, Slice text, Places places)
{
    Places all;
    clear_places(all, text);
    for (uint32_t i = 0; i < group->min; i++)
        match_alternatives(group + 1, group->span, text, places);
    /* From here on each repetition may be the last; one that leads to no new place leads nowhere. */
    for (uint32_t i = group->min; keep_new(text, all, places) && i < group->max; i++)
        match_alternatives(group + 1, group->span, text, places);
    memcpy(places, all, text.size + 1);
}

static void match_not(const PatternStep *group, Slice text, Places places)
{
    for (size_t place = 0; place <= text.size; place++) {
        Places inner;
        if (!places[place])
            continue;
        clear_places(inner, text);
        inner[place] = true;
        match_alternatives(group + 1, group->span, text, inner);
        places[place] = !inner[text.size];
    }
}

static void match_sequence(const PatternStep *steps, size_t count, Slice text, Places places)
{
    /* From nowhere no step leads anywhere: most alternatives end with their first byte. */
    for (size_t i = 0; i < count && memchr(places, true, text.size + 1) != NULL; i += 1 + steps[i].span) {
        if (steps[i].kind == PATTERN_SET)
            match_set(&steps[i], text, places);
        else if (steps[i].kind == PATTERN_NOT)
            match_not(&steps[i], text, places);
        else
            match_group(&steps[i], text, places);
    }
}

/* How many steps there are before the next alternative. */
static size_t alternative_length(const PatternStep *steps, size_t count)
{
    size_t length = 0;
    while (length < count && steps[length].kind != PATTERN_OR)
        length += 1 + steps[length].span;
    return length;
}

static void match_alternatives(const PatternStep *steps, size_t count, Slice text, Places places)
{
    size_t length = alternative_length(steps, count);
    if (length == count) {
        match_sequence(steps, count, text, places);
        return;
    }
    Places all;
    clear_places(all, text);
    for (size_t at = 0;; at += length + 1) {
        Places one;
        length = alternative_length(steps + at, count - at);
        memcpy(one, places, text.size + 1);
        match_sequence(steps + at, length, text, one);
        for (size_t place = 0; place <= text.size; place++)
            all[place] = all[place] || one[place];
        if (at + length >= count)
            break;
    }
    memcpy(places, all, text.size + 1);
}

bool pattern_matches(const PatternStep *steps, size_t count, Slice text)
{
    if (count == 1 && steps->kind == PATTERN_SET)
        return run_length(steps, text) == text.size && text.size >= steps->min && text.size <= steps->max;
    if (text.size > PATTERN_BYTES_MAX)
        return false;
    Places places;
    clear_places(places, text);
    places[0] = true;
    match_alternatives(steps, count, text, places);
    return places[text.size];
}
