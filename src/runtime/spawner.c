/* The server's side of the spawner: one socket to the keeper, one to the spawner of the moment. */
#include "runtime/spawner.h"

#include "base/bug.h"
#include "base/map.h"
#include "runtime/spawner_process.h"
#include "runtime/spawner_wire.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    TRIES = 3, /* of an order that spawners die of */
    /* A keeper that cannot live, or none of whose spawners can isolate functions, is not tried without end as fast as we can. */
    QUICK_MS = 1000,
    PAUSE_MS = 200,
    REFUSED_MS = 5000,
};

/* A message that the socket would not take yet. */
typedef struct Unsent {
    ListNode node;
    WireMessage message;
} Unsent;

/* A worker that the server has, until its exit is reported. */
typedef struct Worker {
    uint64_t id;
    uint64_t memory_bytes; /* that it may allocate */
    int peak;              /* a file; -1: none */
} Worker;

struct Spawner {
    KeeperOptions options;
    pid_t keeper;      /* 0: there is none at the moment */
    int keeper_socket; /* -1, too */
    uint64_t keeper_since_ms;
    int socket;  /* -1: there is no spawner at the moment */
    int process; /* of the spawner: its last process has ended when this can be read; -1 */
    char lacks[512];
    Loop *loop;
    SpawnerEvents events;
    Log *log;
    uv_poll_t *keeper_poll; /* freed by their own closing */
    uv_poll_t *poll;
    uv_poll_t *end_poll; /* of `process`, when its keeper is gone */
    uv_timer_t *retry;
    uint64_t last_id;
    List orders; /* sent, or to be sent, and not answered */
    List unsent;
    Map workers;
    bool gave_powers;  /* to its first keeper, and has none for another */
    char refusal[768]; /* why the last spawner would start nothing; empty: it would */
    WireMessage in;
    WireMessage out;
};

static Slice key_of(const uint64_t *id)
{
    return slice_make(id, sizeof *id);
}

/* ---- Starting it ---- */

static bool copy_path(char to[PATH_MAX], Slice path)
{
    if (path.size >= PATH_MAX)
        return false;
    memcpy(to, path.data, path.size);
    to[path.size] = '\0';
    return true;
}

static bool launch_keeper(Spawner *spawner)
{
    pid_t keeper = keeper_launch(&spawner->options, &spawner->keeper_socket);
    spawner->keeper = keeper > 0 ? keeper : 0;
    return keeper > 0;
}

/* What its keeper has sent of a spawner. */
static bool read_spawner(WireMessage *in, int *socket, int *process)
{
    enum { SOCKET, PROCESS };
    if (in->head.kind != WIRE_SPAWNER || in->file_count == 0) {
        wire_close_files(in);
        return false;
    }
    *socket = in->files[SOCKET];
    *process = in->file_count > PROCESS ? in->files[PROCESS] : -1;
    return true;
}

/* A server that is not root, but was given powers for its workers, keeps of them what opens ports below 1024. */
static bool leave_powers(void)
{
    const cap_value_t ports = CAP_NET_BIND_SERVICE;
    cap_flag_value_t has = CAP_CLEAR;
    cap_t now = cap_get_proc();
    cap_t kept = cap_init();
    bool left = now != NULL && kept != NULL && cap_get_flag(now, ports, CAP_PERMITTED, &has) == 0 &&
                cap_set_flag(kept, CAP_PERMITTED, 1, &ports, has) == 0 &&
                cap_set_flag(kept, CAP_EFFECTIVE, 1, &ports, has) == 0 && cap_set_proc(kept) == 0;
    cap_free(now);
    cap_free(kept);
    return left && cap_reset_ambient() == 0;
}

/* Waits for the first spawner's words. */
static Error greet(Spawner *spawner, Arena *arena, Slice *message)
{
    WireMessage *in = &spawner->in;
    if (wire_receive(spawner->keeper_socket, in) <= 0 || !read_spawner(in, &spawner->socket, &spawner->process))
        return ERROR_IO;
    if (wire_receive(spawner->socket, in) <= 0 || in->head.kind != WIRE_HELLO) {
        *message = SLICE("functions cannot run: the spawner ended before it was ready");
        return ERROR_IO;
    }
    Slice lacks = wire_next_string(in);
    Slice refusal = wire_next_string(in);
    snprintf(spawner->lacks, sizeof spawner->lacks, "%.*s", SLICE_PRINT(lacks));
    if (refusal.size == 0)
        return OK;
    *message = arena_format(arena, "functions cannot be isolated here: this machine lacks %.*s", SLICE_PRINT(refusal));
    return ERROR_DENIED;
}

