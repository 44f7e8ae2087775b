#include "os/work_pool.h"

#include "base/bug.h"
#include "base/list.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct WorkPool {
    Mailbox mailbox;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    TaskChain tasks;
    size_t waiting;
    size_t queue;
    unsigned busy; /* threads that run a task */
    pthread_cond_t idle;
    bool draining; /* nothing new */
    bool stop;
    unsigned thread_count;
    pthread_t threads[];
};

static void *work(void *argument)
{
    WorkPool *pool = argument;
    for (;;) {
        pthread_mutex_lock(&pool->mutex);
        while (pool->tasks.first == NULL && !pool->stop)
            pthread_cond_wait(&pool->wake, &pool->mutex);
        Task *task = task_chain_pop(&pool->tasks);
        pool->waiting -= task != NULL;
        pool->busy += task != NULL;
        pthread_mutex_unlock(&pool->mutex);
        if (task == NULL)
            return NULL;
        task->run(task);
        pthread_mutex_lock(&pool->mutex);
        if (--pool->busy == 0 && pool->tasks.first == NULL)
            pthread_cond_broadcast(&pool->idle);
        pthread_mutex_unlock(&pool->mutex);
    }
}

static void push(WorkPool *pool, Task *task)
{
    task_chain_push(&pool->tasks, task);
    pool->waiting++;
    pthread_cond_signal(&pool->wake);
}

static void post(Mailbox *mailbox, TaskChain chain)
{
    WorkPool *pool = CONTAINER_OF(mailbox, WorkPool, mailbox);
    pthread_mutex_lock(&pool->mutex);
    for (Task *task = task_chain_pop(&chain); task != NULL; task = task_chain_pop(&chain))
        push(pool, task);
    pthread_mutex_unlock(&pool->mutex);
}

WorkPool *work_pool_open(unsigned threads, size_t queue)
{
    WorkPool *pool = calloc(1, sizeof *pool + threads * sizeof pool->threads[0]);
    ASSERT(pool != NULL);
    pool->mailbox.post = post;
    pool->queue = queue;
    pool->thread_count = threads;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->idle, NULL);
    /* Signals are for the control loop. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; i < threads; i++)
        ASSERT(pthread_create(&pool->threads[i], NULL, work, pool) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pool;
}

bool work_pool_post(WorkPool *pool, Task *task)
{
    pthread_mutex_lock(&pool->mutex);
    bool room = !pool->draining && pool->waiting < pool->queue;
    if (room)
        push(pool, task);
    pthread_mutex_unlock(&pool->mutex);
    return room;
}

Mailbox *work_pool_mailbox(WorkPool *pool)
{
    return &pool->mailbox;
}

void work_pool_drain(WorkPool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->draining = true;
    while (pool->busy > 0 || pool->tasks.first != NULL)
        pthread_cond_wait(&pool->idle, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
}

void work_pool_close(WorkPool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->stop = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_mutex_destroy(&pool->mutex);
    pthread_cond_destroy(&pool->wake);
    pthread_cond_destroy(&pool->idle);
    free(pool);
}
