/* json_scan_words.h: the portable search for what ends a run of plain bytes in a JSON string; see json_scan.h.
 *
 * Eight bytes a step, as one word. Pure. */
#ifndef BRUME_BASE_JSON_SCAN_WORDS_H
#define BRUME_BASE_JSON_SCAN_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What stands for the character behind a backslash, for escapes of two bytes; 0 for all others ('u' included). */
static const char json_escape_values[256] = {
    ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t',
};

/* Whether this byte cannot stand in a JSON string as it is. */
static inline bool json_is_special(char c)
{
    return c == '"' || c == '\\' || (unsigned char)c < 0x20;
}

/* Non-zero when some byte of the word is special. Which one is left to a second look: the borrow of the subtractions
 * may mark bytes above the first special one too. */
static inline uint64_t json_word_has_special(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t tops = 0x8080808080808080u;
    uint64_t quote = word ^ (ones * '"');
    uint64_t backslash = word ^ (ones * '\\');
    uint64_t low = (word - ones * 0x20) & ~word;
    return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | low) & tops;
}

/* The first special byte of [at, end), or `end`. Sets `non_ascii` when a byte before it is not ASCII; never clears. */
static inline const char *json_scan_words(const char *at, const char *end, bool *non_ascii)
{
    uint64_t word;
    while (end - at >= 8) {
        memcpy(&word, at, sizeof word);
        if (json_word_has_special(word) != 0)
            break;
        if ((word & 0x8080808080808080u) != 0)
            *non_ascii = true;
        at += 8;
    }
    for (; at < end && !json_is_special(*at); at++)
        if ((unsigned char)*at >= 0x80)
            *non_ascii = true;
    return at;
}

/* Moves over plain bytes and escapes of two bytes; sets `escaped` when there is such an escape. Stops where a byte asks
 * for a closer look: a quote, a control character, any other backslash; or at `end`. */
static inline const char *json_walk_words(const char *at, const char *end, bool *non_ascii, bool *escaped)
{
    for (;;) {
        at = json_scan_words(at, end, non_ascii);
        if (end - at < 2 || *at != '\\' || json_escape_values[(unsigned char)at[1]] == 0)
            return at;
        *escaped = true;
        at += 2;
    }
}

#endif