Error spawner_start(const SpawnerOptions *options, Arena *arena, Spawner **result, Slice *message)
{
    Spawner *spawner = calloc(1, sizeof *spawner);
    ASSERT(spawner != NULL);
    spawner->keeper_socket = spawner->socket = spawner->process = -1;
    list_init(&spawner->orders);
    list_init(&spawner->unsent);
    spawner->options.isolation = options->isolation;
    spawner->options.prestart = options->prestart;
    Error error = ERROR_TOO_LARGE;
    *message = SLICE("functions cannot run: the path of the data directory is too long");
    if (copy_path(spawner->options.data_directory, options->data_directory) &&
        copy_path(spawner->options.runtime_directory, options->runtime_directory)) {
        *message = SLICE("functions cannot run: no process could be started");
        error = launch_keeper(spawner) ? OK : ERROR_IO;
    }
    spawner->gave_powers = geteuid() != 0 && keeper_has_powers_over_users();
    if (error == OK && geteuid() != 0 && !leave_powers()) {
        *message = SLICE("functions cannot run: the server cannot leave its powers to the process that starts them");
        error = ERROR_IO;
    }
    if (error == OK)
        error = greet(spawner, arena, message);
    if (error != OK) {
        spawner_close(spawner);
        return error;
    }
    *result = spawner;
    return OK;
}

Slice spawner_lacks(const Spawner *spawner)
{
    return slice_of_string(spawner->lacks);
}

/* ---- Sending ---- */

static void on_spawner(uv_poll_t *poll, int status, int events);

static void watch(Spawner *spawner)
{
    if (spawner->poll != NULL)
        uv_poll_start(spawner->poll, UV_READABLE | (list_is_empty(&spawner->unsent) ? 0 : UV_WRITABLE), on_spawner);
}

/* The spawner has ended: its orders are sent to the next one. */
static bool is_gone(int reason)
{
    return reason == EPIPE || reason == ECONNRESET;
}

/* True when nothing more can be sent for now. */
static bool send_now(Spawner *spawner, const WireMessage *message, int *reason)
{
    *reason = wire_send(spawner->socket, message);
    return *reason == EAGAIN;
}

/* In order; when the socket is full, later. An errno of a message that cannot be sent at all. A spawner that is gone
 * (EPIPE) is no failure: its keeper starts another. */
static int post(Spawner *spawner, const WireMessage *message)
{
    int reason = EAGAIN;
    if (spawner->socket < 0 || message->too_large)
        return message->too_large ? E2BIG : 0;
    if (list_is_empty(&spawner->unsent) && !send_now(spawner, message, &reason))
        return is_gone(reason) ? 0 : reason;
    Unsent *unsent = malloc(sizeof *unsent);
    ASSERT(unsent != NULL);
    memcpy(&unsent->message, message, offsetof(WireMessage, strings) + message->size);
    list_push_back(&spawner->unsent, &unsent->node);
    watch(spawner);
    return 0;
}

/* It may hold credentials. */
static void free_unsent(Unsent *unsent)
{
    explicit_bzero(unsent->message.strings, unsent->message.size);
    free(unsent);
}

static void drop_unsent(Spawner *spawner)
{
    LIST_FOR_EACH(&spawner->unsent, node)
    {
        list_remove(node);
        free_unsent(CONTAINER_OF(node, Unsent, node));
    }
}

static SpawnOrder *find_order(Spawner *spawner, uint64_t id)
{
    LIST_FOR_EACH(&spawner->orders, node)
    {
        SpawnOrder *order = CONTAINER_OF(node, SpawnOrder, waiting);
        if (order->id == id)
            return order;
    }
    return NULL;
}

static void end_order(SpawnOrder *order, Error error, Slice message)
{
    list_remove(&order->waiting);
    order->message = message;
    order->done(order, error);
}

