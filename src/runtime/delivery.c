/* Gives answers back on the caller's thread. A caller on the runtime's own loop gets them by a plain call; to others they are
 * posted, pieces as copies of which only so many are under way.
 *
 * What a caller elsewhere asks (cancel, resume) is posted the other way, and must not arrive when the invocation is gone:
 * `done` is not called before a fence, posted behind what was asked, has come back. */
#include "base/bug.h"
#include "runtime/runtime_internal.h"

#include <stdlib.h>

enum { UNDER_WAY_MAX = 2 * 1024 * 1024 }; /* bytes of parcels posted to a caller's thread and not opened there */

/* A piece, or the start of a stream: the content type and the prelude behind it. */
typedef struct Parcel {
    Task task;
    InvocationState *state;
    bool is_start;
    bool has_prelude;
    size_t size; /* of the piece, or of the content type */
    size_t prelude_size;
    char bytes[];
} Parcel;

/* What it takes here: a handler that writes byte by byte must not make the server hold a hundred times as much. */
static size_t weight(const Parcel *parcel)
{
    return sizeof *parcel + parcel->size + parcel->prelude_size;
}

static void post(Mailbox *mailbox, Task *task)
{
    TaskChain chain = {0};
    task_chain_push(&chain, task);
    mailbox->post(mailbox, chain);
}

/* ---- On the caller's thread ---- */

static void hand_over(InvocationState *state)
{
    Invocation *invocation = state->invocation;
    invocation->done(invocation);
}

static void fence_passed(Task *task)
{
    hand_over(CONTAINER_OF(task, InvocationState, done_task));
}

static void pass_fence(Task *task)
{
    InvocationState *state = CONTAINER_OF(task, InvocationState, fence_task);
    state->done_task.run = fence_passed;
    post(state->invocation->mailbox, &state->done_task);
}

static void end(InvocationState *state)
{
    if (state->is_ending) /* its fence is under way: a resume that comes meanwhile changes nothing */
        return;
    state->is_ending = true;
    if (!state->asked) {
        hand_over(state);
        return;
    }
    state->fence_task.run = pass_fence;
    post(state->runtime->mailbox, &state->fence_task);
}

static void resume_reading(Task *task)
{
    InvocationState *state = CONTAINER_OF(task, InvocationState, resume_task);
    atomic_store(&state->is_paused, false);
    atomic_store(&state->resume_asked, false);
    if (state->worker != NULL)
        worker_resume(state->worker);
}

/* Lets the runtime read on when enough has been taken. */
static void ask_for_more(InvocationState *state)
{
    if (!atomic_load(&state->is_paused) || atomic_load(&state->under_way) > UNDER_WAY_MAX / 2 ||
        atomic_exchange(&state->resume_asked, true))
        return;
    state->asked = true;
    state->resume_task.run = resume_reading;
    post(state->runtime->mailbox, &state->resume_task);
}

static void open_parcel(Parcel *parcel)
{
    InvocationState *state = parcel->state;
    Invocation *invocation = state->invocation;
    Slice prelude = parcel->has_prelude ? slice_make(parcel->bytes + parcel->size, parcel->prelude_size) : (Slice){0};
    Slice first = slice_make(parcel->bytes, parcel->size);
    if (!state->is_gone && parcel->is_start)
        invocation->on_start(invocation, first, prelude);
    if (!state->is_gone && !parcel->is_start && !invocation->on_piece(invocation, first))
        state->blocked = !state->is_gone; /* it may have left just now */
    atomic_fetch_sub(&state->under_way, weight(parcel));
    free(parcel);
}

static void open_held(InvocationState *state)
{
    Task *task;
    state->is_opening = true;
    while (!state->blocked && (task = task_chain_pop(&state->held)) != NULL)
        open_parcel(CONTAINER_OF(task, Parcel, task));
    state->is_opening = false;
    if (state->held.first != NULL)
        return;
    if (state->has_ended)
        end(state);
    else
        ask_for_more(state);
}

static void parcel_came(Task *task)
{
    Parcel *parcel = CONTAINER_OF(task, Parcel, task);
    InvocationState *state = parcel->state;
    if (state->blocked || state->held.first != NULL) {
        task_chain_push(&state->held, task);
        return;
    }
    open_parcel(parcel);
    if (!state->blocked)
        ask_for_more(state);
}

