/* poller_sift.c: which records of a batch its mapping's filters let through to the function.
 *
 * On the loop as long as that is quick. Filters and records can be made to take minutes together; what would take long is
 * done by the pool, some milliseconds at a time: no loop waits for it, and no mapping has the pool for itself. A record
 * that takes longer than any should counts as one that failed: it is neither dropped nor run. */
#include "core/poller_internal.h"

#include "base/bug.h"

enum {
    LOOP_STEPS = 300000,            /* of records that are added at a time: about a millisecond */
    TURN_STEPS = 4000000,           /* with the pool, before others have their turn: some 15 ms */
    RECORD_STEPS = 20 * 1000 * 1000 /* about 80 ms */
};

bool batch_is_sifted(const Batch *batch)
{
    return batch->sifted == batch->records.count;
}

static void let_through(Batch *batch)
{
    const Mapping *mapping = &batch->mapping;
    if (batch->matched++ > 0)
        buffer_add_byte(&batch->payload, ',');
    poller_source(mapping)->add(batch->poller->pollers->options.dialect, &batch->payload, mapping, &batch->records,
                                batch->sifted, false);
}

/* Whether one of the filters lets the next record through. ERROR_TOO_LARGE: that takes more steps than there are. */
static Error matches(Batch *batch, const PatternSet *filters, uint64_t *steps, bool *any)
{
    size_t count = 0;
    const Mapping *mapping = &batch->mapping;
    Arena scratch = arena_make();
    bool *matched = ARENA_ARRAY(&scratch, bool, mapping->filter_count);
    Buffer document = buffer_make(&scratch);
    poller_source(mapping)->add(batch->poller->pollers->options.dialect, &document, mapping, &batch->records,
                                batch->sifted, true);
    Error error = pattern_match_within(filters, buffer_slice(&document), steps, &scratch, matched, &count);
    *any = count > 0;
    arena_free(&scratch);
    return error;
}

static PollerItem *next_item(Batch *batch)
{
    return &batch->items[batch->count - batch->records.count + batch->sifted];
}

void batch_sift(Batch *batch, const PatternSet *filters)
{
    bool any = true;
    uint64_t steps = LOOP_STEPS;
    for (; !batch_is_sifted(batch); batch->sifted++) {
        if (filters != NULL && matches(batch, filters, &steps, &any) != OK)
            return;
        next_item(batch)->filtered = !any;
        if (any)
            let_through(batch);
    }
}

/* ---- With the pool, whose the batch is meanwhile ---- */

static void hand_over(Batch *batch, Mailbox *mailbox, void (*run)(Task *task))
{
    TaskChain chain = {0};
    batch->task.run = run;
    task_chain_push(&chain, &batch->task);
    mailbox->post(mailbox, chain);
}

static Mailbox *workers(const Pollers *pollers)
{
    return pollers->options.pool == NULL ? pollers->options.mailbox : work_pool_mailbox(pollers->options.pool);
}

static void sifted(Task *task)
{
    Batch *batch = CONTAINER_OF(task, Batch, task);
    if (!pollers_back(batch->poller->pollers))
        batch_start(batch);
}

static void sift_with_full_steps(Batch *batch, uint64_t *used)
{
    bool any = false;
    uint64_t steps = RECORD_STEPS;
    PollerItem *item = next_item(batch);
    item->failed = matches(batch, batch->pool_filters, &steps, &any) != OK;
    item->filtered = !item->failed && !any;
    if (item->failed)
        LOG(batch->poller->pollers->options.log, WARNING, "mapping_filter_takes_too_long",
            log_text("uuid", batch->mapping.uuid), log_text("message", item->id));
    else if (any)
        let_through(batch);
    batch->sifted++;
    *used += RECORD_STEPS - steps;
}

static void sift_for_a_turn(Task *task)
{
    Batch *batch = CONTAINER_OF(task, Batch, task);
    Pollers *pollers = batch->poller->pollers;
    uint64_t used = 0;
    if (batch->pool_filters == NULL)
        batch->pool_filters = mapping_filters_compile(&batch->mapping, &batch->arena);
    while (!batch_is_sifted(batch) && used < TURN_STEPS && !atomic_load(&pollers->stopping))
        sift_with_full_steps(batch, &used);
    if (batch_is_sifted(batch) || atomic_load(&pollers->stopping))
        hand_over(batch, pollers->options.mailbox, sifted);
    else
        hand_over(batch, workers(pollers), sift_for_a_turn);
}

void batch_sift_rest(Batch *batch)
{
    Pollers *pollers = batch->poller->pollers;
    pollers->calls++;
    hand_over(batch, workers(pollers), sift_for_a_turn);
}