static void flush(Spawner *spawner)
{
    LIST_FOR_EACH(&spawner->unsent, node)
    {
        Unsent *unsent = CONTAINER_OF(node, Unsent, node);
        int reason;
        if (send_now(spawner, &unsent->message, &reason))
            return;
        list_remove(node);
        SpawnOrder *order = find_order(spawner, unsent->message.head.worker);
        bool is_lost = reason != 0 && !is_gone(reason) && unsent->message.head.kind == WIRE_ORDER && order != NULL;
        free_unsent(unsent);
        if (is_lost)
            end_order(order, ERROR_IO, slice_of_string(strerror(reason)));
    }
    watch(spawner);
}

static void pack_order(const SpawnOrder *order, WireMessage *out)
{
    wire_begin(out, WIRE_ORDER, order->id);
    out->head.runtime_kind = (uint32_t)order->kind;
    out->head.memory_bytes = order->memory_bytes;
    out->head.tmp_bytes = order->tmp_bytes;
    out->head.processor_permille = order->processor_permille;
    out->head.isolated_network = order->isolated_network;
    out->head.snapshot_of = order->snapshot_of;
    out->head.is_template = order->is_template;
    out->head.has_extensions = order->has_extensions;
    out->head.layer_count = (uint32_t)order->layer_count;
    out->head.environment_count = (uint32_t)order->environment_count;
    out->head.reachable_count = (uint32_t)order->reachable_count;
    wire_add_string(out, order->runtime);
    wire_add_string(out, order->program);
    wire_add_string(out, order->library);
    wire_add_string(out, order->code_directory);
    for (size_t i = 0; i < order->layer_count; i++)
        wire_add_string(out, order->layer_directories[i]);
    for (size_t i = 0; i < order->environment_count; i++) {
        const EnvironmentVariable *variable = &order->environment[i];
        char joined[WIRE_VARIABLE_MAX];
        int size =
            snprintf(joined, sizeof joined, "%.*s=%.*s", SLICE_PRINT(variable->name), SLICE_PRINT(variable->value));
        if (size < 0 || (size_t)size >= sizeof joined)
            out->too_large = true;
        else
            wire_add_string(out, slice_make(joined, (size_t)size));
    }
    for (size_t i = 0; i < order->reachable_count; i++)
        wire_add_string(out, order->reachable[i]);
}

static void send_order(Spawner *spawner, SpawnOrder *order)
{
    order->tries++;
    pack_order(order, &spawner->out);
    int reason = post(spawner, &spawner->out);
    explicit_bzero(spawner->out.strings, spawner->out.size); /* credentials */
    if (reason == E2BIG)
        end_order(order, ERROR_TOO_LARGE, SLICE("the environment and the paths of layers are too large"));
    else if (reason != 0)
        end_order(order, ERROR_IO, slice_of_string(strerror(reason)));
}

void spawner_spawn(Spawner *spawner, SpawnOrder *order)
{
    order->events = order->answers = order->output = order->errors = order->process = -1;
    order->worker = 0;
    order->id = ++spawner->last_id;
    order->tries = 0;
    list_push_back(&spawner->orders, &order->waiting);
    if (spawner->refusal[0] != '\0')
        end_order(order, ERROR_DENIED, slice_of_string(spawner->refusal));
    else
        send_order(spawner, order);
}

void spawner_warm(Spawner *spawner, const SpawnOrder *order)
{
    pack_order(order, &spawner->out);
    spawner->out.head.kind = WIRE_WARM;
    (void)post(spawner, &spawner->out);
}

/* The server has no such worker: its exit is nobody's concern. */
static void kill_stranger(Spawner *spawner, uint64_t worker)
{
    wire_begin(&spawner->out, WIRE_KILL, worker);
    post(spawner, &spawner->out);
}

void spawner_kill(Spawner *spawner, uint64_t worker)
{
    if (map_get(&spawner->workers, key_of(&worker)) != NULL)
        kill_stranger(spawner, worker);
}

/* A group's peak counts files, too (those in /tmp among them), which nobody takes for memory of the function's when they
 * make it more than the function has. */
static uint64_t capped(const Worker *worker, uint64_t peak_bytes)
{
    return peak_bytes < worker->memory_bytes ? peak_bytes : worker->memory_bytes;
}

