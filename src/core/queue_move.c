#include "core/queue_records.h"

#include "base/bug.h"
#include "base/failpoint.h"

/* Move tasks. A task's row (QUEUE_TAG_MOVE, its number) tells how far it may go: to the turns and sequence numbers that
 * were the next ones when it started. What stood below and is visible is taken from the queue's head on, so that the
 * queue's own bounds tell where to go on. While it runs, a timer under the row's key makes the next page, and a key of
 * KIND_QUEUE_MOVING stands for it. */

enum { MOVE_SCHEMA = 1 };

/* With a rate, so many pages are made a second, if the rate has as many messages. Without one, small pages with pauses
 * between them, so that the writer's other callers keep most of their speed. */
enum { MOVE_PAGES_PER_SECOND = 10, MOVE_FREE_PAGE = 128, MOVE_FREE_PAUSE_MS = 4 };

typedef struct StoredMove {
    uint64_t number;
    MoveTask task;
    uint64_t due_ms;    /* of the next page, while it runs */
    uint64_t again_end; /* turns from here on are not the task's */
    uint64_t new_end;   /* neither are messages */
} StoredMove;

/* ---- Rows ---- */

static Error move_parse(Slice value, StoredMove *move)
{
    uint8_t schema;
    uint64_t status;
    uint64_t failure;
    Slice id;
    MoveTask *task = &move->task;
    TRY(value_take_schema(&value, &schema));
    if (schema != MOVE_SCHEMA)
        return ERROR_FORMAT;
    TRY(value_take_bytes(&value, &id));
    if (id.size != sizeof(task->id.bytes))
        return ERROR_MALFORMED;
    memcpy(task->id.bytes, id.data, id.size);
    TRY(value_take_uint64(&value, &status));
    TRY(value_take_uint64(&value, &failure));
    TRY(value_take_optional(&value, &task->destination));
    uint64_t *const numbers[] = {&task->rate,   &task->started_ms, &task->moved,  &task->to_move,
                                 &move->due_ms, &move->again_end,  &move->new_end};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        TRY(value_take_uint64(&value, numbers[i]));
    task->status = (MoveStatus)status;
    task->failure = (MoveFailure)failure;
    return OK;
}

static void move_put(Txn *txn, Slice prefix, const StoredMove *move)
{
    const MoveTask *task = &move->task;
    Buffer value = value_start(txn_arena(txn), MOVE_SCHEMA);
    value_add_bytes(&value, slice_make(task->id.bytes, sizeof(task->id.bytes)));
    value_add_uint64(&value, (uint64_t)task->status);
    value_add_uint64(&value, (uint64_t)task->failure);
    value_add_optional(&value, task->destination);
    const uint64_t numbers[] = {task->rate,   task->started_ms, task->moved,  task->to_move,
                                move->due_ms, move->again_end,  move->new_end};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        value_add_uint64(&value, numbers[i]);
    txn_put(txn, queue_key(txn, prefix, QUEUE_TAG_MOVE, move->number), buffer_slice(&value));
}

typedef struct StoredMoves {
    StoredMove items[MOVE_TASKS_KEPT];
    size_t count;
} StoredMoves;

/* All that are kept, newest first. */
static Error moves_get(Txn *txn, const Queue *queue, StoredMoves *moves)
{
    moves->count = 0;
    Cursor *cursor = txn_scan(txn, queue_range(txn, queue->prefix, QUEUE_TAG_MOVE, 0, 0), SCAN_BACKWARD);
    Slice key;
    Slice value;
    Error error;
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        ASSERT(moves->count < MOVE_TASKS_KEPT);
        StoredMove *move = &moves->items[moves->count++];
        if ((error = queue_key_number(key, queue->prefix, &move->number)) != OK ||
            (error = move_parse(arena_copy(txn_arena(txn), value), move)) != OK)
            break;
    }
    cursor_close(cursor);
    return error;
}

/* ---- Running tasks ---- */

static Slice moving_key(Txn *txn, const Queue *queue)
{
    Buffer key = key_start(txn_arena(txn), queue->account, queue->region, KIND_QUEUE_MOVING);
    key_add_uint64(&key, queue->number);
    return buffer_slice(&key);
}

