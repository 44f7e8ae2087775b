/* The first process of a worker's process namespace: the kernel keeps from it what it has no handler for (a signal that it
 * sends itself, a fault's default end excepted) and leaves all orphans to it (pid_namespaces(7)). So a function's code runs
 * in the second.
 *
 * The process that has put up the walls goes on as the first one, on a stack of its own, and the second one, made by
 * clone(2) with CLONE_VM, goes on in its place. They share memory, so that no tables of pages are copied: a fork of a
 * Python costs half a millisecond and some hundred kilobytes, this a tenth. The first one has no powers and no files that
 * the second one lacks but `sync`, over which nothing is believed (sandbox.h); whoever spoils its memory ends himself.
 *
 * It makes no system call that can fail, since errno, too, is the second one's.
 *
 * Where the second one executes a program, the first one is left with the memory of the process that it was cloned from: the
 * spawner's. That must not be read through /proc by the function's processes, which are the same user. */
#include "runtime/sandbox.h"

#include "runtime/sandbox_calls.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <ucontext.h>

enum { STACK_SIZE = 8192 };

static _Alignas(16) char first_stack[STACK_SIZE];
static _Alignas(16) char second_stack[STACK_SIZE]; /* until it is back on the one that it goes on with */
static ucontext_t first;
static ucontext_t second;
static int sync_file;
static bool is_vfork;

static int go_on(void *unused)
{
    (void)unused;
    setcontext(&second);
    _exit(127);
}

static void be_first(void)
{
    const char ready = ZYGOTE_READY;
    /* Of the memory, and so of the second one, too, until it has a program's. */
    if (is_vfork)
        prctl(PR_SET_DUMPABLE, 0);
    /* With CLONE_VFORK until it has executed a program, or has ended. */
    pid_t worker = clone(go_on, second_stack + STACK_SIZE, (is_vfork ? CLONE_VFORK : 0) | CLONE_VM | SIGCHLD, NULL);
    if (worker < 0)
        sandbox_fail(sync_file, "clone its second process");
    syscall(SYS_close_range, 0, sync_file - 1, 0);
    syscall(SYS_close_range, sync_file + 1, ~0u, 0);
    if (is_vfork)
        (void)!send(sync_file, &ready, 1, MSG_NOSIGNAL);
    SandboxEnd end = {0};
    while (wait4(-1, &end.status, __WALL, NULL) != worker)
        continue;
    (void)!send(sync_file, &end, sizeof end, MSG_NOSIGNAL);
    _exit(0);
}

void sandbox_leave_first(int sync, bool will_execute)
{
    is_vfork = will_execute;
    sync_file = sync;
    getcontext(&first);
    first.uc_stack.ss_sp = first_stack;
    first.uc_stack.ss_size = STACK_SIZE;
    makecontext(&first, be_first, 0);
    if (swapcontext(&second, &first) != 0)
        sandbox_fail(sync, "leave the first process");
    setsid();
}
