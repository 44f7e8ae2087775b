#include "cli/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int log_file_open(const char *path)
{
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    if (file >= 0)
        fcntl(file, F_SETFL, O_APPEND); /* a pipe's reader may be slower than we */
    return file;
}

bool log_file_reopen(const char *path, int file)
{
    int fresh = log_file_open(path);
    if (fresh < 0)
        return false;
    bool replaced = dup3(fresh, file, O_CLOEXEC) >= 0;
    int reason = errno;
    close(fresh);
    errno = reason;
    return replaced;
}
