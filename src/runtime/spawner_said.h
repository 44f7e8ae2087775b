/* spawner_said.h: what a process that becomes a worker says over `sync` (sandbox.h), as the spawner hears it. */
#ifndef BRUME_RUNTIME_SPAWNER_SAID_H
#define BRUME_RUNTIME_SPAWNER_SAID_H

#include "runtime/sandbox.h"

/* Its size tells which of them it is; 0 or less: the other side is gone. */
typedef struct Said {
    union {
        char word;
        SandboxFailure failure;
        SandboxTemplate template;
        SandboxEnd end;
    };
    ssize_t size;
    pid_t from; /* 0: that was not asked for */
    int files[SANDBOX_DOORS_MAX];
    size_t file_count;
} Said;

/* False when there is nothing (now). The files are the caller's. */
bool said_receive(int sync, Said *said);
void said_close(const Said *said);

#endif
