#include "aws/wire/number.h"

#include <math.h>
#include <stdlib.h>

enum { NUMBER_BYTES_MAX = 400 };

bool number_parse_double(Slice text, double *value)
{
    /* strtod reads more than numbers (inf, nan, hexadecimal): only these characters may come. */
    char copy[NUMBER_BYTES_MAX + 1];
    if (text.size == 0 || text.size > NUMBER_BYTES_MAX)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (memchr("0123456789+-.eE", text.data[i], 15) == NULL)
            return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    char *end;
    *value = strtod(copy, &end);
    return end == copy + text.size && isfinite(*value);
}

bool number_parse_integer(Slice text, int64_t min, int64_t max, int64_t *value)
{
    if (!slice_parse_int64(text, value)) {
        double number;
        if (!number_parse_double(text, &number) || number != floor(number))
            return false;
        /* Beyond 2^53 a double cannot tell neighbours apart: whole numbers of that size come without an exponent. */
        if (fabs(number) > 9007199254740992.0)
            return false;
        *value = (int64_t)number;
    }
    return *value >= min && *value <= max;
}
