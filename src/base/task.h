/* task.h: work handed from one thread to another.
 *
 * A task is intrusive: it lives in what it is about (a store call, a connection), and whoever runs it owns that again.
 * A mailbox belongs to one thread; any thread may post to it; posting a whole chain costs one wake-up. */
#ifndef BRUME_BASE_TASK_H
#define BRUME_BASE_TASK_H

#include <stdatomic.h>
#include <stddef.h>

typedef struct Task {
    struct Task *next;
    void (*run)(struct Task *task);
} Task;

/* A first-in, first-out chain of tasks. */
typedef struct TaskChain {
    Task *first;
    Task *last;
} TaskChain;

static inline void task_chain_push(TaskChain *chain, Task *task)
{
    task->next = NULL;
    if (chain->last == NULL)
        chain->first = task;
    else
        chain->last->next = task;
    chain->last = task;
}

static inline Task *task_chain_pop(TaskChain *chain)
{
    Task *task = chain->first;
    if (task != NULL) {
        chain->first = task->next;
        if (chain->first == NULL)
            chain->last = NULL;
        task->next = NULL;
    }
    return task;
}

typedef struct Mailbox {
    /* Hands over the chain; each task's `run` is called once, in order, on the mailbox's thread. */
    void (*post)(struct Mailbox *mailbox, TaskChain chain);
    /* Kept by those who post what takes much memory: how much is posted, or will be, and has not been run. */
    atomic_size_t held_bytes;
} Mailbox;

#endif
