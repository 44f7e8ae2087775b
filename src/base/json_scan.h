/* json_scan.h: the search for what ends a run of plain bytes in a JSON string: a quote, a backslash or a control
 * character. Most bytes of a request are looked at here and nowhere else, so it takes 16 of them a step where the
 * processor can (SSE2, which every x86-64 has), and 8 elsewhere. Pure; private to the JSON reader and writer. */
#ifndef BRUME_BASE_JSON_SCAN_H
#define BRUME_BASE_JSON_SCAN_H

#include "base/json_scan_words.h"

#ifdef __SSE2__

#include <emmintrin.h>

/* The first special byte of [at, end), or `end`. Sets `non_ascii` when a byte before it is not ASCII; never clears. */
static inline const char *json_scan(const char *at, const char *end, bool *non_ascii)
{
    while (end - at >= 16) {
        __m128i block = _mm_loadu_si128((const __m128i_u *)at);
        __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
        __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
        unsigned special = (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control));
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

#else

static inline const char *json_scan(const char *at, const char *end, bool *non_ascii)
{
    return json_scan_words(at, end, non_ascii);
}

#endif

#endif
