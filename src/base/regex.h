/* regex.h: regular expressions over bytes, by PCRE2, with bounds on what a match may cost.
 *
 * An expression lives in an arena and needs nothing else; matching changes it, so one thread at a time. A match that would
 * take more steps than it may (in all, by the text's length) is none: whoever writes expressions may be hostile. */
#ifndef BRUME_BASE_REGEX_H
#define BRUME_BASE_REGEX_H

#include "base/arena.h"
#include "base/error.h"

typedef struct Regex Regex;

/* ERROR_MALFORMED: it is none, or too large. */
Error regex_compile(Slice expression, Arena *arena, Regex **regex);
/* Whether it matches anywhere in `text`. */
bool regex_matches(Regex *regex, Slice text);

#endif
