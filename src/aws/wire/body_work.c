#include "aws/wire/body_work.h"

#include "aws/wire/call_state.h"
#include "base/list.h"
#include "os/work_pool.h"

/* What a loop hashes, decodes and checks in some milliseconds. */
enum { LARGE_BODY_BYTES = 2 << 20 };

bool body_is_large(const CallState *state)
{
    return state->body.size > LARGE_BODY_BYTES && state->pool != NULL;
}

static void is_worked(Task *task)
{
    CallState *state = CONTAINER_OF(task, CallState, work.task);
    state->work.then(state, state->work.result);
}

static void run(Task *task)
{
    CallState *state = CONTAINER_OF(task, CallState, work.task);
    state->work.result = state->work.work(state);
    task->run = is_worked;
    TaskChain chain = {0};
    task_chain_push(&chain, task);
    Mailbox *mailbox = call_mailbox(&state->call);
    mailbox->post(mailbox, chain); /* from here on it may be gone */
}

void body_work(CallState *state, Error (*work)(CallState *state), void (*then)(CallState *state, Error error))
{
    if (!body_is_large(state)) {
        then(state, work(state));
        return;
    }
    state->work.task.run = run;
    state->work.work = work;
    state->work.then = then;
    if (!work_pool_post(state->pool, &state->work.task))
        then(state, ERROR_BUSY);
}

Error body_hash(CallState *state)
{
    sha256(state->body, state->work.sha256);
    return OK;
}