/* Of a group: a number; of a process: proc(5), "/proc/pid/status". */
uint64_t spawner_memory_peak(Spawner *spawner, uint64_t id)
{
    static const char name[] = "VmHWM:";
    Worker *worker = map_get(&spawner->workers, key_of(&id));
    char text[4096];
    if (worker == NULL || worker->peak < 0)
        return 0;
    ssize_t size = pread(worker->peak, text, sizeof text - 1, 0);
    text[size < 0 ? 0 : size] = '\0';
    const char *line = strstr(text, name);
    uint64_t peak = line == NULL ? strtoull(text, NULL, 10) : strtoull(line + sizeof name - 1, NULL, 10) << 10;
    return capped(worker, peak);
}

/* ---- Hearing ---- */

static void take_worker(Spawner *spawner, WireMessage *in)
{
    enum { EVENTS, ANSWERS, OUTPUT, ERRORS, PROCESS, PEAK };
    SpawnOrder *order = find_order(spawner, in->head.worker);
    if (order == NULL || in->file_count < (in->head.has_peak_file ? PEAK + 1 : PEAK)) {
        wire_close_files(in);
        kill_stranger(spawner, in->head.worker);
        if (order != NULL)
            end_order(
                order, ERROR_IO,
                SLICE("the server may open no more files: raise its limit (LimitNOFILE= of its unit, `ulimit -n`)"));
        return;
    }
    Worker *worker = calloc(1, sizeof *worker);
    ASSERT(worker != NULL);
    worker->id = order->worker = order->id;
    worker->memory_bytes = order->memory_bytes;
    worker->peak = in->head.has_peak_file ? in->files[PEAK] : -1;
    order->events = in->files[EVENTS];
    order->answers = in->files[ANSWERS];
    order->output = in->files[OUTPUT];
    order->errors = in->files[ERRORS];
    order->process = in->files[PROCESS];
    map_put(&spawner->workers, key_of(&worker->id), worker);
    end_order(order, OK, SLICE(""));
}

/* Reports an exit; once, since the worker is forgotten before. */
static void end_worker(Spawner *spawner, const WorkerExit *exit)
{
    Worker *worker = map_remove(&spawner->workers, key_of(&exit->worker));
    if (worker == NULL)
        return;
    WorkerExit told = *exit;
    told.memory_peak_bytes = capped(worker, exit->memory_peak_bytes);
    if (worker->peak >= 0)
        close(worker->peak);
    free(worker);
    spawner->events.on_exit(spawner->events.user, &told);
}

static void refuse(Spawner *spawner, Slice lacks);

/* Of a later spawner. A server that has left its powers to the first keeper cannot give them to another: what functions
 * would be short of then is told, or they are refused. */
static void hear_hello(Spawner *spawner, WireMessage *in)
{
    Slice lacks = wire_next_string(in);
    Slice refusal = wire_next_string(in);
    if (refusal.size > 0) {
        refuse(spawner, refusal);
        return;
    }
    spawner->refusal[0] = '\0';
    if (slice_equal(lacks, spawner_lacks(spawner)))
        return;
    snprintf(spawner->lacks, sizeof spawner->lacks, "%.*s", SLICE_PRINT(lacks));
    LOG(spawner->log, WARNING, "isolation_lacks", log_string("lacks", spawner->lacks));
}

static void hear(Spawner *spawner, WireMessage *in)
{
    SpawnOrder *order;
    switch (in->head.kind) {
    case WIRE_STARTED:
        take_worker(spawner, in);
        return;
    case WIRE_FAILED:
        order = find_order(spawner, in->head.worker);
        if (order != NULL && in->head.try_again && order->tries < TRIES)
            send_order(spawner, order);
        else if (order != NULL)
            end_order(order, ERROR_DENIED, wire_next_string(in));
        break;
    case WIRE_EXITED:
        end_worker(spawner, &(WorkerExit){
                                .worker = in->head.worker,
                                .status = in->head.status,
                                .out_of_memory = in->head.out_of_memory,
                                .memory_peak_bytes = in->head.memory_bytes,
                            });
        break;
    case WIRE_HELLO:
        hear_hello(spawner, in);
        break;
    default:
        break;
    }
    wire_close_files(in);
}

