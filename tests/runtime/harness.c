#include "runtime/harness.h"

#include "base/bug.h"
#include "runtime/bundle.h"
#include "runtime/runtime_api.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

uint64_t harness_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void make_folder(char path[PATH_MAX], const char *parent, const char *name)
{
    snprintf(path, PATH_MAX, "%.3000s/%s", parent, name);
    ASSERT(mkdir(path, 0755) == 0);
}

void harness_put(const char *folder, const char *name, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.3000s/%s", folder, name);
    FILE *file = fopen(path, "we");
    ASSERT(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* The program of the attacks lies beside this one. */
static void put_program(const char *folder)
{
    char self[PATH_MAX];
    char from[PATH_MAX];
    char to[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    ASSERT(size > 0);
    self[size] = '\0';
    *strrchr(self, '/') = '\0';
    snprintf(from, sizeof from, "%.3000s/attacks", self);
    snprintf(to, sizeof to, "%.3000s/bootstrap", folder);
    char *command;
    ASSERT(asprintf(&command, "cp '%s' '%s' && chmod 755 '%s'", from, to, to) > 0);
    ASSERT(system(command) == 0);
    free(command);
}

static void on_exit_of(void *user, const WorkerExit *exit)
{
    Harness *harness = user;
    LIST_FOR_EACH(&harness->workers, node)
    {
        TestWorker *worker = CONTAINER_OF(node, TestWorker, node);
        if (worker->order.worker == exit->worker) {
            worker->exits++;
            worker->exit = *exit;
            return;
        }
    }
    harness->unknown_exits++;
}

void harness_open(Harness *harness, Isolation isolation)
{
    memset(harness, 0, sizeof *harness);
    list_init(&harness->workers);
    const char *parent = getenv("TMPDIR");
    snprintf(harness->folder, sizeof harness->folder, "%.3000s/brume-runtime-XXXXXX", parent == NULL ? "/tmp" : parent);
    ASSERT(mkdtemp(harness->folder) != NULL);
    chmod(harness->folder, 0755);
    make_folder(harness->data, harness->folder, "data");
    make_folder(harness->code, harness->folder, "code");
    make_folder(harness->other_code, harness->folder, "other");
    make_folder(harness->runtime, harness->folder, "runtime");
    harness_put(harness->data, "secret", "the platform's secret");
    harness_put(harness->other_code, "secret", "another function's secret");
    put_program(harness->code);
    ASSERT(bundle_lay_out(os_linux(), harness->runtime) == OK);
    const SpawnerOptions options = {
        .isolation = isolation,
        .data_directory = slice_of_string(harness->data),
        .runtime_directory = slice_of_string(harness->runtime),
        .custom_main = runtime_api_main,
        .prestart = 1,
    };
    Slice message;
    Error error = spawner_fork(&options, &harness->arena, &harness->spawner, &message);
    if (error != OK)
        fprintf(stderr, "spawner_fork: %.*s\n", SLICE_PRINT(message));
    ASSERT(error == OK);
    ASSERT(loop_open(os_linux(), &harness->loop) == OK);
    ASSERT(spawner_open(harness->spawner, harness->loop, &(SpawnerEvents){harness, on_exit_of}, NULL) == OK);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

void harness_close(Harness *harness)
{
    spawner_close(harness->spawner);
    uv_run(loop_uv(harness->loop), UV_RUN_NOWAIT);
    loop_close(harness->loop);
    nftw(harness->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    arena_free(&harness->arena);
}

static void on_done(SpawnOrder *order, Error error)
{
    TestWorker *worker = CONTAINER_OF(order, TestWorker, order);
    worker->is_done = true;
    worker->error = error;
    worker->done_us = harness_now_us();
    snprintf(worker->message, sizeof worker->message, "%.*s", SLICE_PRINT(order->message));
}

void harness_order(Harness *harness, TestWorker *worker)
{
    *worker = (TestWorker){.order = {
                               .kind = RUNTIME_CUSTOM,
                               .runtime = SLICE("provided.al2023"),
                               .program = SLICE("/var/task/bootstrap"),
                               .code_directory = slice_of_string(harness->code),
                               .memory_bytes = 128 << 20,
                               .tmp_bytes = 16 << 20,
                               .processor_permille = 2000,
                               .done = on_done,
                           }};
}

void harness_spawn(Harness *harness, TestWorker *worker)
{
    list_push_back(&harness->workers, &worker->node);
    worker->ordered_us = harness_now_us();
    spawner_spawn(harness->spawner, &worker->order);
}

bool worker_is_done(const TestWorker *worker)
{
    return worker->is_done;
}

bool worker_has_exited(const TestWorker *worker)
{
    return worker->exits > 0 || (worker->is_done && worker->error != OK);
}

static void on_timer(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

bool harness_until(Harness *harness, bool (*holds)(const TestWorker *worker), const TestWorker *worker)
{
    bool expired = false;
    uv_timer_t timer = {.data = &expired};
    uv_timer_init(loop_uv(harness->loop), &timer);
    uv_timer_start(&timer, on_timer, HARNESS_WAIT_MS, 0);
    while (!expired && !holds(worker))
        uv_run(loop_uv(harness->loop), UV_RUN_ONCE);
    uv_timer_stop(&timer);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(loop_uv(harness->loop), UV_RUN_NOWAIT);
    return !expired;
}

void harness_forget(TestWorker *worker)
{
    const int files[] = {worker->order.channel, worker->order.output, worker->order.errors, worker->order.process};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i] >= 0)
            close(files[i]);
    list_remove(&worker->node);
}

/* What is in a pipe by now. */
static size_t drain(int file, char *text, size_t at)
{
    for (ssize_t size; at < HARNESS_TEXT - 1 && (size = read(file, text + at, HARNESS_TEXT - 1 - at)) > 0;)
        at += (size_t)size;
    text[at] = '\0';
    return at;
}

void harness_run(Harness *harness, TestWorker *worker, const char *attack, Ran *ran)
{
    const EnvironmentVariable environment[] = {
        {SLICE("ATTACK"), slice_of_string(attack)},
        {SLICE("DATA"), slice_of_string(harness->data)},
        {SLICE("OTHER"), slice_of_string(harness->other_code)},
    };
    memset(ran, 0, sizeof *ran);
    worker->order.environment = environment;
    worker->order.environment_count = sizeof environment / sizeof *environment;
    harness_spawn(harness, worker);
    ASSERT(harness_until(harness, worker_is_done, worker));
    ran->error = worker->error;
    memcpy(ran->message, worker->message, sizeof ran->message);
    if (worker->error == OK) {
        size_t output = 0;
        size_t errors = 0;
        /* Pipes hold 64 KiB, which is all that is kept of them: they can be read at the end. */
        bool exited = harness_until(harness, worker_has_exited, worker);
        drain(worker->order.output, ran->output, output);
        drain(worker->order.errors, ran->errors, errors);
        if (!exited)
            fprintf(stderr, "%s did not end: %s%s\n", attack, ran->output, ran->errors);
        ASSERT(exited);
        ran->exit = worker->exit;
    }
    harness_forget(worker);
}
