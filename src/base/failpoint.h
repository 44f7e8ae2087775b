/* failpoint.h: named places where the crash tests kill the process.
 *
 * In a build with BRUME_FAILPOINTS, the environment variable BRUME_FAILPOINT="NAME:N" makes the N-th pass through the
 * place NAME end the process by SIGKILL. In every other build the macro is nothing. */
#ifndef BRUME_BASE_FAILPOINT_H
#define BRUME_BASE_FAILPOINT_H

#ifdef BRUME_FAILPOINTS
void failpoint_pass(const char *name);
#define FAILPOINT(name) failpoint_pass(name)
#else
#define FAILPOINT(name) ((void)0)
#endif

#endif