/* All that there is to be read. False when the other side is gone. */
static bool hear_all(Spawner *spawner)
{
    int got = 1;
    while (spawner->socket >= 0 && (got = wire_receive(spawner->socket, &spawner->in)) > 0)
        hear(spawner, &spawner->in);
    return got != 0;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void stop_poll(uv_poll_t **poll)
{
    if (*poll == NULL)
        return;
    uv_poll_stop(*poll);
    uv_close((uv_handle_t *)*poll, on_closed);
    *poll = NULL;
}

static void on_spawner(uv_poll_t *poll, int status, int events)
{
    Spawner *spawner = poll->data;
    if (status == 0 && (events & UV_WRITABLE) != 0)
        flush(spawner);
    /* It is gone; how many of its processes are left the keeper will say. */
    if (!hear_all(spawner) || status != 0)
        stop_poll(&spawner->poll);
}

static Error start_poll(Spawner *spawner, int file, uv_poll_cb callback, uv_poll_t **result)
{
    uv_poll_t *poll = calloc(1, sizeof *poll);
    ASSERT(poll != NULL);
    if (uv_poll_init(loop_uv(spawner->loop), poll, file) != 0) { /* makes the file non-blocking */
        free(poll);
        return ERROR_IO;
    }
    poll->data = spawner;
    *result = poll;
    return uv_poll_start(poll, UV_READABLE, callback) == 0 ? OK : ERROR_IO;
}

/* The last spawner and all its workers have ended. */
static void end_generation(Spawner *spawner)
{
    hear_all(spawner);
    stop_poll(&spawner->poll);
    if (spawner->socket >= 0)
        close(spawner->socket);
    if (spawner->process >= 0)
        close(spawner->process);
    spawner->socket = spawner->process = -1;
    drop_unsent(spawner);
    for (size_t position = 0;; position = 0) {
        const MapEntry *entry = map_next(&spawner->workers, &position);
        if (entry == NULL)
            break;
        const Worker *worker = entry->value;
        end_worker(spawner, &(WorkerExit){.worker = worker->id, .status = SIGKILL});
    }
}

/* Orders that no worker came of, again; those that spawners keep dying of are given up. */
static void resend_orders(Spawner *spawner)
{
    List orders;
    list_init(&orders);
    for (ListNode *node; (node = list_pop_front(&spawner->orders)) != NULL;)
        list_push_back(&orders, node);
    for (ListNode *node; (node = list_pop_front(&orders)) != NULL;) {
        SpawnOrder *order = CONTAINER_OF(node, SpawnOrder, waiting);
        list_push_back(&spawner->orders, node);
        if (order->tries >= TRIES)
            end_order(order, ERROR_IO, SLICE("the process that starts workers has ended"));
        else
            send_order(spawner, order);
    }
}

/* ---- Keepers ---- */

static void on_keeper(uv_poll_t *poll, int status, int events);
static void on_retry(uv_timer_t *timer);

static void drop_keeper(Spawner *spawner)
{
    stop_poll(&spawner->keeper_poll);
    if (spawner->keeper_socket >= 0)
        close(spawner->keeper_socket);
    if (spawner->keeper > 0)
        keeper_end(spawner->keeper);
    spawner->keeper_socket = -1;
    spawner->keeper = 0;
}

static void start_keeper(Spawner *spawner)
{
    spawner->keeper_since_ms = uv_now(loop_uv(spawner->loop));
    if (launch_keeper(spawner) && start_poll(spawner, spawner->keeper_socket, on_keeper, &spawner->keeper_poll) == OK)
        return;
    drop_keeper(spawner);
    resend_orders(spawner); /* to nobody: it counts as a try */
    uv_timer_start(spawner->retry, on_retry, PAUSE_MS, 0);
}

static void on_retry(uv_timer_t *timer)
{
    start_keeper(timer->data);
}

/* Nothing is left of the last keeper, nor of what it has started. */
static void replace_keeper(Spawner *spawner)
{
    bool had_spawner = spawner->socket >= 0;
    end_generation(spawner);
    if (!had_spawner)
        resend_orders(spawner);
    if (uv_now(loop_uv(spawner->loop)) - spawner->keeper_since_ms < QUICK_MS)
        uv_timer_start(spawner->retry, on_retry, PAUSE_MS, 0);
    else
        start_keeper(spawner);
}

static void on_spawner_ended(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    Spawner *spawner = poll->data;
    stop_poll(&spawner->end_poll);
    replace_keeper(spawner);
}

/* The keeper was killed. Its spawner and all workers die of that, which is waited for: an exit is told of what is gone. */
static void lose_keeper(Spawner *spawner)
{
    LOG(spawner->log, WARNING, "spawner_lost");
    drop_keeper(spawner);
    /* One that had only just begun may not have asked to die with it. */
    if (spawner->process >= 0)
        syscall(SYS_pidfd_send_signal, spawner->process, SIGKILL, NULL, 0);
    if (spawner->process < 0 || start_poll(spawner, spawner->process, on_spawner_ended, &spawner->end_poll) != OK) {
        stop_poll(&spawner->end_poll);
        replace_keeper(spawner);
    }
}

/* Nothing that this keeper starts can isolate functions. What is short may be there again later. */
static void refuse(Spawner *spawner, Slice lacks)
{
    bool is_new = spawner->refusal[0] == '\0';
    snprintf(spawner->refusal, sizeof spawner->refusal,
             "functions cannot be isolated at the moment: this server lacks %.*s%s", SLICE_PRINT(lacks),
             spawner->gave_powers ? "; it had left its powers to a process that was killed: restart it" : "");
    if (is_new)
        LOG(spawner->log, ERROR, "spawner_refuses", log_string("reason", spawner->refusal));
    drop_keeper(spawner);
    end_generation(spawner);
    for (ListNode *node; (node = list_first(&spawner->orders)) != NULL;)
        end_order(CONTAINER_OF(node, SpawnOrder, waiting), ERROR_DENIED, slice_of_string(spawner->refusal));
    uv_timer_start(spawner->retry, on_retry, REFUSED_MS, 0);
}

static void on_keeper(uv_poll_t *poll, int status, int events)
{
    (void)events;
    Spawner *spawner = poll->data;
    int got = status == 0 ? wire_receive(spawner->keeper_socket, &spawner->in) : 0;
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        lose_keeper(spawner);
        return;
    }
    int socket = -1;
    int process = -1;
    (void)read_spawner(&spawner->in, &socket, &process);
    LOG(spawner->log, WARNING, "spawner_restarted");
    end_generation(spawner);
    spawner->socket = socket;
    spawner->process = process;
    /* One that cannot be spoken to ends when it finds that, and its keeper starts another. */
    if (socket < 0 || start_poll(spawner, socket, on_spawner, &spawner->poll) != OK)
        end_generation(spawner);
    resend_orders(spawner);
}