static Error count_running(Txn *txn, const Queue *queue, uint64_t max, uint64_t *count)
{
    Buffer all = key_start(txn_arena(txn), queue->account, queue->region, KIND_QUEUE_MOVING);
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(txn_arena(txn), buffer_slice(&all)), SCAN_FORWARD);
    Slice key;
    Slice value;
    Error error = OK;
    *count = 0;
    while (*count < max && (error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL)
        *count += 1;
    cursor_close(cursor);
    return error;
}

/* The next page is due at `due_ms`. The timer's value tells how to open the queue. */
static void schedule(Txn *txn, const Queue *queue, StoredMove *move, uint64_t due_ms)
{
    Buffer value = queue_timer_value(txn, queue->prefix.size);
    value_add_bytes(&value, queue->account);
    value_add_bytes(&value, queue->region);
    value_add_bytes(&value, queue->name);
    move->due_ms = due_ms;
    txn_timer_set(txn, TIMER_QUEUE, queue->home, due_ms, queue_key(txn, queue->prefix, QUEUE_TAG_MOVE, move->number),
                  buffer_slice(&value));
}

static void end(Txn *txn, const Queue *queue, StoredMove *move, MoveStatus status)
{
    move->task.status = status;
    txn_delete(txn, moving_key(txn, queue));
}

static void stop(Txn *txn, const Queue *queue, StoredMove *move, MoveStatus status)
{
    txn_timer_delete(txn, TIMER_QUEUE, move->due_ms, queue_key(txn, queue->prefix, QUEUE_TAG_MOVE, move->number));
    end(txn, queue, move, status);
}

/* ---- What is asked for ---- */

static Error check_start(Txn *txn, const Queue *queue, const Queue *destination, uint64_t active_max)
{
    bool has_sources;
    uint64_t running;
    TRY(queue_has_sources(txn, queue, &has_sources));
    if (!has_sources)
        return QUEUE_NO_DEAD_LETTERS;
    if (destination != NULL && destination->number == queue->number)
        return QUEUE_MOVE_TO_ITSELF;
    if (destination != NULL && destination->settings.fifo != queue->settings.fifo)
        return QUEUE_KINDS_DIFFER;
    TRY(count_running(txn, queue, active_max, &running));
    return running < active_max ? OK : QUEUE_MOVE_LIMIT;
}

Error queue_move_start(Txn *txn, const Queue *queue, const Queue *destination, uint64_t rate, uint64_t active_max,
                       MoveTask *task)
{
    QueueState state;
    StoredMoves kept;
    TRY(moves_get(txn, queue, &kept));
    if (kept.count > 0 && kept.items[0].task.status == MOVE_RUNNING)
        return QUEUE_MOVE_RUNNING;
    TRY(check_start(txn, queue, destination, active_max));
    if (kept.count == MOVE_TASKS_KEPT)
        txn_delete(txn, queue_key(txn, queue->prefix, QUEUE_TAG_MOVE, kept.items[MOVE_TASKS_KEPT - 1].number));

    TRY(queue_state_get(txn, queue->prefix, &state));
    StoredMove move = {
        .number = kept.count == 0 ? 1 : kept.items[0].number + 1,
        .task = {.id = queue_new_message_id(txn),
                 .status = MOVE_RUNNING,
                 .destination = destination == NULL ? (Slice){0} : destination->name,
                 .rate = rate,
                 .started_ms = txn_now(txn),
                 .to_move = state.new_count + state.again_count},
        .again_end = state.again_next,
        .new_end = state.next_seq,
    };
    txn_put(txn, moving_key(txn, queue), SLICE(""));
    schedule(txn, queue, &move, txn_now(txn));
    move_put(txn, queue->prefix, &move);
    *task = move.task;
    return OK;
}

Error queue_move_cancel(Txn *txn, const Queue *queue, const MessageId *id, MoveTask *task)
{
    StoredMoves kept;
    TRY(moves_get(txn, queue, &kept));
    for (size_t i = 0; i < kept.count; i++) {
        StoredMove *move = &kept.items[i];
        if (memcmp(&move->task.id, id, sizeof(*id)) != 0)
            continue;
        if (move->task.status != MOVE_RUNNING)
            return QUEUE_MOVE_ENDED;
        stop(txn, queue, move, MOVE_CANCELLED);
        move_put(txn, queue->prefix, move);
        *task = move->task;
        return OK;
    }
    return QUEUE_MOVE_NOT_FOUND;
}

