#include "runtime/spawner_process.h"

#include "runtime/sandbox_calls.h"
#include "runtime/sandbox_root.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum {
    ENVIRONMENT_MAX = 512,
    READY = 'r',
};

/* An order as it came, in strings with a NUL that live in the message. */
typedef struct Order {
    const WireHead *head;
    const char *runtime;
    const char *program;
    const char *library;
    const char *code;
    const char *layers[SANDBOX_LAYERS_MAX];
    char *environment[ENVIRONMENT_MAX + 1]; /* "NAME=VALUE" */
} Order;

/* ---- Reading an order ---- */

static bool parse_door(const char *text, SandboxDoor *door)
{
    char host[64];
    unsigned port;
    char behind;
    if (sscanf(text, "%63[^:]:%u%c", host, &port, &behind) != 2 || port == 0 || port > UINT16_MAX)
        return false;
    struct in_addr address;
    if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &address) != 1)
        return false;
    *door = (SandboxDoor){.address = address.s_addr, .port = htons((uint16_t)port)};
    return true;
}

/* False with a reason in `failure`. */
static bool read_order(WireMessage *message, Order *order, SandboxPlan *plan, char *failure, size_t size)
{
    const WireHead *head = order->head = &message->head;
    if (head->layer_count > SANDBOX_LAYERS_MAX || head->environment_count > ENVIRONMENT_MAX ||
        head->reachable_count > SANDBOX_DOORS_MAX) {
        snprintf(failure, size, "at most %d layers, %d environment variables, %d reachable addresses",
                 SANDBOX_LAYERS_MAX, ENVIRONMENT_MAX, SANDBOX_DOORS_MAX);
        return false;
    }
    order->runtime = wire_next_string(message).data;
    order->program = wire_next_string(message).data;
    order->library = wire_next_string(message).data;
    order->code = wire_next_string(message).data;
    for (uint32_t i = 0; i < head->layer_count; i++)
        order->layers[i] = wire_next_string(message).data;
    for (uint32_t i = 0; i < head->environment_count; i++)
        order->environment[i] = (char *)(uintptr_t)wire_next_string(message).data;
    order->environment[head->environment_count] = NULL;
    for (uint32_t i = 0; i < head->reachable_count; i++) {
        const char *text = wire_next_string(message).data;
        if (head->isolated_network && !parse_door(text, &plan->doors[plan->door_count++])) {
            snprintf(failure, size, "what isolated functions may reach is IPV4-ADDRESS:PORT, which \"%.60s\" is not",
                     text);
            return false;
        }
    }
    return true;
}

static void make_plan(const SpawnerProcess *spawner, const Order *order, uint64_t id, SandboxPlan *plan)
{
    plan->tmp_bytes = order->head->tmp_bytes;
    plan->layer_count = order->head->layer_count;
    plan->landlock = spawner->landlock;
    plan->isolated_network = order->head->isolated_network;
    plan->has_filter = spawner->filter >= 0;
    /* As AWS names its machines: by an address of their link. */
    snprintf(plan->host_name, sizeof plan->host_name, "169-254-%u-%u", (unsigned)(id >> 8 & 255), (unsigned)(id & 255));
}

/* ---- What it is made of ---- */

/* Both sides' files. */
typedef struct Ends {
    SandboxFiles inside;
    int sync;
    int channel;
    int output;
    int errors;
} Ends;

static void close_file(int *file)
{
    if (*file >= 0)
        close(*file);
    *file = -1;
}

static void close_inside(Ends *ends)
{
    SandboxFiles *inside = &ends->inside;
    int *const files[] = {&inside->sync, &inside->channel, &inside->output,  &inside->errors,
                          &inside->root, &inside->code,    &inside->library, &inside->language};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        close_file(files[i]);
    for (size_t i = 0; i < SANDBOX_LAYERS_MAX; i++)
        close_file(&inside->layers[i]);
}

static void no_ends(Ends *ends)
{
    *ends = (Ends){{-1, -1, -1, -1, -1, -1, -1, -1, -1, {0}}, -1, -1, -1, -1};
    for (size_t i = 0; i < SANDBOX_LAYERS_MAX; i++)
        ends->inside.layers[i] = -1;
}

static bool make_pipe(int *outside, int *inside)
{
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) != 0)
        return false;
    *outside = pair[0];
    *inside = pair[1];
    return fcntl(*outside, F_SETFL, O_NONBLOCK) == 0;
}

static bool make_pair(int type, int *outside, int *inside)
{
    int pair[2];
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    *outside = pair[0];
    *inside = pair[1];
    return fcntl(*outside, F_SETFL, O_NONBLOCK) == 0;
}

