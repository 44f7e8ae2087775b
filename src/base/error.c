#include "base/error.h"

const char *error_text(Error error)
{
    switch (error) {
#define ROW(code, value, text)                                                                                         \
    case code:                                                                                                         \
        return text;
        ENVIRONMENT_ERRORS(ROW)
#undef ROW
    default:
        return "unknown error";
    }
}
