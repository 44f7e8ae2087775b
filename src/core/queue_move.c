#include "core/queue_group.h"

#include "base/bug.h"
#include "base/failpoint.h"

/* Move tasks. A page takes what can be seen as a receive would, in the queue's own order and by its own bounds, but sends
 * it anew elsewhere. A task's row (QUEUE_TAG_MOVE, its number) tells how far it may go: to the turns and sequence numbers
 * that were the next ones when it started, and to as many messages as could be seen then. While it runs, a timer under the
 * row's key makes the next page, and a key of KIND_QUEUE_MOVING stands for it. */

enum { MOVE_SCHEMA = 1 };

/* With a rate, so many pages are made a second, if the rate has as many messages. Without one, small pages with pauses
 * between them, so that the writer's other callers keep most of their speed. */
enum { MOVE_PAGES_PER_SECOND = 10, MOVE_FREE_PAGE = 128, MOVE_FREE_PAUSE_MS = 4 };

typedef struct StoredMove {
    uint64_t number;
    MoveTask task;
    uint64_t due_ms;    /* of the next page, while it runs */
    uint64_t again_end; /* turns from here on are not the task's */
    uint64_t new_end;   /* neither are messages without a group */
    uint64_t looked;    /* messages that it has come to */
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
    uint64_t *const numbers[] = {&task->rate,   &task->started_ms, &task->moved,   &task->to_move,
                                 &move->due_ms, &move->again_end,  &move->new_end, &move->looked};
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
    const uint64_t numbers[] = {task->rate,   task->started_ms, task->moved,   task->to_move,
                                move->due_ms, move->again_end,  move->new_end, move->looked};
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
    Buffer value = queue_timer_value(txn, queue->prefix);
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
    QueueCounts counts;
    StoredMoves kept;
    TRY(moves_get(txn, queue, &kept));
    if (kept.count > 0 && kept.items[0].task.status == MOVE_RUNNING)
        return QUEUE_MOVE_RUNNING;
    TRY(check_start(txn, queue, destination, active_max));
    if (kept.count == MOVE_TASKS_KEPT)
        txn_delete(txn, queue_key(txn, queue->prefix, QUEUE_TAG_MOVE, kept.items[MOVE_TASKS_KEPT - 1].number));

    TRY(queue_state_get(txn, queue->prefix, &state));
    TRY(queue_count(txn, queue, &counts));
    StoredMove move = {
        .number = kept.count == 0 ? 1 : kept.items[0].number + 1,
        .task = {.id = queue_new_message_id(txn),
                 .status = MOVE_RUNNING,
                 .destination = destination == NULL ? (Slice){0} : destination->name,
                 .rate = rate,
                 .started_ms = txn_now(txn),
                 .to_move = counts.visible},
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

typedef struct MovePage {
    Txn *txn;
    const Queue *queue;
    StoredMove *move;
    Queue destination; /* open, when its name is there */
} MovePage;

/* Opens the queue that the message goes to, unless the one before went there too. Sets the task's failure. */
static Error find_destination(MovePage *page, const StoredMessage *stored)
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

Error queue_move_offer(MovePage *page, Slice value, bool *moved)
{
    Txn *txn = page->txn;
    StoredMessage stored;
    TRY(queue_message_parse(value, txn_arena(txn), &stored));
    TRY(find_destination(page, &stored));
    *moved = page->move->task.failure == MOVE_NO_FAILURE;
    if (!*moved)
        return OK;
    StoredMessage anew = {.id = queue_new_message_id(txn), .sent_ms = txn_now(txn), .message = stored.message};
    TRY(queue_append(txn, &page->destination, &anew, page->destination.settings.delay_ms));
    page->move->task.moved += 1;
    return OK;
}

/* Moves up to `max` messages; gives how many have left the queue. */
static Error make_page(MovePage *page, size_t max, size_t *left, bool *done)
{
    Txn *txn = page->txn;
    const Queue *queue = page->queue;
    StoredMove *move = page->move;
    QueueState state;
    TRY(queue_state_get(txn, queue->prefix, &state));
    uint64_t rest = move->task.to_move - (move->looked < move->task.to_move ? move->looked : move->task.to_move);
    Receiving receiving = {
        .txn = txn,
        .queue = queue,
        .arena = txn_arena(txn),
        .state = &state,
        .received = &(ReceivedMessages){0},
        .max = 1, /* none is handed out */
        .dropped_max = rest < max ? rest : max,
        .again_end = move->again_end,
        .new_end = move->new_end,
        .move = page,
    };
    if (queue_wants_more(&receiving))
        TRY(queue_take(&receiving));
    move->looked += receiving.dropped;
    *left = receiving.dropped;
    /* It has ended with room for more, or with nothing more to do. */
    *done = queue_wants_more(&receiving) || move->looked >= move->task.to_move;
    /* Even when nothing was moved: groups may have changed their places in the rings. */
    TRY(queue_low_advance(txn, queue->prefix, &state));
    queue_state_put(txn, queue->prefix, &state);
    return OK;
}

/* The next page waits until this one's messages have had their time. */
static uint64_t next_due_ms(Txn *txn, uint64_t rate, size_t messages)
{
    return txn_now(txn) + (rate == 0 ? MOVE_FREE_PAUSE_MS : (messages * 1000 + rate - 1) / rate);
}

static size_t page_size(uint64_t rate)
{
    if (rate == 0)
        return MOVE_FREE_PAGE;
    return rate < MOVE_PAGES_PER_SECOND ? 1 : (size_t)rate / MOVE_PAGES_PER_SECOND;
}

static Error run_page(Txn *txn, const Queue *queue, StoredMove *move)
{
    MovePage page = {.txn = txn, .queue = queue, .move = move};
    size_t messages;
    bool done;
    TRY(make_page(&page, page_size(move->task.rate), &messages, &done));
    if (move->task.failure != MOVE_NO_FAILURE)
        end(txn, queue, move, MOVE_FAILED);
    else if (done)
        end(txn, queue, move, MOVE_COMPLETED);
    else
        schedule(txn, queue, move, next_due_ms(txn, move->task.rate, messages));
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