static const char *open_ends(const SpawnerProcess *spawner, const Order *order, Ends *ends)
{
    SandboxFiles *inside = &ends->inside;
    inside->filter = spawner->filter;
    if (!make_pair(SOCK_SEQPACKET, &ends->sync, &inside->sync) ||
        !make_pair(SOCK_STREAM, &ends->channel, &inside->channel) || !make_pipe(&ends->output, &inside->output) ||
        !make_pipe(&ends->errors, &inside->errors))
        return "open its channel";
    if ((inside->root = sandbox_root_copy(spawner->root)) < 0)
        return "copy the root";
    if (*order->code != '\0' && (inside->code = sandbox_tree(order->code)) < 0)
        return "open the code's folder";
    if (*order->library != '\0' && (inside->library = sandbox_tree(order->library)) < 0)
        return "open the library's folder";
    for (uint32_t i = 0; i < order->head->layer_count; i++)
        if ((inside->layers[i] = sandbox_tree(order->layers[i])) < 0)
            return "open a layer's folder";
    return NULL;
}

static const char *make_group(SpawnerProcess *spawner, const Order *order, SpawnedWorker *worker)
{
    if (spawner->cgroups.version == 0)
        return NULL;
    const CgroupLimits limits = {
        .memory_bytes = order->head->memory_bytes,
        .processor_permille = order->head->processor_permille,
        .processes = SANDBOX_PROCESSES,
    };
    if (!cgroup_make(&spawner->cgroups, ++spawner->next_group, &worker->group))
        return "make a control group";
    if (!cgroup_limit(&worker->group, &limits))
        return "limit a control group";
    worker->peak = cgroup_open_peak(&worker->group);
    return NULL;
}

/* ---- Cloning ---- */

/* The child: nothing of the spawner's may be used but what was made for it. */
__attribute__((noreturn)) static void be_worker(const SpawnerProcess *spawner, const Order *order,
                                                const SandboxPlan *plan, const SandboxFiles *files)
{
    sandbox_enter(plan, files);
    const char ready = READY;
    (void)!send(SANDBOX_SYNC_FILE, &ready, 1, MSG_NOSIGNAL);
    if (*order->program == '\0' && spawner->options->custom_main != NULL) {
        close(SANDBOX_SYNC_FILE);
        clearenv();
        _exit(spawner->options->custom_main(3));
    }
    const char *program = *order->program == '\0' ? "/var/task/bootstrap" : order->program;
    char *arguments[] = {(char *)(uintptr_t)program, NULL};
    if (chdir("/var/task") == 0)
        execve(program, arguments, (char **)(uintptr_t)order->environment);
    sandbox_fail(SANDBOX_SYNC_FILE, "execute the program");
}

static bool write_map(pid_t process, const char *file, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%lld/%s", (long long)process, file);
    int map = open(path, O_WRONLY | O_CLOEXEC);
    bool written = map >= 0 && write(map, text, strlen(text)) == (ssize_t)strlen(text);
    int reason = errno;
    if (map >= 0)
        close(map);
    errno = reason;
    return written;
}

/* One user, one group, and no others (user_namespaces(7)). */
static bool map_users(const SpawnerProcess *spawner, const SpawnedWorker *worker)
{
    char user[64];
    char group[64];
    unsigned outside = spawner->has_users ? spawner->first_user + worker->slot : geteuid();
    snprintf(user, sizeof user, "%d %u 1", SANDBOX_USER, outside);
    snprintf(group, sizeof group, "%d %u 1", SANDBOX_GROUP, spawner->has_users ? outside : getegid());
    return write_map(worker->process, "setgroups", "deny") && write_map(worker->process, "gid_map", group) &&
           write_map(worker->process, "uid_map", user);
}

/* The process exists: what only we can do for it. */
static const char *adopt(SpawnerProcess *spawner, SpawnedWorker *worker)
{
    const char mapped = SANDBOX_MAPPED;
    const char go = SANDBOX_GO;
    if ((worker->process_file = call_open_process(worker->process)) < 0)
        return "open the process";
    if (!map_users(spawner, worker))
        return "map its user";
    (void)!send(worker->sync, &mapped, 1, MSG_NOSIGNAL);
    if (worker->group.tree != NULL && !cgroup_attach(&worker->group, worker->process))
        return "put it into its control group";
    (void)!send(worker->sync, &go, 1, MSG_NOSIGNAL);
    return NULL;
}

static const char *start(SpawnerProcess *spawner, const Order *order, const SandboxPlan *plan, Ends *ends,
                         SpawnedWorker *worker)
{
    const char *failed = open_ends(spawner, order, ends);
    worker->sync = ends->sync;
    worker->channel = ends->channel;
    worker->output = ends->output;
    worker->errors = ends->errors;
    if (failed != NULL || (failed = make_group(spawner, order, worker)) != NULL)
        return failed;
    worker->process = call_clone(sandbox_namespaces(plan->isolated_network), SIGCHLD);
    if (worker->process == 0)
        be_worker(spawner, order, plan, &ends->inside);
    if (worker->process < 0) {
        worker->process = 0;
        return "clone a process";
    }
    return adopt(spawner, worker);
}

/* ---- Its life ---- */

