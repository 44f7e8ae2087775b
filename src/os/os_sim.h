/* os_sim.h: the simulated world: a seed decides everything, and time moves when the test says so.
 *
 * One thread. Files live in memory; what a directory's lock or a full disk do can be set. */
#ifndef BRUME_OS_OS_SIM_H
#define BRUME_OS_OS_SIM_H

#include "os/os.h"

/* The world of that seed, at 2026-01-01T00:00:00Z, with a terabyte free. */
Os *os_sim_open(uint64_t seed);
void os_sim_close(Os *os);

/* Lets both clocks go on. */
void os_sim_advance_ms(Os *os, uint64_t ms);
void os_sim_set_disk_free(Os *os, uint64_t bytes);

#endif
