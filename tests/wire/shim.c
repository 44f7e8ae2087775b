/* Stands between a program and its C library: a clock of another year, and a disk that is slow or does not sync at all.
 * Set by the environment: SHIM_YEARS (taken off the wall clock), SHIM_SYNC_US (what a sync takes; nothing is synced). */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const char *years = getenv("SHIM_YEARS");
    long result = syscall(SYS_clock_gettime, clock, now);
    if (years != NULL && clock == CLOCK_REALTIME)
        now->tv_sec -= strtol(years, NULL, 10) * 31557600;
    return (int)result;
}

int fdatasync(int file)
{
    const char *us = getenv("SHIM_SYNC_US");
    if (us == NULL)
        return (int)syscall(SYS_fdatasync, file);
    long wait = strtol(us, NULL, 10);
    return wait == 0 ? 0 : usleep((useconds_t)wait);
}
