/* harness.h: a spawner with its loop in a temporary folder, and workers that are run to their end. */
#ifndef BRUME_TESTS_RUNTIME_HARNESS_H
#define BRUME_TESTS_RUNTIME_HARNESS_H

#include "runtime/spawner.h"

#include <limits.h>

enum { HARNESS_TEXT = 64 << 10, HARNESS_WAIT_MS = 20000 };

typedef struct Harness {
    char folder[PATH_MAX];     /* removed at the end */
    char data[PATH_MAX];       /* the server's data directory: `secret` lies in it */
    char code[PATH_MAX];       /* the attacks, as /var/task */
    char other_code[PATH_MAX]; /* another function's code, with a file `secret` */
    char runtime[PATH_MAX];    /* Brume's bootstraps */
    Isolation isolation;
    Loop *loop;
    Spawner *spawner;
    List workers;           /* that exits are waited for */
    uint64_t unknown_exits; /* of workers that were not there (any more) */
    Arena arena;
    int listeners[4]; /* the admin's socket, an abstract one, a port that may be reached, one that may not */
    pid_t answering;  /* a process that greets whoever connects to them */
    EnvironmentVariable variables[16]; /* of workers: the attack comes first */
    size_t variable_count;
} Harness;

/* A worker of the tests, from its order to its exit. */
typedef struct TestWorker {
    ListNode node;
    SpawnOrder order;
    bool is_done; /* the order */
    Error error;
    char message[1024];
    int exits; /* reported */
    WorkerExit exit;
    uint64_t ordered_us;
    uint64_t done_us;
} TestWorker;

/* Everything that a sandbox can have, where this process has the powers for it (then tests fail where it cannot be had);
 * else, as for a server that an ordinary user starts, what there is. */
Isolation harness_isolation(void);
void harness_open(Harness *harness, Isolation isolation);
void harness_close(Harness *harness);
/* For cmocka's groups: opens it and keeps it as the group's state; closes what is kept so. */
int harness_setup(void **state, Harness *harness, Isolation isolation);
int harness_teardown(void **state);
/* Removes a harness's folder, of one that was killed. */
void harness_remove(const char *folder);

/* Makes a further folder, and gives its path. */
void harness_folder(const Harness *harness, char path[PATH_MAX], const char *name);
/* Writes a file into one of the folders. */
void harness_put(const char *folder, const char *name, const char *text);

/* An order for the program `name` of tests/runtime/attacks, with generous limits; the caller may change it. */
void harness_order(Harness *harness, TestWorker *worker);
void harness_spawn(Harness *harness, TestWorker *worker);
/* Runs the loop until `*flag` holds; false after HARNESS_WAIT_MS. */
bool harness_until(Harness *harness, bool (*holds)(const TestWorker *worker), const TestWorker *worker);
bool worker_is_done(const TestWorker *worker);
bool worker_has_exited(const TestWorker *worker);
/* Closes the worker's files and forgets it. */
void harness_forget(TestWorker *worker);

typedef struct Ran {
    Error error;
    char message[1024];
    WorkerExit exit;
    char output[HARNESS_TEXT];
    char errors[HARNESS_TEXT];
} Ran;

/* Gives it the variables of the harness, with this ATTACK. */
void harness_arm(Harness *harness, TestWorker *worker, const char *attack);
/* Runs one worker, armed with an attack, to its end. */
void harness_run(Harness *harness, TestWorker *worker, const char *attack, Ran *ran);

uint64_t harness_now_us(void);
/* Undoes the shift by which secrets are written in the tests, so that they are nowhere spelled out: SFDSFU is SECRET. */
void harness_spell(char *secret);

#endif
