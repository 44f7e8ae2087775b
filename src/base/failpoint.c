#include "base/failpoint.h"

#ifdef BRUME_FAILPOINTS
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

void failpoint_pass(const char *name)
{
    static atomic_long passes;
    const char *wanted = getenv("BRUME_FAILPOINT");
    size_t size = strlen(name);
    if (wanted == NULL || strncmp(wanted, name, size) != 0 || wanted[size] != ':')
        return;
    if (atomic_fetch_add(&passes, 1) + 1 == strtol(wanted + size + 1, NULL, 10))
        raise(SIGKILL);
}
#endif
