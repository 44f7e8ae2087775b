#include "base/bug.h"

#include <stdio.h>
#include <stdlib.h>

void bug_report(const char *file, int line, const char *expectation)
{
    fprintf(stderr, "brume: a bug in %s:%d: expected %s; please report it. Stopping; nothing acknowledged is lost.\n",
            file, line, expectation);
    abort();
}