static void done_came(Task *task)
{
    InvocationState *state = CONTAINER_OF(task, InvocationState, done_task);
    state->has_ended = true;
    if (state->held.first == NULL)
        end(state);
}

/* ---- On the runtime's loop ---- */

static void post_parcel(InvocationState *state, bool is_start, Slice first, Slice prelude)
{
    Parcel *parcel = malloc(sizeof *parcel + first.size + prelude.size);
    ASSERT(parcel != NULL);
    *parcel = (Parcel){.task.run = parcel_came,
                       .state = state,
                       .is_start = is_start,
                       .has_prelude = prelude.data != NULL,
                       .size = first.size,
                       .prelude_size = prelude.size};
    if (first.size > 0)
        memcpy(parcel->bytes, first.data, first.size);
    if (prelude.size > 0)
        memcpy(parcel->bytes + first.size, prelude.data, prelude.size);
    atomic_fetch_add(&state->under_way, weight(parcel));
    post(state->invocation->mailbox, &parcel->task);
}

void delivery_start(InvocationState *state, Slice content_type, Slice prelude)
{
    Invocation *invocation = state->invocation;
    invocation->answered_stream = true;
    if (state->cancelled)
        return;
    if (state->near)
        invocation->on_start(invocation, content_type, prelude);
    else
        post_parcel(state, true, content_type, prelude);
}

bool delivery_piece(InvocationState *state, Slice piece)
{
    Invocation *invocation = state->invocation;
    if (state->near)
        return invocation->on_piece(invocation, piece);
    post_parcel(state, false, piece, (Slice){0});
    if (atomic_load(&state->under_way) <= UNDER_WAY_MAX)
        return true;
    /* Paused first, then looked at again: the caller takes first, then looks whether it is paused. One of both sees the
     * other. */
    atomic_store(&state->is_paused, true);
    if (atomic_load(&state->under_way) > UNDER_WAY_MAX / 2)
        return false;
    atomic_store(&state->is_paused, false);
    return true;
}

void delivery_done(InvocationState *state)
{
    if (state->near && !state->is_refused) {
        hand_over(state);
        return;
    }
    state->done_task.run = done_came;
    post(state->invocation->mailbox, &state->done_task);
}

/* ---- What callers ask, on their threads ---- */

static void invoke_posted(Task *task)
{
    Invocation *invocation = CONTAINER_OF(task, Invocation, task);
    pool_invoke(invocation->state->runtime, invocation);
}

void delivery_invoke(Runtime *runtime, Invocation *invocation)
{
    InvocationState *state = arena_alloc(invocation->arena, sizeof *state);
    memset(state, 0, offsetof(InvocationState, tail.bytes)); /* the tail's bytes are written before they are read */
    state->invocation = invocation;
    state->runtime = runtime;
    state->near = invocation->mailbox == runtime->mailbox;
    list_init(&state->waiting);
    invocation->state = state;
    if (state->near && atomic_load_explicit(&runtime->thread, memory_order_relaxed) == (uintptr_t)pthread_self()) {
        pool_invoke(runtime, invocation);
        return;
    }
    invocation->task.run = invoke_posted;
    post(runtime->mailbox, &invocation->task);
}

static void cancel_posted(Task *task)
{
    pool_cancel(CONTAINER_OF(task, InvocationState, cancel_task));
}

void delivery_cancel(InvocationState *state)
{
    if (state->near) {
        pool_cancel(state);
        return;
    }
    /* Nothing that is held will be taken. */
    state->blocked = false;
    state->is_gone = true;
    for (Task *task; (task = task_chain_pop(&state->held)) != NULL;) {
        Parcel *parcel = CONTAINER_OF(task, Parcel, task);
        atomic_fetch_sub(&state->under_way, weight(parcel));
        free(parcel);
    }
    if (state->has_ended) { /* it was what was held that `done` waited for */
        if (!state->is_opening)
            end(state);
        return;
    }
    state->asked = true;
    state->cancel_task.run = cancel_posted;
    post(state->runtime->mailbox, &state->cancel_task);
}

void delivery_resume(InvocationState *state)
{
    if (state->near) {
        if (state->worker != NULL)
            worker_resume(state->worker);
        return;
    }
    if (!state->blocked)
        return;
    state->blocked = false;
    open_held(state);
}
