/* Circuit breakers against the shortest program that could be right. A seed drives who enters, what becomes of it, the clock
 * and power losses; after each step the breakers are what the model says. */
#include "../unit/store_fixture.h"

#include "core/breaker.h"

#include <stdlib.h>

enum { BREAKERS = 3, STEPS = 400, SEEDS = 30, RECOVERY_MS = 1000 };

typedef struct Model {
    uint64_t threshold;
    bool open;
    uint64_t failures;
    uint64_t opened_ms;
    uint64_t probe_ms; /* 0: none */
} Model;

typedef struct Step {
    unsigned number;
    unsigned what; /* 0: read, 1: enter, 2: success, 3: failure */
    Breaker breaker;
    bool allowed;
} Step;

static const char *const names[BREAKERS] = {"a", "b", "mapping/c"};

static Error step_body(Txn *txn, StoreCall *call)
{
    Step *step = probe_argument(call);
    if (step->what == 0)
        return breaker_read(txn, &step->breaker);
    if (step->what == 1)
        return breaker_enter(txn, &step->breaker, &step->allowed);
    return breaker_record(txn, &step->breaker, step->what == 2);
}

static Step take(World *world, const Model *models, unsigned number, unsigned what)
{
    Step step = {.number = number,
                 .what = what,
                 .breaker = {.account = SLICE("123456789012"),
                             .region = SLICE("us-east-1"),
                             .name = slice_of_string(names[number]),
                             .failure_threshold = models[number].threshold,
                             .recovery_ms = RECOVERY_MS}};
    assert_int_equal(world_write(world, step_body, &step), OK);
    return step;
}

static BreakerState model_state(const Model *model, uint64_t now)
{
    if (!model->open)
        return BREAKER_CLOSED;
    return now >= model->opened_ms + RECOVERY_MS ? BREAKER_HALF_OPEN : BREAKER_OPEN;
}

static bool model_enter(Model *model, uint64_t now)
{
    BreakerState state = model_state(model, now);
    if (state != BREAKER_HALF_OPEN)
        return state == BREAKER_CLOSED;
    if (model->probe_ms != 0 && now < model->probe_ms + RECOVERY_MS)
        return false;
    model->probe_ms = now;
    return true;
}

static void model_record(Model *model, uint64_t now, bool success)
{
    BreakerState state = model_state(model, now);
    if (state == BREAKER_OPEN)
        return;
    model->probe_ms = 0;
    model->failures = success ? 0 : model->failures + 1;
    if (success)
        model->opened_ms = 0;
    bool opens = !success && (state == BREAKER_HALF_OPEN || model->failures >= model->threshold);
    model->open = opens;
    model->opened_ms = opens ? now : model->opened_ms;
}

static void simulate(uint64_t seed)
{
    World world = {0};
    Model models[BREAKERS] = {{.threshold = 1}, {.threshold = 2}, {.threshold = 5}};
    uint64_t random = seed | 1;
    print_message("seed %llu\n", (unsigned long long)seed);
    world_open(&world, seed);
    for (unsigned i = 0; i < STEPS; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        unsigned choice = (unsigned)(random >> 33);
        unsigned number = choice % BREAKERS;
        unsigned what = choice / 8 % 4;
        if (choice / 64 % 4 == 0)
            os_sim_advance_ms(world.os, choice / 256 % 700);
        if (choice / 64 % 32 == 1)
            world_crash(&world, random);
        uint64_t now = store_now(world.store);
        Step step = take(&world, models, number, what);
        if (what == 1)
            assert_int_equal(step.allowed, model_enter(&models[number], now));
        else if (what > 1)
            model_record(&models[number], now, what == 2);
        for (unsigned j = 0; j < BREAKERS; j++) {
            const Breaker seen = take(&world, models, j, 0).breaker;
            assert_int_equal(seen.state, model_state(&models[j], now));
            assert_int_equal(seen.failures, models[j].failures);
        }
    }
    world_close(&world);
}

static void a_breaker_is_what_the_model_says_whatever_the_seed(void **state)
{
    (void)state;
    const char *rounds = getenv("BRUME_SIM_ROUNDS");
    const char *seed = getenv("BRUME_SIM_SEED");
    if (seed != NULL) {
        simulate(strtoull(seed, NULL, 10));
        return;
    }
    for (uint64_t i = 0; i < (rounds == NULL ? SEEDS : strtoull(rounds, NULL, 10)); i++)
        simulate(i * 7919 + 1);
    simulate(os_wall_us(os_linux()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_breaker_is_what_the_model_says_whatever_the_seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
