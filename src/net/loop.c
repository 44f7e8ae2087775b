#include "net/loop.h"

#include "base/bug.h"
#include "base/list.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

struct Loop {
    uv_loop_t uv;
    uv_async_t wake;
    Mailbox mailbox;
    Os *os;
    /* What was posted, newest first; whoever finds it empty wakes the loop. */
    _Atomic(Task *) posted;
    atomic_bool stopping;
    atomic_bool joined;
    bool threaded;
    pthread_t thread;
};

static void mailbox_post(Mailbox *mailbox, TaskChain chain)
{
    Loop *loop = CONTAINER_OF(mailbox, Loop, mailbox);
    if (chain.first == NULL)
        return;
    /* Reversed, so that taking everything and reversing it again gives the order of posting. */
    Task *newest = NULL;
    Task *oldest = chain.first;
    for (Task *task = chain.first, *next; task != NULL; task = next) {
        next = task->next;
        task->next = newest;
        newest = task;
    }
    Task *before = atomic_load_explicit(&loop->posted, memory_order_relaxed);
    do
        oldest->next = before;
    while (!atomic_compare_exchange_weak_explicit(&loop->posted, &before, newest, memory_order_seq_cst,
                                                  memory_order_relaxed));
    if (before == NULL)
        uv_async_send(&loop->wake);
}

/* Runs what was posted, what that posts in turn included; true when there was something. */
static bool run_posted(Loop *loop)
{
    Task *newest = atomic_exchange_explicit(&loop->posted, NULL, memory_order_seq_cst);
    Task *oldest = NULL;
    for (Task *task = newest, *next; task != NULL; task = next) {
        next = task->next;
        task->next = oldest;
        oldest = task;
    }
    for (Task *task = oldest, *next; task != NULL; task = next) {
        next = task->next; /* running gives the task away */
        task->next = NULL;
        task->run(task);
    }
    return newest != NULL;
}

bool loop_drain(Loop *loop)
{
    bool any = false;
    while (run_posted(loop))
        any = true;
    return any;
}

static void on_wake(uv_async_t *wake)
{
    Loop *loop = wake->data;
    /* Only one round while running: tasks that post tasks must not starve the sockets. */
    bool ran = run_posted(loop);
    if (!atomic_load_explicit(&loop->stopping, memory_order_seq_cst))
        return;
    while (ran)
        ran = run_posted(loop);
    uv_stop(&loop->uv);
}

Error loop_open(Os *os, Loop **result)
{
    /* A write to a connection that the client has closed must be an error of that write, not the end of the process. */
    signal(SIGPIPE, SIG_IGN);
    Loop *loop = calloc(1, sizeof *loop);
    ASSERT(loop != NULL);
    if (uv_loop_init(&loop->uv) != 0) {
        free(loop);
        return ERROR_IO;
    }
    if (uv_async_init(&loop->uv, &loop->wake, on_wake) != 0) {
        uv_loop_close(&loop->uv);
        free(loop);
        return ERROR_IO;
    }
    loop->wake.data = loop;
    loop->mailbox.post = mailbox_post;
    loop->os = os;
    *result = loop;
    return OK;
}

void loop_run(Loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

static void *loop_thread(void *argument)
{
    loop_run(argument);
    return NULL;
}

Error loop_start(Loop *loop)
{
    /* Signals are the main thread's business. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    loop->threaded = pthread_create(&loop->thread, NULL, loop_thread, loop) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return loop->threaded ? OK : ERROR_IO;
}

void loop_stop(Loop *loop)
{
    atomic_store_explicit(&loop->stopping, true, memory_order_seq_cst);
    uv_async_send(&loop->wake);
    bool own_thread = loop->threaded && pthread_equal(pthread_self(), loop->thread);
    if (loop->threaded && !own_thread && !atomic_exchange(&loop->joined, true))
        pthread_join(loop->thread, NULL);
}

static void close_left(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void loop_close(Loop *loop)
{
    if (loop->threaded && !atomic_exchange(&loop->joined, true))
        pthread_join(loop->thread, NULL);
    uv_walk(&loop->uv, close_left, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    int closed = uv_loop_close(&loop->uv);
    ASSERT(closed == 0);
    free(loop);
}

Mailbox *loop_mailbox(Loop *loop)
{
    return &loop->mailbox;
}

Os *loop_os(Loop *loop)
{
    return loop->os;
}

uv_loop_t *loop_uv(Loop *loop)
{
    return &loop->uv;
}

const char *loop_library_version(void)
{
    return uv_version_string();
}