/* ---- Opening and closing ---- */

Error spawner_open(Spawner *spawner, Loop *loop, const SpawnerEvents *events, Log *log)
{
    uint64_t seed[2];
    spawner->loop = loop;
    spawner->events = *events;
    spawner->log = log;
    os_random(loop_os(loop), seed, sizeof seed);
    spawner->workers = map_make((MapSeed){seed[0], seed[1]});
    if (spawner->lacks[0] != '\0')
        LOG(log, WARNING, "isolation_lacks", log_string("lacks", spawner->lacks));
    spawner->keeper_since_ms = uv_now(loop_uv(loop));
    spawner->retry = calloc(1, sizeof *spawner->retry);
    ASSERT(spawner->retry != NULL);
    uv_timer_init(loop_uv(loop), spawner->retry);
    spawner->retry->data = spawner;
    TRY(start_poll(spawner, spawner->keeper_socket, on_keeper, &spawner->keeper_poll));
    return start_poll(spawner, spawner->socket, on_spawner, &spawner->poll);
}

void spawner_close(Spawner *spawner)
{
    stop_poll(&spawner->poll);
    stop_poll(&spawner->keeper_poll);
    stop_poll(&spawner->end_poll);
    if (spawner->retry != NULL)
        uv_close((uv_handle_t *)spawner->retry, on_closed);
    drop_unsent(spawner);
    if (spawner->socket >= 0)
        close(spawner->socket);
    /* The keeper sees it, and ends the spawner with all that it has started; without one, that is under way. */
    if (spawner->keeper_socket >= 0)
        close(spawner->keeper_socket);
    while (spawner->keeper > 0 && waitpid(spawner->keeper, NULL, 0) < 0 && errno == EINTR)
        continue;
    if (spawner->process >= 0) {
        struct pollfd ended = {.fd = spawner->process, .events = POLLIN};
        while (poll(&ended, 1, -1) < 0 && errno == EINTR)
            continue;
        close(spawner->process);
    }
    size_t position = 0;
    for (const MapEntry *entry; (entry = map_next(&spawner->workers, &position)) != NULL;) {
        Worker *worker = entry->value;
        if (worker->peak >= 0)
            close(worker->peak);
        free(worker);
    }
    map_free(&spawner->workers);
    free(spawner);
}
