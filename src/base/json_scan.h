/* json_scan.h: the search for what ends a run of plain bytes in a JSON string: a quote, a backslash or a control
 * character. Most bytes of a request are looked at here and nowhere else, so it takes 16 of them a step where the
 * processor can (SSE2, which every x86-64 has), and 8 elsewhere. Pure; private to the JSON reader and writer. */
#ifndef BRUME_BASE_JSON_SCAN_H
#define BRUME_BASE_JSON_SCAN_H

#include "base/json_scan_words.h"

enum { JSON_COPY_SLACK = 16 };

#ifdef __SSE2__

#include <emmintrin.h>

/* One bit for each byte that is special. */
static inline unsigned json_special_mask(__m128i block)
{
    __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control));
}

/* The first special byte of [at, end), or `end`. Sets `non_ascii` when a byte before it is not ASCII; never clears. */
static inline const char *json_scan(const char *at, const char *end, bool *non_ascii)
{
    while (end - at >= 16) {
        __m128i block = _mm_loadu_si128((const __m128i_u *)at);
        unsigned special = json_special_mask(block);
        unsigned high = (unsigned)_mm_movemask_epi8(block);
        if (special != 0) {
            unsigned before = (special & -special) - 1;
            if ((high & before) != 0)
                *non_ascii = true;
            return at + __builtin_ctz(special);
        }
        if (high != 0)
            *non_ascii = true;
        at += 16;
    }
    return json_scan_words(at, end, non_ascii);
}

/* Moves over plain bytes and escapes of two bytes; sets `escaped` when there is such an escape. Stops where a byte asks
 * for a closer look: a quote, a control character, any other backslash; or at `end`. All escapes of a block are taken
 * from its one mask: JSON within JSON has one every few bytes. */
static inline const char *json_walk(const char *at, const char *end, bool *non_ascii, bool *escaped)
{
    while (end - at > 16) { /* an escape may reach one byte over the block */
        __m128i block = _mm_loadu_si128((const __m128i_u *)at);
        unsigned special = json_special_mask(block);
        unsigned high = (unsigned)_mm_movemask_epi8(block);
        unsigned size = 16;
        while (special != 0) {
            unsigned first = (unsigned)__builtin_ctz(special);
            if (at[first] != '\\' || json_escape_values[(unsigned char)at[first + 1]] == 0) {
                if ((high & ((1u << first) - 1)) != 0)
                    *non_ascii = true;
                return at + first;
            }
            *escaped = true;
            special &= ~(3u << first);
            size = first == 15 ? 17 : 16;
        }
        if (high != 0)
            *non_ascii = true;
        at += size;
    }
    return json_walk_words(at, end, non_ascii, escaped);
}

/* Copies [*at, end) to `out` up to the first special byte, where `*at` is left, and gives the end of the copy. May
 * write JSON_COPY_SLACK bytes past that: in a text with many escapes the runs are short, and copying a whole block is
 * cheaper than asking how much of it is wanted. */
static inline char *json_copy_plain(char *out, const char **at, const char *end)
{
    while (end - *at >= 16) {
        __m128i block = _mm_loadu_si128((const __m128i_u *)*at);
        _mm_storeu_si128((__m128i_u *)out, block);
        unsigned special = json_special_mask(block);
        if (special != 0) {
            *at += __builtin_ctz(special);
            return out + __builtin_ctz(special);
        }
        *at += 16;
        out += 16;
    }
    while (*at < end && !json_is_special(**at))
        *out++ = *(*at)++;
    return out;
}

#else

static inline const char *json_scan(const char *at, const char *end, bool *non_ascii)
{
    return json_scan_words(at, end, non_ascii);
}

static inline const char *json_walk(const char *at, const char *end, bool *non_ascii, bool *escaped)
{
    return json_walk_words(at, end, non_ascii, escaped);
}

static inline char *json_copy_plain(char *out, const char **at, const char *end)
{
    while (*at < end && !json_is_special(**at))
        *out++ = *(*at)++;
    return out;
}

#endif

#endif
