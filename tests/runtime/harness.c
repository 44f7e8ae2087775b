#include "runtime/harness.h"

#include "base/bug.h"
#include "runtime/bundle.h"
#include "runtime/spawner_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
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

void harness_folder(const Harness *harness, char path[PATH_MAX], const char *name)
{
    make_folder(path, harness->folder, name);
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

void harness_spell(char *secret)
{
    for (char *at = secret; *at != '\0'; at++)
        *at = *at == '_' ? '_' : (char)(*at - 1);
}

static int listen_at(const struct sockaddr *name, socklen_t size)
{
    int listener = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT(listener >= 0 && bind(listener, name, size) == 0 && listen(listener, 16) == 0);
    return listener;
}

static Slice port_of(Harness *harness, int listener)
{
    struct sockaddr_in name;
    socklen_t size = sizeof name;
    ASSERT(getsockname(listener, (struct sockaddr *)&name, &size) == 0);
    return arena_format(&harness->arena, "%u", ntohs(name.sin_port));
}

/* One that is not on the loopback, if the machine has any. */
static Slice address_outside(Harness *harness)
{
    struct ifaddrs *all = NULL;
    char text[INET_ADDRSTRLEN] = "192.0.2.2";
    ASSERT(getifaddrs(&all) == 0);
    for (struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
        struct sockaddr_in name;
        if (one->ifa_addr == NULL || one->ifa_addr->sa_family != AF_INET || (one->ifa_flags & IFF_LOOPBACK) != 0)
            continue;
        memcpy(&name, one->ifa_addr, sizeof name);
        inet_ntop(AF_INET, &name.sin_addr, text, sizeof text);
    }
    freeifaddrs(all);
    return arena_copy(&harness->arena, slice_of_string(text));
}

__attribute__((noreturn)) static void answer_all(const int *listeners, size_t count)
{
    struct pollfd watched[4];
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* of a test that has crashed */
    for (size_t i = 0; i < count; i++)
        watched[i] = (struct pollfd){.fd = listeners[i], .events = POLLIN};
    for (;;) {
        poll(watched, count, -1);
        for (size_t i = 0; i < count; i++) {
            int file = watched[i].revents == 0 ? -1 : accept(listeners[i], NULL, NULL);
            if (file >= 0) {
                (void)!write(file, "brume", 5);
                close(file);
            }
        }
    }
}

/* What workers of an isolated network may reach, and what nobody may. */
static void open_listeners(Harness *harness)
{
    struct sockaddr_un admin = {.sun_family = AF_UNIX};
    snprintf(admin.sun_path, sizeof admin.sun_path, "%.80s/admin.sock", harness->data);
    struct sockaddr_un abstract = {.sun_family = AF_UNIX};
    int size = snprintf(abstract.sun_path + 1, sizeof abstract.sun_path - 1, "brume-test-%d", getpid());
    struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in anywhere = {.sin_family = AF_INET};
    socklen_t abstract_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size);
    harness->listeners[0] = listen_at((struct sockaddr *)&admin, sizeof admin);
    harness->listeners[1] = listen_at((struct sockaddr *)&abstract, abstract_size);
    harness->listeners[2] = listen_at((struct sockaddr *)&loopback, sizeof loopback);
    harness->listeners[3] = listen_at((struct sockaddr *)&anywhere, sizeof anywhere);
    chmod(admin.sun_path, 0777);
    harness->answering = fork();
    ASSERT(harness->answering >= 0);
    if (harness->answering == 0)
        answer_all(harness->listeners, 4);
    const EnvironmentVariable variables[] = {
        {SLICE("ATTACK"), SLICE("")},
        {SLICE("DATA"), slice_of_string(harness->data)},
        {SLICE("OTHER"), slice_of_string(harness->other_code)},
        {SLICE("SERVER"), arena_format(&harness->arena, "%d", getpid())},
        {SLICE("ABSTRACT"), arena_copy(&harness->arena, slice_of_string(abstract.sun_path + 1))},
        {SLICE("TMP_BYTES"), SLICE("16777216")},
        {SLICE("OPEN_PORT"), port_of(harness, harness->listeners[2])},
        {SLICE("CLOSED_PORT"), port_of(harness, harness->listeners[3])},
        {SLICE("OUTSIDE"), address_outside(harness)},
        {SLICE("VARIABLES"), SLICE("10")},
    };
    harness->variable_count = sizeof variables / sizeof *variables;
    memcpy(harness->variables, variables, sizeof variables);
}

Isolation harness_isolation(void)
{
    return keeper_has_powers_over_users() ? ISOLATION_REQUIRED : ISOLATION_AVAILABLE;
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
    harness->isolation = isolation;
    const SpawnerOptions options = {
        .isolation = isolation,
        .data_directory = slice_of_string(harness->data),
        .runtime_directory = slice_of_string(harness->runtime),
        .prestart = 1,
    };
    char secret[] = "TFSWFS_TFDSFU_641:";
    harness_spell(secret);
    setenv("BRUME_SECRET_ACCESS_KEY", secret, 1);
    explicit_bzero(secret, sizeof secret);
    open_listeners(harness);
    Slice message;
    Error error = spawner_start(&options, &harness->arena, &harness->spawner, &message);
    if (error != OK)
        fprintf(stderr, "spawner_start: %.*s\n", SLICE_PRINT(message));
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

void harness_remove(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void harness_close(Harness *harness)
{
    spawner_close(harness->spawner);
    kill(harness->answering, SIGKILL);
    waitpid(harness->answering, NULL, 0);
    for (size_t i = 0; i < 4; i++)
        close(harness->listeners[i]);
    uv_run(loop_uv(harness->loop), UV_RUN_NOWAIT);
    loop_close(harness->loop);
    harness_remove(harness->folder);
    arena_free(&harness->arena);
}

int harness_setup(void **state, Harness *harness, Isolation isolation)
{
    *state = harness;
    harness_open(harness, isolation);
    return 0;
}

int harness_teardown(void **state)
{
    harness_close(*state);
    return 0;
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
    const int files[] = {worker->order.events, worker->order.answers, worker->order.output, worker->order.errors,
                         worker->order.process};
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

void harness_arm(Harness *harness, TestWorker *worker, const char *attack)
{
    harness->variables[0].value = slice_of_string(attack);
    worker->order.environment = harness->variables;
    worker->order.environment_count = harness->variable_count;
}

void harness_run(Harness *harness, TestWorker *worker, const char *attack, Ran *ran)
{
    memset(ran, 0, sizeof *ran);
    harness_arm(harness, worker, attack);
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
