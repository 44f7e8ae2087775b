#include "core/queue_records.h"

#include "base/bug.h"
#include "base/digest.h"

/* ---- Which queue's dead letters go where ---- */

static Buffer sources_key(Txn *txn, const Queue *queue, Slice dead_letter_queue)
{
    Buffer key = key_start(txn_arena(txn), queue->account, queue->region, KIND_QUEUE_SOURCE);
    key_add_string(&key, dead_letter_queue);
    return key;
}

static Slice source_key(Txn *txn, const Queue *queue, Slice dead_letter_queue, Slice source)
{
    Buffer key = sources_key(txn, queue, dead_letter_queue);
    key_add_string(&key, source);
    return buffer_slice(&key);
}

void queue_source_index(Txn *txn, const Queue *queue, Slice before, Slice after)
{
    if (slice_equal(before, after))
        return;
    if (before.data != NULL)
        txn_delete(txn, source_key(txn, queue, before, queue->name));
    if (after.data != NULL)
        txn_put(txn, source_key(txn, queue, after, queue->name), SLICE(""));
}

Error queue_list_sources(Txn *txn, const Queue *queue, Slice after, size_t max, QueueNames *names)
{
    Arena *arena = txn_arena(txn);
    Buffer head = sources_key(txn, queue, queue->name);
    KeyRange range = key_range_of_prefix(arena, buffer_slice(&head));
    if (after.data != NULL) {
        Buffer begin = buffer_make(arena);
        buffer_add(&begin, source_key(txn, queue, queue->name, after));
        buffer_add_byte(&begin, 0); /* the first key behind it */
        range.begin = buffer_slice(&begin);
    }
    *names = (QueueNames){.items = ARENA_ARRAY(arena, Slice, max)};

    Cursor *cursor = txn_scan(txn, range, SCAN_FORWARD);
    Slice key;
    Slice value;
    Error error;
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        if (names->count == max) {
            names->more = true;
            break;
        }
        key = slice_skip(key, head.size);
        if ((error = key_take_string(&key, arena, &names->items[names->count])) != OK)
            break;
        names->count++;
    }
    cursor_close(cursor);
    return error;
}

Error queue_has_sources(Txn *txn, const Queue *queue, bool *has)
{
    QueueNames names;
    TRY(queue_list_sources(txn, queue, (Slice){0}, 1, &names));
    *has = names.count > 0;
    return OK;
}

static bool may_redrive_to(const QueueSettings *letters, Slice source)
{
    if (letters->redrive_allow != REDRIVE_ALLOW_LISTED)
        return letters->redrive_allow == REDRIVE_ALLOW_ALL;
    for (size_t i = 0; i < letters->redrive_source_count; i++)
        if (slice_equal(letters->redrive_sources[i], source))
            return true;
    return false;
}

Error queue_check_redrive(Txn *txn, const Actor *actor, Slice name, const QueueSettings *settings)
{
    Slice letters_name = settings->dead_letter_queue;
    Queue letters;
    if (letters_name.data == NULL)
        return OK;
    /* A queue that names itself is judged by what it is going to be. */
    if (slice_equal(letters_name, name))
        letters.settings = *settings;
    else
        TRY(queue_open(txn, actor, letters_name, &letters));
    if (letters.settings.fifo != settings->fifo)
        return QUEUE_KINDS_DIFFER;
    return may_redrive_to(&letters.settings, name) ? OK : QUEUE_REDRIVE_DENIED;
}

/* ---- The move ---- */

/* What the message is in the dead-letter queue. */
static void become_letter(Txn *txn, const Queue *queue, const Lease *lease, StoredMessage *stored)
{
    if (stored->earlier_receives == 0)
        stored->first_received_ms = lease->first_received_ms;
    stored->earlier_receives += lease->receive_count;
    stored->dead_letter_source = queue->name;
    if (!queue->settings.fifo)
        return;
    /* Two messages that happen to share a deduplication id are both kept there. */
    char *id = arena_alloc_aligned(txn_arena(txn), UUID_TEXT_SIZE, 1);
    uuid_format(stored->id.bytes, id);
    stored->message.dedup_id = slice_make(id, UUID_TEXT_SIZE);
    stored->sent_ms = txn_now(txn);
}

Error queue_divert(Txn *txn, const Queue *queue, const Lease *lease, Slice value, bool *diverted)
{
    const QueueSettings *settings = &queue->settings;
    *diverted = false;
    if (settings->dead_letter_queue.data == NULL || lease->receive_count < settings->max_receives ||
        slice_equal(settings->dead_letter_queue, queue->name))
        return OK;
    Queue letters;
    Error error = queue_open_neighbour(txn, queue, settings->dead_letter_queue, &letters);
    if (error == QUEUE_NOT_FOUND || (error == OK && letters.settings.fifo != settings->fifo))
        return OK; /* it was deleted, and perhaps made again as another kind */
    TRY(error);

    StoredMessage stored;
    TRY(queue_message_parse(value, txn_arena(txn), &stored));
    become_letter(txn, queue, lease, &stored);
    /* What is older than the dead-letter queue keeps has no place there either. */
    if (!queue_expired(&letters.settings, stored.sent_ms, txn_now(txn)))
        TRY(queue_append(txn, &letters, &stored, 0));
    *diverted = true;
    return OK;
}