Error queue_move_list(Txn *txn, const Queue *queue, size_t max, MoveTask *tasks, size_t *count)
{
    StoredMoves kept;
    TRY(moves_get(txn, queue, &kept));
    *count = kept.count < max ? kept.count : max;
    for (size_t i = 0; i < *count; i++)
        tasks[i] = kept.items[i].task;
    return OK;
}

Error queue_move_drop(Txn *txn, const Queue *queue)
{
    StoredMoves kept;
    TRY(moves_get(txn, queue, &kept));
    for (size_t i = 0; i < kept.count; i++) {
        if (kept.items[i].task.status == MOVE_RUNNING)
            stop(txn, queue, &kept.items[i], MOVE_CANCELLED);
        txn_delete(txn, queue_key(txn, queue->prefix, QUEUE_TAG_MOVE, kept.items[i].number));
    }
    return OK;
}

/* ---- A page ---- */

typedef struct Page {
    Txn *txn;
    const Queue *queue;
    QueueState state;
    StoredMove *move;
    Queue destination; /* open, when its name is there */
    size_t taken;      /* messages that left the queue */
    size_t max;        /* of them */
    size_t work;       /* that these were: queue_deletion_work */
} Page;

static bool goes_on(const Page *page)
{
    return page->taken < page->max && page->work < QUEUE_PAGE_WORK && page->move->task.failure == MOVE_NO_FAILURE;
}

/* Opens the queue that the message goes to, unless the one before went there too. Sets the task's failure. */
static Error find_destination(Page *page, const StoredMessage *stored)
{
    MoveTask *task = &page->move->task;
    Slice name = task->destination.data != NULL ? task->destination : stored->dead_letter_source;
    if (name.data == NULL) {
        task->failure = MOVE_SOURCE_UNKNOWN;
        return OK;
    }
    if (slice_equal(name, page->destination.name))
        return OK;
    name = arena_copy(txn_arena(page->txn), name);
    Error error = queue_open_neighbour(page->txn, page->queue, name, &page->destination);
    if (error != OK && error != QUEUE_NOT_FOUND)
        return error;
    if (error == QUEUE_NOT_FOUND || page->destination.settings.fifo != page->queue->settings.fifo ||
        page->destination.number == page->queue->number) {
        page->destination = (Queue){0};
        task->failure = MOVE_DESTINATION_GONE;
    }
    return OK;
}

/* Sends the stored message anew, unless it has expired. The caller takes it from the queue if the task has not failed. */
static Error send_anew(Page *page, Slice value)
{
    Txn *txn = page->txn;
    StoredMessage stored;
    TRY(queue_message_parse(value, txn_arena(txn), &stored));
    page->work += queue_deletion_work(value);
    if (queue_expired(&page->queue->settings, stored.sent_ms, txn_now(txn)))
        return OK;
    TRY(find_destination(page, &stored));
    if (page->move->task.failure != MOVE_NO_FAILURE)
        return OK;
    const StoredMessage anew = {.id = queue_new_message_id(txn), .sent_ms = txn_now(txn), .message = stored.message};
    TRY(queue_append(txn, &page->destination, &anew, page->destination.settings.delay_ms));
    page->move->task.moved += 1;
    return OK;
}

static Error take_returned(Page *page, uint64_t turn, Slice value)
{
    Txn *txn = page->txn;
    Slice prefix = page->queue->prefix;
    uint64_t seq;
    Lease lease;
    bool found;
    TRY(queue_turn_parse(value, &seq));
    TRY(queue_lease_get(txn, prefix, seq, &lease, &found));
    ASSERT(found && lease.status == LEASE_READY);
    TRY(txn_get(txn, queue_key(txn, prefix, lease.body_tag, seq), &value, &found));
    ASSERT(found);
    TRY(send_anew(page, value));
    if (page->move->task.failure != MOVE_NO_FAILURE)
        return OK;
    queue_lease_forget(txn, prefix, &page->state, seq, &lease);
    page->state.again_head = turn + 1;
    page->taken += 1;
    return OK;
}

