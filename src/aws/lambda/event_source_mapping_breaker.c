/* The tag by which a mapping has a circuit breaker, which AWS does not have. No comma: AWS lets none be in a tag. */
#include "aws/lambda/mapping.h"

enum { THRESHOLD_MAX = 1000, RECOVERY_MAX_S = 86400 };

static bool take_number(Slice *text, Slice name, uint64_t *number)
{
    if (!slice_starts_with(*text, name))
        return false;
    *text = slice_skip(*text, name.size);
    size_t digits = 0;
    while (digits < text->size && text->data[digits] >= '0' && text->data[digits] <= '9')
        digits++;
    Slice value = slice_make(text->data, digits);
    *text = slice_skip(*text, digits);
    return slice_parse_uint64(value, number);
}

static bool read_settings(Slice text, uint64_t *threshold, uint64_t *recovery_s)
{
    return take_number(&text, SLICE("threshold="), threshold) && take_number(&text, SLICE(" recovery="), recovery_s) &&
           text.size == 0 && *threshold >= 1 && *threshold <= THRESHOLD_MAX && *recovery_s >= 1 &&
           *recovery_s <= RECOVERY_MAX_S;
}

Error lambda_read_breaker(Call *call, Mapping *mapping)
{
    uint64_t recovery_s;
    mapping->threshold = mapping->recovery_ms = 0;
    for (size_t i = 0; i < mapping->tags.count; i++) {
        const Label *tag = &mapping->tags.items[i];
        if (!slice_equal(tag->key, SLICE(LAMBDA_BREAKER_TAG)))
            continue;
        if (!read_settings(tag->value, &mapping->threshold, &recovery_s))
            return lambda_invalid(call,
                                  "The tag " LAMBDA_BREAKER_TAG " is \"threshold=FAILURES recovery=SECONDS\", as "
                                  "threshold=5 recovery=60: 1 to %d failures in a row, 1 to %d seconds.",
                                  THRESHOLD_MAX, RECOVERY_MAX_S);
        mapping->recovery_ms = recovery_s * 1000;
    }
    return OK;
}
