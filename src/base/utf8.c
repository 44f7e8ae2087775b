/* UTF-8 as RFC 3629 has it; declared in json.h. */
#include "base/json.h"

/* The size of the well-formed sequence at `at`, which is not ASCII, or 0 (The Unicode Standard, table 3-7: the second
 * byte's range depends on the first; that is what keeps out overlong forms, surrogates and what passes U+10FFFF). */
static size_t sequence_size(const unsigned char *at, size_t left)
{
    unsigned first = at[0];
    size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first < 0xc2 || first > 0xf4 || left < size)
        return 0;
    unsigned lowest = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned highest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < lowest || at[1] > highest)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

bool utf8_is_valid(Slice bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.data;
    size_t left = bytes.size;
    while (left > 0) {
        uint64_t word;
        if (left >= sizeof word) {
            memcpy(&word, at, sizeof word);
            if ((word & 0x8080808080808080u) == 0) {
                at += sizeof word;
                left -= sizeof word;
                continue;
            }
        }
        size_t size = *at < 0x80 ? 1 : sequence_size(at, left);
        if (size == 0)
            return false;
        at += size;
        left -= size;
    }
    return true;
}
