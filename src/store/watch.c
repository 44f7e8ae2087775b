#include "store/store_internal.h"

#include "base/bug.h"

#include <stdlib.h>

/* Ranges without waiters are kept, since pollers come back to them, until they are this many and half of all. */
enum { EMPTY_WATCHES_KEPT = 1024 };
/* More keys than any round of waking takes. */
static const size_t KEYS_FOR_ALL = SIZE_MAX / 2;

void watches_init(Watches *watches)
{
    *watches = (Watches){0};
    pthread_mutex_init(&watches->mutex, NULL);
}

static void watch_free(Watch *watch)
{
    free((void *)(uintptr_t)watch->range.begin.data);
    free(watch);
}

void watches_free(Watches *watches)
{
    for (size_t i = 0; i < watches->count; i++)
        watch_free(watches->sorted[i]);
    free(watches->sorted);
    free(watches->deadlines);
    free(watches->noted);
    pthread_mutex_destroy(&watches->mutex);
}

static void *grown(void *array, size_t *capacity, size_t needed, size_t element)
{
    if (needed <= *capacity)
        return array;
    *capacity = *capacity == 0 ? 64 : *capacity * 2;
    array = realloc(array, *capacity * element);
    ASSERT(array != NULL);
    return array;
}

/* ---- The heap of deadlines ---- */

static void heap_place(Watches *watches, size_t index, StoreCall *call)
{
    watches->deadlines[index] = call;
    call->deadline_index = index;
}

