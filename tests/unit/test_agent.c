/* The promises of agent.h: what is put is acted on once it is durable, after failures too; and it ends with the store. */
#include "core/agent.h"
#include "store_fixture.h"

#include <stdlib.h>

enum { KEYS_MAX = 4, SEEN_MAX = 64 };

typedef struct Stage {
    World world;
    Agent agent;
    char found[KEYS_MAX + 1]; /* by the last run: a letter a key */
    char seen[SEEN_MAX];      /* all that was acted on */
    size_t seen_count;
    bool fails;
    bool later; /* acting ends by agent_continue */
    bool stopped;
    bool closed;
} Stage;

static KeyRange range_of(const char *prefix, const char *end)
{
    return (KeyRange){slice_of_string(prefix), slice_of_string(end)};
}

static KeyRange all(Txn *txn)
{
    (void)txn;
    return range_of("a", "b");
}

static KeyRange changed(Txn *txn)
{
    (void)txn;
    return range_of("c", "d");
}

static Error take(Agent *agent, Txn *txn, const AgentKey *keys, size_t count, Arena *arena)
{
    Stage *stage = CONTAINER_OF(agent, Stage, agent);
    (void)arena;
    assert_in_range(count, 1, KEYS_MAX);
    for (size_t i = 0; i < count; i++) {
        stage->found[i] = keys[i].key.data[1];
        if (keys[i].key.data[0] == 'c')
            txn_delete(txn, keys[i].key);
    }
    stage->found[count] = '\0';
    return stage->fails ? ERROR_IO : OK;
}

static bool act(Agent *agent)
{
    Stage *stage = CONTAINER_OF(agent, Stage, agent);
    for (const char *key = stage->found; *key != '\0'; key++) {
        assert_true(stage->seen_count + 1 < SEEN_MAX);
        stage->seen[stage->seen_count++] = *key;
    }
    return !stage->later;
}

static void stopped(Agent *agent, Error result)
{
    (void)result;
    CONTAINER_OF(agent, Stage, agent)->stopped = true;
}

static void closed(Agent *agent)
{
    CONTAINER_OF(agent, Stage, agent)->closed = true;
}

static void start(Stage *stage)
{
    agent_start(&stage->agent, &(AgentOptions){.store = stage->world.store,
                                               .mailbox = &stage->world.mailbox,
                                               .name = "test",
                                               .keys_max = KEYS_MAX,
                                               .changed = changed,
                                               .all = all,
                                               .take = take,
                                               .act = act,
                                               .stopped = stopped,
                                               .closed = closed});
    world_settle(&stage->world);
}

static Error put_body(Txn *txn, StoreCall *call)
{
    const char *keys = probe_argument(call);
    for (const char *key = keys + 1; *key != '\0'; key++) {
        const char name[] = {keys[0], *key};
        txn_put(txn, slice_make(name, sizeof name), SLICE("x"));
    }
    return OK;
}

/* The first character is the range's, a key for each of the others. */
static void put(Stage *stage, const char *keys)
{
    assert_int_equal(world_write(&stage->world, put_body, (void *)(uintptr_t)keys), OK);
    world_settle(&stage->world);
}

static int open_stage(void **state)
{
    Stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    world_open(&stage->world, 3);
    *state = stage;
    return 0;
}

static int close_stage(void **state)
{
    Stage *stage = *state;
    world_close(&stage->world);
    assert_true(agent_close(&stage->agent));
    free(stage);
    return 0;
}

static void all_that_there_is_at_the_start_is_acted_on_once_and_then_what_changes(void **state)
{
    Stage *stage = *state;
    put(stage, "a1234567890");
    put(stage, "cx");
    start(stage);
    assert_string_equal(stage->seen, "0123456789x");
    put(stage, "cyz");
    put(stage, "a_");
    assert_string_equal(stage->seen, "0123456789xyz");
}

static void a_full_last_page_is_followed_by_what_changes(void **state)
{
    Stage *stage = *state;
    put(stage, "a12345678");
    start(stage);
    put(stage, "cx");
    assert_string_equal(stage->seen, "12345678x");
}

static void what_failed_is_taken_again_a_second_later(void **state)
{
    Stage *stage = *state;
    start(stage);
    stage->fails = true;
    put(stage, "cx");
    stage->fails = false;
    put(stage, "cy");
    assert_string_equal(stage->seen, "");
    os_sim_advance_ms(stage->world.os, AGENT_RETRY_MS);
    world_settle(&stage->world);
    assert_string_equal(stage->seen, "xy");
}

static void nothing_more_is_taken_until_acting_has_ended(void **state)
{
    Stage *stage = *state;
    stage->later = true;
    start(stage);
    put(stage, "cx");
    put(stage, "cy");
    assert_string_equal(stage->seen, "x");
    agent_continue(&stage->agent, OK);
    world_settle(&stage->world);
    assert_string_equal(stage->seen, "xy");
    agent_continue(&stage->agent, ERROR_STOPPING);
    assert_true(stage->stopped);
}

static void it_ends_when_waits_do(void **state)
{
    Stage *stage = *state;
    start(stage);
    store_end_waits(stage->world.store);
    world_settle(&stage->world);
    assert_true(stage->stopped);
    put(stage, "cx");
    assert_string_equal(stage->seen, "");
}

static void the_stores_last_word_closes_it(void **state)
{
    Stage *stage = *state;
    start(stage);
    assert_false(agent_close(&stage->agent));
    assert_false(stage->closed);
    put(stage, "cx");
    assert_true(stage->closed);
    assert_string_equal(stage->seen, "");
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, open_stage, close_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(all_that_there_is_at_the_start_is_acted_on_once_and_then_what_changes),
        STAGED(a_full_last_page_is_followed_by_what_changes),
        STAGED(what_failed_is_taken_again_a_second_later),
        STAGED(nothing_more_is_taken_until_acting_has_ended),
        STAGED(it_ends_when_waits_do),
        STAGED(the_stores_last_word_closes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