static void free_worker(SpawnedWorker *worker)
{
    list_remove(&worker->node);
    close_file(&worker->process_file);
    close_file(&worker->sync);
    close_file(&worker->channel);
    close_file(&worker->output);
    close_file(&worker->errors);
    close_file(&worker->peak);
    cgroup_remove(&worker->group);
    free(worker);
}

static void tell_failure(SpawnerProcess *spawner, uint64_t id, const char *failure)
{
    wire_begin(&spawner->out, WIRE_FAILED, id);
    wire_add_string(&spawner->out, slice_of_string(failure));
    wire_send(spawner->server, &spawner->out);
}

static void tell_start(SpawnerProcess *spawner, SpawnedWorker *worker)
{
    WireMessage *out = &spawner->out;
    wire_begin(out, WIRE_STARTED, worker->id);
    wire_add_file(out, worker->channel);
    wire_add_file(out, worker->output);
    wire_add_file(out, worker->errors);
    wire_add_file(out, worker->process_file);
    out->head.has_peak_file = worker->peak >= 0;
    if (worker->peak >= 0)
        wire_add_file(out, worker->peak);
    wire_send(spawner->server, out);
    worker->stage = WORKER_STARTED;
    close_file(&worker->channel);
    close_file(&worker->output);
    close_file(&worker->errors);
    close_file(&worker->peak);
}

void spawned_worker_kill(SpawnedWorker *worker)
{
    worker->is_killed = true;
    if (worker->process_file >= 0)
        call_signal_process(worker->process_file, SIGKILL);
    else if (worker->process > 0)
        kill(worker->process, SIGKILL);
}

static SpawnedWorker *make_worker(SpawnerProcess *spawner, uint64_t id)
{
    SpawnedWorker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return NULL;
    worker->watched.kind = WATCHED_WORKER;
    worker->id = id;
    worker->process_file = worker->sync = worker->channel = worker->output = worker->errors = worker->peak = -1;
    worker->slot = spawner->next_slot++ & 0xffffu;
    list_push_back(&spawner->workers, &worker->node);
    return worker;
}

void spawned_worker_begin(SpawnerProcess *spawner)
{
    static Order order; /* large, and used until the clone alone */
    SandboxPlan plan = {0};
    Ends ends;
    no_ends(&ends);
    uint64_t id = spawner->in.head.worker;
    SpawnedWorker *worker = make_worker(spawner, id);
    if (worker == NULL) {
        tell_failure(spawner, id, "no memory");
        return;
    }
    if (read_order(&spawner->in, &order, &plan, worker->failure, sizeof worker->failure)) {
        make_plan(spawner, &order, id, &plan);
        const char *failed = start(spawner, &order, &plan, &ends, worker);
        if (failed == NULL && !spawner_process_watch(spawner, worker->sync, &worker->watched))
            failed = "watch it";
        if (failed != NULL)
            snprintf(worker->failure, sizeof worker->failure, "%s: %s", failed, strerror(errno));
    }
    close_inside(&ends);
    /* Workers are forks: the next one must not find this one's environment in its memory. */
    explicit_bzero(spawner->in.strings, spawner->in.size);
    if (worker->failure[0] == '\0')
        return;
    if (worker->process > 0) {
        spawned_worker_kill(worker); /* its end is told when it has been waited for */
        return;
    }
    tell_failure(spawner, id, worker->failure);
    free_worker(worker);
}

void spawned_worker_heard(SpawnerProcess *spawner, SpawnedWorker *worker)
{
    SandboxFailure failure;
    while (worker->sync >= 0) {
        ssize_t size = recv(worker->sync, &failure, sizeof failure, MSG_DONTWAIT);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == EAGAIN)
            return;
        if (size == 1) {
            worker->is_ready = true;
        } else if (size == sizeof failure) {
            failure.step[sizeof failure.step - 1] = '\0';
            snprintf(worker->failure, sizeof worker->failure, "%s: %s", failure.step, strerror(failure.reason));
        } else {
            close_file(&worker->sync); /* takes it off the loop */
        }
    }
    if (worker->failure[0] != '\0')
        spawned_worker_kill(worker);
    else if (worker->is_ready && worker->stage == WORKER_CLONED)
        tell_start(spawner, worker);
}

void spawned_worker_ended(SpawnerProcess *spawner, SpawnedWorker *worker, int status)
{
    if (worker->sync >= 0)
        spawned_worker_heard(spawner, worker);
    if (worker->stage == WORKER_CLONED) {
        if (worker->failure[0] == '\0')
            snprintf(worker->failure, sizeof worker->failure, "it ended before it was ready (status %d)", status);
        tell_failure(spawner, worker->id, worker->failure);
    } else {
        CgroupUse use = {0};
        if (worker->group.tree != NULL)
            cgroup_use(&worker->group, &use);
        wire_begin(&spawner->out, WIRE_EXITED, worker->id);
        spawner->out.head.status = status;
        spawner->out.head.out_of_memory = use.out_of_memory;
        spawner->out.head.memory_bytes = use.peak_bytes;
        wire_send(spawner->server, &spawner->out);
    }
    free_worker(worker);
}