static Error take_new(Page *page, uint64_t seq, Slice value)
{
    TRY(send_anew(page, value));
    if (page->move->task.failure != MOVE_NO_FAILURE)
        return OK;
    txn_delete(page->txn, queue_key(page->txn, page->queue->prefix, QUEUE_TAG_MESSAGE, seq));
    page->state.new_count -= 1;
    page->state.next_new = seq + 1;
    page->taken += 1;
    return OK;
}

/* Takes what stands under the tag from `from` on and below `below`; `done`: nothing of it is left. */
static Error walk(Page *page, QueueTag tag, uint64_t from, uint64_t below,
                  Error (*take)(Page *page, uint64_t number, Slice value), bool *done)
{
    Slice prefix = page->queue->prefix;
    Slice key;
    Slice value;
    Error error = OK;
    *done = from >= below;
    if (*done)
        return OK;
    Cursor *cursor = txn_scan(page->txn, queue_range(page->txn, prefix, tag, from, below), SCAN_FORWARD);
    while (goes_on(page) && (error = cursor_next(cursor, &key, &value)) == OK) {
        uint64_t number;
        *done = key.data == NULL;
        if (*done || (error = queue_key_number(key, prefix, &number)) != OK ||
            (error = take(page, number, value)) != OK)
            break;
    }
    cursor_close(cursor);
    return error;
}

static Error make_page(Page *page, bool *done)
{
    QueueState *state = &page->state;
    const StoredMove *move = page->move;
    bool returned_done = state->again_count == 0;
    bool new_done = state->new_count == 0;
    if (!returned_done)
        TRY(walk(page, QUEUE_TAG_AGAIN, state->again_head, move->again_end, take_returned, &returned_done));
    if (returned_done && !new_done)
        TRY(walk(page, QUEUE_TAG_MESSAGE, state->next_new, move->new_end, take_new, &new_done));
    if (state->again_count == 0)
        state->again_head = state->again_next;
    if (state->new_count == 0)
        state->next_new = state->next_seq;
    *done = returned_done && new_done;
    if (page->taken == 0)
        return OK;
    TRY(queue_lease_low_advance(page->txn, page->queue->prefix, state));
    queue_state_put(page->txn, page->queue->prefix, state);
    return OK;
}

/* The next page waits until this one's messages have had their time. */
static uint64_t next_due_ms(const Page *page)
{
    uint64_t rate = page->move->task.rate;
    return txn_now(page->txn) + (rate == 0 ? MOVE_FREE_PAUSE_MS : (page->taken * 1000 + rate - 1) / rate);
}

static size_t page_size(uint64_t rate)
{
    if (rate == 0)
        return MOVE_FREE_PAGE;
    return rate < MOVE_PAGES_PER_SECOND ? 1 : (size_t)rate / MOVE_PAGES_PER_SECOND;
}

static Error run_page(Txn *txn, const Queue *queue, StoredMove *move)
{
    Page page = {.txn = txn, .queue = queue, .move = move, .max = page_size(move->task.rate)};
    bool done;
    TRY(queue_state_get(txn, queue->prefix, &page.state));
    TRY(make_page(&page, &done));
    if (move->task.failure != MOVE_NO_FAILURE)
        end(txn, queue, move, MOVE_FAILED);
    else if (done)
        end(txn, queue, move, MOVE_COMPLETED);
    else
        schedule(txn, queue, move, next_due_ms(&page));
    move_put(txn, queue->prefix, move);
    FAILPOINT("queue.move_page");
    return OK;
}

Error queue_move_due(Txn *txn, Slice prefix, uint64_t number, Slice value)
{
    Actor actor = {0};
    Slice name;
    Slice row;
    bool found;
    Queue queue;
    TRY(value_take_bytes(&value, &actor.account));
    TRY(value_take_bytes(&value, &actor.region));
    TRY(value_take_bytes(&value, &name));
    Error error = queue_open(txn, &actor, name, &queue);
    if (error == QUEUE_NOT_FOUND || (error == OK && !slice_equal(queue.prefix, prefix)))
        return OK; /* deleted since, with its tasks */
    TRY(error);
    TRY(txn_get(txn, queue_key(txn, prefix, QUEUE_TAG_MOVE, number), &row, &found));
    StoredMove move = {.number = number};
    if (!found)
        return OK;
    TRY(move_parse(row, &move));
    return move.task.status == MOVE_RUNNING ? run_page(txn, &queue, &move) : OK;
}