static void heap_rise(Watches *watches, size_t index, StoreCall *call)
{
    while (index > 0 && watches->deadlines[(index - 1) / 2]->deadline_ns > call->deadline_ns) {
        heap_place(watches, index, watches->deadlines[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    heap_place(watches, index, call);
}

static void heap_sink(Watches *watches, size_t index, StoreCall *call)
{
    for (;;) {
        size_t child = index * 2 + 1;
        if (child + 1 < watches->waiting &&
            watches->deadlines[child + 1]->deadline_ns < watches->deadlines[child]->deadline_ns)
            child++;
        if (child >= watches->waiting || watches->deadlines[child]->deadline_ns >= call->deadline_ns)
            break;
        heap_place(watches, index, watches->deadlines[child]);
        index = child;
    }
    heap_place(watches, index, call);
}

static void heap_add(Watches *watches, StoreCall *call)
{
    watches->deadlines =
        grown(watches->deadlines, &watches->deadlines_capacity, watches->waiting + 1, sizeof *watches->deadlines);
    heap_rise(watches, watches->waiting++, call);
    watches->waiting_in_background += call->in_background;
}

static void heap_remove(Watches *watches, StoreCall *call)
{
    size_t index = call->deadline_index;
    watches->waiting_in_background -= call->in_background;
    StoreCall *last = watches->deadlines[--watches->waiting];
    if (last == call)
        return;
    if (index > 0 && watches->deadlines[(index - 1) / 2]->deadline_ns > last->deadline_ns)
        heap_rise(watches, index, last);
    else
        heap_sink(watches, index, last);
}

/* ---- The ranges ---- */

/* How many ranges begin at or before `key`. */
static size_t ranges_up_to(const Watches *watches, Slice key)
{
    size_t low = 0;
    size_t high = watches->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (slice_compare(watches->sorted[middle]->range.begin, key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static Watch *watch_of_key(const Watches *watches, Slice key)
{
    size_t place = ranges_up_to(watches, key);
    if (place == 0)
        return NULL;
    Watch *watch = watches->sorted[place - 1];
    return slice_compare(key, watch->range.end) < 0 ? watch : NULL;
}

static void drop_empty(Watches *watches)
{
    size_t kept = 0;
    for (size_t i = 0; i < watches->count; i++) {
        if (list_is_empty(&watches->sorted[i]->waiters) && !watches->sorted[i]->noted && !watches->sorted[i]->in_round)
            watch_free(watches->sorted[i]);
        else
            watches->sorted[kept++] = watches->sorted[i];
    }
    watches->count = kept;
    watches->empty = 0;
}

static Watch *watch_open(Watches *watches, KeyRange range)
{
    Watch *watch = watch_of_key(watches, range.begin);
    if (watch != NULL) {
        ASSERT(slice_equal(watch->range.begin, range.begin) && slice_equal(watch->range.end, range.end));
        return watch;
    }
    if (watches->empty > EMPTY_WATCHES_KEPT && watches->empty > watches->count / 2)
        drop_empty(watches);
    watch = calloc(1, sizeof *watch);
    char *bounds = malloc(range.begin.size + range.end.size);
    ASSERT(watch != NULL && bounds != NULL);
    memcpy(bounds, range.begin.data, range.begin.size);
    memcpy(bounds + range.begin.size, range.end.data, range.end.size);
    watch->range.begin = slice_make(bounds, range.begin.size);
    watch->range.end = slice_make(bounds + range.begin.size, range.end.size);
    list_init(&watch->waiters);
    watches->empty++;
    size_t place = ranges_up_to(watches, range.begin);
    watches->sorted = grown(watches->sorted, &watches->capacity, watches->count + 1, sizeof *watches->sorted);
    memmove(&watches->sorted[place + 1], &watches->sorted[place], (watches->count - place) * sizeof *watches->sorted);
    watches->sorted[place] = watch;
    watches->count++;
    return watch;
}

/* ---- Waiters ---- */

static void link_waiter(Watches *watches, Watch *watch, StoreCall *call, bool first)
{
    if (list_is_empty(&watch->waiters))
        watches->empty--;
    if (first)
        list_push_front(&watch->waiters, &call->waiting);
    else
        list_push_back(&watch->waiters, &call->waiting);
    call->watch = watch;
    heap_add(watches, call);
}

Error watch_park(Watches *watches, StoreCall *call, KeyRange range, uint64_t limit)
{
    pthread_mutex_lock(&watches->mutex);
    Error error = atomic_load(&call->cancelled) ? ERROR_GONE : watches->waiting >= limit ? ERROR_BUSY : OK;
    if (error == OK)
        link_waiter(watches, watch_open(watches, range), call, false);
    pthread_mutex_unlock(&watches->mutex);
    return error;
}

bool watch_park_again(Watches *watches, StoreCall *call, Watch *watch)
{
    pthread_mutex_lock(&watches->mutex);
    bool wanted = !atomic_load(&call->cancelled);
    if (wanted)
        link_waiter(watches, watch, call, true);
    pthread_mutex_unlock(&watches->mutex);
    return wanted;
}

static void unlink_waiter(Watches *watches, StoreCall *call)
{
    list_remove(&call->waiting);
    if (list_is_empty(&call->watch->waiters))
        watches->empty++;
    call->watch = NULL;
    heap_remove(watches, call);
}

bool watch_remove(Watches *watches, StoreCall *call)
{
    pthread_mutex_lock(&watches->mutex);
    bool parked = call->watch != NULL;
    if (parked)
        unlink_waiter(watches, call);
    else
        atomic_store(&call->cancelled, true);
    pthread_mutex_unlock(&watches->mutex);
    return parked;
}

static void note(Watches *watches, Watch *watch, size_t keys)
{
    watch->keys += keys;
    if (watch->noted)
        return;
    watch->noted = true;
    watches->noted = grown(watches->noted, &watches->noted_capacity, watches->noted_count + 1, sizeof(Watch *));
    watches->noted[watches->noted_count++] = watch;
}

void watch_note(Watches *watches, const Writeset *set, size_t mark)
{
    pthread_mutex_lock(&watches->mutex);
    bool anyone = watches->waiting > 0 || watches->in_round; /* a round's idle waiters are not counted */
    for (size_t i = mark; anyone && i < set->undo_count; i++) {
        const WriteUndo *undo = &set->undo[i];
        if (undo->node->state != WRITE_PUT || undo->state == WRITE_PUT)
            continue;
        Watch *watch = watch_of_key(watches, undo->node->key);
        if (watch != NULL && (watch->in_round || !list_is_empty(&watch->waiters)))
            note(watches, watch, 1);
    }
    pthread_mutex_unlock(&watches->mutex);
}

void watch_note_all(Watches *watches)
{
    pthread_mutex_lock(&watches->mutex);
    for (size_t i = 0; i < watches->count; i++)
        if (!list_is_empty(&watches->sorted[i]->waiters))
            note(watches, watches->sorted[i], KEYS_FOR_ALL);
    pthread_mutex_unlock(&watches->mutex);
}

Watch *watch_pop_noted(Watches *watches)
{
    if (watches->noted_count == 0)
        return NULL;
    /* The round that begins may note it again; until then nothing else can drop the watch. */
    Watch *watch = watches->noted[--watches->noted_count];
    pthread_mutex_lock(&watches->mutex);
    watch->noted = false;
    watch->in_round = watches->in_round = true;
    pthread_mutex_unlock(&watches->mutex);
    return watch;
}

void watch_end_round(Watches *watches, Watch *watch)
{
    pthread_mutex_lock(&watches->mutex);
    /* Noted again by one of its own waiters: those that looked before that one look again. */
    if (!watch->noted)
        watch->keys = 0;
    watch->in_round = watches->in_round = false;
    pthread_mutex_unlock(&watches->mutex);
}

StoreCall *watch_take_first(Watches *watches, Watch *watch)
{
    pthread_mutex_lock(&watches->mutex);
    ListNode *first = list_first(&watch->waiters);
    StoreCall *call = first == NULL ? NULL : CONTAINER_OF(first, StoreCall, waiting);
    if (call != NULL)
        unlink_waiter(watches, call);
    pthread_mutex_unlock(&watches->mutex);
    return call;
}

uint64_t watch_next_deadline(Watches *watches)
{
    pthread_mutex_lock(&watches->mutex);
    uint64_t deadline = watches->waiting == 0 ? UINT64_MAX : watches->deadlines[0]->deadline_ns;
    pthread_mutex_unlock(&watches->mutex);
    return deadline;
}

StoreCall *watch_take_expired(Watches *watches, uint64_t now_ns)
{
    pthread_mutex_lock(&watches->mutex);
    StoreCall *call =
        watches->waiting > 0 && watches->deadlines[0]->deadline_ns <= now_ns ? watches->deadlines[0] : NULL;
    if (call != NULL)
        unlink_waiter(watches, call);
    pthread_mutex_unlock(&watches->mutex);
    return call;
}
