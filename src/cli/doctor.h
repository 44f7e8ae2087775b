/* doctor.h: what `brume doctor` looks at: a check is a function that gives one finding.
 *
 * Checks run one after another on the main thread, and change nothing. Texts live in the doctor's arena. */
#ifndef BRUME_CLI_DOCTOR_H
#define BRUME_CLI_DOCTOR_H

#include "cli/settings.h"
#include "os/os.h"

typedef enum Verdict {
    VERDICT_OK,
    VERDICT_WARN, /* a server runs; something is worse than it could be, or will be needed */
    VERDICT_FAIL, /* a server does not start, or would lose data */
} Verdict;

typedef struct Finding {
    Verdict verdict;
    Slice found;
    Slice advice; /* what to do; absent when there is nothing to do */
} Finding;

typedef struct Doctor {
    Os *os;
    Arena *arena;
    Settings settings;      /* those with which `brume start` would run */
    Slice settings_problem; /* why it would not; absent when they make sense */
    int64_t server;         /* the process that uses the data directory; 0: none */
} Doctor;

typedef struct Check {
    const char *name;
    Finding (*run)(Doctor *doctor);
} Check;

/* The tables, each ended by a row without a name. */
extern const Check doctor_system_checks[];   /* the kernel and its limits */
extern const Check doctor_data_checks[];     /* the data directory and its disk */
extern const Check doctor_network_checks[];  /* the address */
extern const Check doctor_software_checks[]; /* libraries and runtimes */

static inline Finding doctor_finds(Verdict verdict, Slice found, Slice advice)
{
    return (Finding){verdict, found, advice};
}

static inline Finding doctor_is_pleased(Slice found)
{
    return (Finding){.verdict = VERDICT_OK, .found = found};
}

#endif
