/* number.h: numbers as the protocols write them. Internal to wire; pure. */
#ifndef BRUME_AWS_WIRE_NUMBER_H
#define BRUME_AWS_WIRE_NUMBER_H

#include "base/slice.h"

/* A decimal number: whole, as text of JSON or of a form; 1e3 and 10.0 are whole too. False: not whole, no number, or
 * past `min` and `max`. */
bool number_parse_integer(Slice text, int64_t min, int64_t max, int64_t *value);
/* False: no number, or not finite. */
bool number_parse_double(Slice text, double *value);

#endif
