#include "runtime/sandbox.h"

#include "runtime/sandbox_calls.h"

#include <errno.h>
#include <linux/landlock.h>

/* Newer than the headers that we are compiled with may be: Landlock, "Access rights" and "Scope flags", in the kernel's
 * documentation. */
enum {
    LANDLOCK_VERSION_REFER = 2,
    LANDLOCK_VERSION_TRUNCATE = 3,
    LANDLOCK_VERSION_SCOPE = 6,
    RIGHT_TRUNCATE = 1 << 14,
    SCOPE_ABSTRACT_SOCKETS = 1 << 0,
    SCOPE_SIGNALS = 1 << 1,
};

/* Reading is bounded by what is mounted; writing is so too, and by this as well. */
enum {
    WRITE_RIGHTS = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                   LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                   LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                   LANDLOCK_ACCESS_FS_MAKE_SYM,
};

/* struct landlock_ruleset_attr of version 6; older kernels are given its beginning. */
typedef struct Ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scope;
} Ruleset;

static bool allow(int ruleset, const char *place, uint64_t rights)
{
    int directory = open(place, O_PATH | O_CLOEXEC);
    if (directory < 0)
        return errno == ENOENT;
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = directory};
    bool allowed = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    close(directory);
    return allowed;
}

bool sandbox_landlock(uint32_t version, bool is_template)
{
    /* Moving between folders is refused from version 1 on unless it is named. */
    Ruleset rules = {.files = WRITE_RIGHTS | (version >= LANDLOCK_VERSION_REFER ? LANDLOCK_ACCESS_FS_REFER : 0u) |
                              (version >= LANDLOCK_VERSION_TRUNCATE ? (uint64_t)RIGHT_TRUNCATE : 0u)};
    size_t size = sizeof rules.files;
    if (is_template)
        rules.files = 0;
    if (version >= LANDLOCK_VERSION_SCOPE) {
        rules.scope = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS;
        size = sizeof rules;
    }
    if (rules.files == 0 && rules.scope == 0)
        return true;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (ruleset < 0)
        return false;
    /* A device, or a file of a process in /proc, can be written to, and nothing be made beside it. */
    uint64_t write_only = rules.files & (LANDLOCK_ACCESS_FS_WRITE_FILE | (uint64_t)RIGHT_TRUNCATE);
    bool done = (is_template || (allow(ruleset, "/tmp", rules.files) && allow(ruleset, "/dev/shm", rules.files) &&
                                 allow(ruleset, "/dev", write_only) && allow(ruleset, "/proc", write_only))) &&
                syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    int reason = errno;
    close(ruleset);
    errno = reason;
    return done;
}
