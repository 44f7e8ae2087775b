/* seeds.h: what a simulation draws from its seed, and which seeds it is run with. */
#ifndef BRUME_TESTS_SIM_SEEDS_H
#define BRUME_TESTS_SIM_SEEDS_H

#include "os/os.h"

#include <stdlib.h>

/* A number below `below`; `state` begins with the seed, and is never 0 (George Marsaglia, "Xorshift RNGs"). */
static inline uint64_t seeds_draw(uint64_t *state, uint64_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % below;
}

/* Plays `rounds` seeds that are always the same and a fresh one; with as many as BRUME_SIM_ROUNDS says; or with
 * BRUME_SIM_SEED alone. */
static inline void seeds_run(void (*play)(uint64_t seed), uint64_t rounds)
{
    const char *asked = getenv("BRUME_SIM_ROUNDS");
    const char *seed = getenv("BRUME_SIM_SEED");
    if (seed != NULL) {
        play(strtoull(seed, NULL, 10));
        return;
    }
    rounds = asked == NULL ? rounds : strtoull(asked, NULL, 10);
    for (uint64_t i = 0; i < rounds; i++)
        play(i * 7919 + 1);
    play(os_wall_us(os_linux()));
}

#endif
