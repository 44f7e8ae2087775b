/* pattern.h: event patterns: which events a filter of a mapping, or a rule of a bus, is about.
 *
 * A pattern is JSON that looks like the events it matches (EventBridge user guide, "Creating Amazon EventBridge event
 * patterns", "Comparison operators for use in event patterns"): exact values, prefix, suffix, anything-but in all its forms, numeric,
 * exists, equals-ignore-case, wildcard, cidr, $or. It is compiled once, together with others that look at the same
 * events; matching reads an event once, however many patterns there are. Compiled sets are immutable: any thread, several
 * at a time. Compiling is bounded by what the text may be (PATTERN_BYTES_MAX) and never recursive without a bound. */
#ifndef BRUME_CORE_PATTERN_H
#define BRUME_CORE_PATTERN_H

#include "base/arena.h"
#include "core/core_error.h"

enum { PATTERN_BYTES_MAX = 4096 }; /* EventBridge quotas: event pattern size; Lambda's filters are held to the same */

/* Several patterns, numbered in their order. */
typedef struct PatternSet PatternSet;

/* Compiles `count` patterns into `arena`. PATTERN_INVALID: `wrong` is the first that cannot be, and `problem` (in the
 * arena) says why in the words that EventBridge answers with behind "Event pattern is not valid. Reason: ". */
Error pattern_compile(Arena *arena, const Slice *patterns, size_t count, const PatternSet **set, size_t *wrong,
                      Slice *problem);

/* Sets matched[i] for each pattern that matches the event, JSON of an object, and gives how many do. An event that is no JSON
 * object matches nothing. `scratch` is rewound before this returns. */
size_t pattern_match(const PatternSet *set, Slice event, Arena *scratch, bool *matched);

/* The same within `steps` of some nanoseconds each, less what was needed when it returns: patterns and events may be made to take
 * long together (a list of 100 000 values, each compared with 1000 wildcards). ERROR_TOO_LARGE: they did not suffice, and
 * `matched` says nothing. */
Error pattern_match_within(const PatternSet *set, Slice event, uint64_t *steps, Arena *scratch, bool *matched,
                           size_t *count);

/* What a pattern asks of a field at its top. */
typedef enum PatternShape {
    PATTERN_NOTHING, /* it says nothing about it */
    PATTERN_VALUES,  /* that its value be one of some, as of a string */
    PATTERN_OBJECT,  /* something of what is in it: a text there has to be read as JSON, or cannot match */
} PatternShape;

/* For filters of records whose body may be JSON or not (Lambda developer guide, "Control which events Lambda sends to your
 * function", "Properly filtering Amazon SQS messages"). Within $or, one object is enough. */
PatternShape pattern_shape(Slice pattern, Slice name, Arena *scratch);

#endif
