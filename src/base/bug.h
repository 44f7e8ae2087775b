/* bug.h: assertions that are always on.
 *
 * A failed assertion is a bug of ours: the process prints where, aborts and recovers at its restart. Never used for
 * what a client or the environment may cause. */
#ifndef BRUME_BASE_BUG_H
#define BRUME_BASE_BUG_H

/* Prints the place and the broken expectation on standard error, and aborts. */
__attribute__((noreturn, cold)) void bug_report(const char *file, int line, const char *expectation);

#define ASSERT(condition) ((condition) ? (void)0 : bug_report(__FILE__, __LINE__, #condition))
#define UNREACHABLE() bug_report(__FILE__, __LINE__, "unreachable")

#endif
