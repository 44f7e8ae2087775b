#include "runtime/spawner_process.h"

#include "base/bug.h"
#include "runtime/channel.h"
#include "runtime/environment.h"
#include "runtime/sandbox_calls.h"
#include "runtime/sandbox_root.h"
#include "runtime/spawner_order.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void make_plan(const SpawnerProcess *spawner, const Order *order, uint64_t serial, SandboxPlan *plan)
{
    *plan = (SandboxPlan){
        .tmp_bytes = order->head->tmp_bytes,
        .layer_count = order->head->layer_count,
        .door_count = order->door_count,
        .landlock = spawner->landlock,
        .isolated_network = order->head->isolated_network,
        .has_filter = spawner->filter >= 0,
    };
    memcpy(plan->doors, order->doors, sizeof plan->doors);
    /* As AWS names its machines: by an address of their link. */
    snprintf(plan->host_name, sizeof plan->host_name, "169-254-%u-%u", (unsigned)(serial >> 8 & 255),
             (unsigned)(serial & 255));
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

/* SandboxFiles is nothing but files. */
static void close_inside(Ends *ends)
{
    int *file = (int *)(void *)&ends->inside;
    for (int i = 0; i < SANDBOX_FILES; i++)
        close_file(&file[i]);
}

static void no_ends(Ends *ends)
{
    memset(&ends->inside, 0xff, sizeof ends->inside); /* -1 */
    ends->sync = ends->channel = ends->output = ends->errors = -1;
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

static const char *open_code(const Order *order, SandboxFiles *inside)
{
    if (*order->code != '\0' && (inside->code = sandbox_tree(order->code)) < 0)
        return "open the code's folder";
    for (uint32_t i = 0; i < order->head->layer_count; i++)
        if ((inside->layers[i] = sandbox_tree(order->layers[i])) < 0)
            return "open a layer's folder";
    return NULL;
}

static const char *open_ends(const SpawnerProcess *spawner, const Order *order, const OrderProgram *program, Ends *ends)
{
    SandboxFiles *inside = &ends->inside;
    if (spawner->filter >= 0 && (inside->filter = fcntl(spawner->filter, F_DUPFD_CLOEXEC, 0)) < 0)
        return "dup the filter";
    if (!make_pair(SOCK_SEQPACKET, &ends->sync, &inside->sync) ||
        !make_pair(SOCK_STREAM, &ends->channel, &inside->channel) || !make_pipe(&ends->output, &inside->output) ||
        !make_pipe(&ends->errors, &inside->errors))
        return "open its channel";
    if ((inside->root = sandbox_root_copy(spawner->root)) < 0)
        return "copy the root";
    if (*order->library != '\0' && (inside->library = sandbox_tree(order->library)) < 0)
        return "open the library's folder";
    if (program->tree[0] != '\0' && (inside->language = sandbox_tree(program->tree)) < 0)
        return "open the runtime's folder";
    return open_code(order, inside);
}

static bool limit_group(const Order *order, const SpawnedWorker *worker)
{
    const CgroupLimits limits = {
        .memory_bytes = order->head->memory_bytes + order->head->tmp_bytes,
        .processor_permille = order->head->processor_permille,
        .processes = SANDBOX_PROCESSES,
    };
    return worker->group.tree == NULL || cgroup_limit(&worker->group, &limits);
}

static const char *make_group(SpawnerProcess *spawner, const Order *order, SpawnedWorker *worker, SandboxFiles *inside)
{
    if (spawner->cgroups.version == 0)
        return NULL;
    if (!cgroup_make(&spawner->cgroups, worker->serial, &worker->group))
        return "make a control group";
    if (!limit_group(order, worker))
        return "limit a control group";
    if (!cgroup_open_entries(&worker->group, inside->groups))
        return "open a control group";
    worker->peak = cgroup_open_peak(&worker->group);
    return NULL;
}

/* ---- Cloning ---- */

#define SEARCH_PATH "PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin"

/* What FRAME_INIT replaces, for processes that are started before they know whose they are. */
static char *plain_environment[] = {SEARCH_PATH, "LANG=en_US.UTF-8", "TZ=:UTC", NULL};
/* Node.js reads this one before its first line of a program runs. */
static char extra_certificates[] = "NODE_EXTRA_CA_CERTS=" TRUST_PATH;
static char *trusting_environment[] = {SEARCH_PATH, "LANG=en_US.UTF-8", "TZ=:UTC", extra_certificates, NULL};

static const char *wrapper_of(const Order *order)
{
    static const char name[] = "AWS_LAMBDA_EXEC_WRAPPER=";
    for (char *const *variable = order->environment; *variable != NULL; variable++)
        if (strncmp(*variable, name, sizeof name - 1) == 0 && (*variable)[sizeof name - 1] != '\0')
            return *variable + sizeof name - 1;
    return NULL;
}

/* Lambda developer guide, "Modifying the runtime environment": the wrapper is given the runtime's command line. */
static void execute(const Order *order, const char *program)
{
    const char *arguments[6] = {0};
    size_t count = 0;
    const char *wrapper = wrapper_of(order);
    if (wrapper != NULL && order->head->runtime_kind != RUNTIME_CUSTOM)
        arguments[count++] = wrapper;
    arguments[count++] = program;
    if (order->head->runtime_kind == RUNTIME_NODEJS)
        arguments[count++] = "/var/brume/nodejs/bootstrap.mjs";
    else if (order->head->runtime_kind == RUNTIME_PYTHON)
        arguments[count++] = "/var/brume/python/bootstrap.py";
    if (chdir("/var/task") != 0)
        return;
    char **environment = access(TRUST_PATH, R_OK) == 0 ? trusting_environment : plain_environment;
    if (order->head->environment_count > 0)
        environment = (char **)(uintptr_t)order->environment;
    execve(arguments[0], (char **)(uintptr_t)arguments, environment);
}

/* The child: nothing of the spawner's may be used but what was made for it. */
__attribute__((noreturn)) static void be_worker(const SpawnerProcess *spawner, const Order *order,
                                                const OrderProgram *program, const SandboxPlan *plan,
                                                const SandboxFiles *files)
{
    sandbox_enter(plan, files);
    const char ready = ZYGOTE_READY;
    (void)!send(SANDBOX_SYNC_FILE, &ready, 1, MSG_NOSIGNAL);
    if (order->head->runtime_kind != RUNTIME_CUSTOM) {
        execute(order, program->inside);
    } else if (*order->program == '\0' && spawner->options->custom_main != NULL) {
        close(SANDBOX_SYNC_FILE);
        clearenv();
        _exit(spawner->options->custom_main(CHANNEL_FILE));
    } else {
        execute(order, *order->program == '\0' ? "/var/task/bootstrap" : order->program);
    }
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
    uid_t host_user;
    gid_t host_group;
    spawner_process_user(spawner, worker->slot, &host_user, &host_group);
    snprintf(user, sizeof user, "%d %u 1", SANDBOX_USER, host_user);
    snprintf(group, sizeof group, "%d %u 1", SANDBOX_GROUP, host_group);
    return write_map(worker->process, "setgroups", "deny") && write_map(worker->process, "gid_map", group) &&
           write_map(worker->process, "uid_map", user);
}

/* Without a control group the kernel tells the most that the process itself has held. */
static int open_status(pid_t process)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%lld/status", (long long)process);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static const char *adopt(SpawnerProcess *spawner, SpawnedWorker *worker)
{
    const char mapped = SANDBOX_MAPPED;
    if (!map_users(spawner, worker))
        return "map its user";
    (void)!send(worker->sync, &mapped, 1, MSG_NOSIGNAL);
    if (worker->group.tree == NULL)
        worker->peak = open_status(worker->process);
    return NULL;
}

static void fail(SpawnedWorker *worker, const char *step)
{
    snprintf(worker->failure, sizeof worker->failure, "%s: %s", step, strerror(errno));
}

bool spawned_worker_adopt(SpawnerProcess *spawner, SpawnedWorker *worker)
{
    if ((worker->process_file = call_open_process(worker->process)) < 0) {
        worker->process = 0;
        fail(worker, "open its process");
        return false;
    }
    const char *failed = adopt(spawner, worker);
    if (failed != NULL) {
        fail(worker, failed);
        spawned_worker_kill(worker);
    }
    return true;
}

/* A fork of a zygote, which tells of its process later. */
static const char *start_fork(SpawnerProcess *spawner, const Order *order, const SandboxPlan *plan, const Ends *ends,
                              SpawnedWorker *worker)
{
    const char *failed;
    Zygote *zygote = zygote_of(spawner, order->program, order->library, &failed);
    if (zygote == NULL)
        return failed;
    return zygote_order(zygote, worker, plan, &ends->inside) ? NULL : "ask the zygote";
}

static const char *start_program(SpawnerProcess *spawner, const Order *order, const OrderProgram *program,
                                 const SandboxPlan *plan, const Ends *ends, SpawnedWorker *worker)
{
    worker->process = call_clone(sandbox_namespaces(plan->isolated_network), SIGCHLD);
    if (worker->process == 0)
        be_worker(spawner, order, program, plan, &ends->inside);
    if (worker->process < 0) {
        worker->process = 0;
        return "clone a process";
    }
    /* It cannot be waited for in between, so that it is there. */
    return spawned_worker_adopt(spawner, worker) ? NULL : "open its process";
}

static const char *start(SpawnerProcess *spawner, const Order *order, Ends *ends, SpawnedWorker *worker)
{
    static OrderProgram program;
    SandboxPlan plan;
    program = (OrderProgram){0};
    make_plan(spawner, order, worker->serial, &plan);
    if (order->head->runtime_kind != RUNTIME_CUSTOM &&
        !order_find_program(order->program, spawner->options->data_directory, &program))
        return "find the runtime's program";
    const char *failed = open_ends(spawner, order, &program, ends);
    worker->door_count = order->head->isolated_network ? order->door_count : 0;
    memcpy(worker->doors, order->doors, sizeof worker->doors);
    worker->memory_bytes = order->head->memory_bytes;
    worker->sync = ends->sync;
    worker->channel = ends->channel;
    worker->output = ends->output;
    worker->errors = ends->errors;
    if (failed != NULL || (failed = make_group(spawner, order, worker, &ends->inside)) != NULL)
        return failed;
    if (!spawner_process_watch(spawner, worker->sync, &worker->watched))
        return "watch it";
    if (order->head->runtime_kind == RUNTIME_PYTHON && order->head->environment_count == 0)
        return start_fork(spawner, order, &plan, ends, worker);
    return start_program(spawner, order, &program, &plan, ends, worker);
}

/* ---- Its life ---- */

static void free_worker(SpawnedWorker *worker)
{
    list_remove(&worker->node);
    if (list_is_linked(&worker->at_zygote))
        list_remove(&worker->at_zygote);
    ahead_forget(worker);
    close_file(&worker->process_file);
    close_file(&worker->sync);
    close_file(&worker->channel);
    close_file(&worker->output);
    close_file(&worker->errors);
    close_file(&worker->peak);
    close_file(&worker->doors_life);
    cgroup_remove(&worker->group);
    free(worker);
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
    memory_watch(spawner, worker);
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

/* A user of the host that no other worker is. */
static uint32_t free_slot(SpawnerProcess *spawner)
{
    bool is_taken = true;
    uint32_t slot = 0;
    while (is_taken) {
        is_taken = false;
        slot = spawner_process_slot(spawner);
        LIST_FOR_EACH(&spawner->workers, node)
        is_taken |= CONTAINER_OF(node, SpawnedWorker, node)->slot == slot;
    }
    return slot;
}

static SpawnedWorker *new_worker(SpawnerProcess *spawner, uint64_t id)
{
    SpawnedWorker *worker = calloc(1, sizeof *worker);
    ASSERT(worker != NULL);
    worker->watched.kind = WATCHED_WORKER;
    worker->id = id;
    worker->serial = ++spawner->next_serial;
    worker->process_file = worker->sync = worker->channel = worker->output = worker->errors = worker->peak =
        worker->doors_life = -1;
    worker->slot = free_slot(spawner);
    list_push_back(&spawner->workers, &worker->node);
    return worker;
}

static void tell_failure(SpawnerProcess *spawner, uint64_t id, const char *failure, bool try_again)
{
    wire_begin(&spawner->out, WIRE_FAILED, id);
    spawner->out.head.try_again = try_again;
    wire_add_string(&spawner->out, slice_of_string(failure));
    wire_send(spawner->server, &spawner->out);
}

void spawned_worker_give_up(SpawnerProcess *spawner, SpawnedWorker *worker, bool try_again)
{
    if (worker->ahead != NULL)
        worker->ahead->is_broken = !try_again;
    else
        tell_failure(spawner, worker->id, worker->failure, try_again);
    free_worker(worker);
}

SpawnedWorker *spawned_worker_make(SpawnerProcess *spawner, const Order *order, uint64_t id, Ahead *ahead)
{
    Ends ends;
    no_ends(&ends);
    SpawnedWorker *worker = new_worker(spawner, id);
    if (ahead != NULL) {
        worker->ahead = ahead;
        list_push_back(&ahead->workers, &worker->at_ahead);
        ahead->count++;
    }
    const char *failed = start(spawner, order, &ends, worker);
    if (failed != NULL && worker->failure[0] == '\0')
        fail(worker, failed);
    close_inside(&ends);
    if (worker->failure[0] == '\0' || worker->process > 0)
        return worker;
    spawned_worker_give_up(spawner, worker, false);
    return NULL;
}

/* Of a worker that waits ahead: from a process that has entered its namespaces, and has powers there. */
__attribute__((noreturn)) static void furnish_worker(const SpawnedWorker *worker, const SandboxPlan *plan,
                                                     const SandboxFiles *files)
{
    if (setns(worker->process_file, CLONE_NEWUSER | CLONE_NEWNS) != 0)
        sandbox_fail(files->sync, "enter its namespaces");
    const char *failed = sandbox_mount_code(plan, files);
    if (failed == NULL)
        failed = sandbox_resize_tmp(plan);
    if (failed != NULL)
        sandbox_fail(files->sync, failed);
    _exit(0);
}

/* NULL, or the step that failed with errno. */
static const char *furnish(SpawnedWorker *worker, const SandboxPlan *plan, Ends *ends)
{
    static SandboxFailure failure;
    pid_t helper = call_clone(0, SIGCHLD);
    if (helper == 0)
        furnish_worker(worker, plan, &ends->inside);
    if (helper < 0)
        return "clone a helper";
    close_file(&ends->inside.sync);
    int status;
    while (waitpid(helper, &status, 0) < 0 && errno == EINTR)
        continue;
    if (recv(ends->sync, &failure, sizeof failure, 0) != sizeof failure)
        return NULL;
    errno = failure.reason;
    return failure.step;
}

void spawned_worker_assign(SpawnerProcess *spawner, SpawnedWorker *worker, const Order *order, uint64_t id)
{
    SandboxPlan plan;
    Ends ends;
    no_ends(&ends);
    ahead_forget(worker);
    worker->id = id;
    worker->memory_bytes = order->head->memory_bytes;
    make_plan(spawner, order, worker->serial, &plan);
    const char *failed = open_code(order, &ends.inside);
    if (failed == NULL && !make_pair(SOCK_SEQPACKET, &ends.sync, &ends.inside.sync))
        failed = "open a socket";
    if (failed == NULL && !limit_group(order, worker))
        failed = "limit its control group";
    if (failed == NULL)
        failed = furnish(worker, &plan, &ends);
    if (failed != NULL)
        fail(worker, failed);
    close_inside(&ends);
    close_file(&ends.sync);
    if (failed == NULL) {
        tell_start(spawner, worker);
    } else {
        worker->stage = WORKER_CLONED; /* told of when it has been waited for */
        spawned_worker_kill(worker);
    }
}

void spawned_worker_begin(SpawnerProcess *spawner)
{
    static Order order; /* large, and used until the clone alone */
    char failure[sizeof((SpawnedWorker *)0)->failure];
    uint64_t id = spawner->in.head.worker;
    SpawnedWorker *worker;
    if (spawner->in.head.snapshot_of != 0)
        tell_failure(spawner, id, "copies of an initialised worker cannot be made", false);
    else if (!order_read(&spawner->in, &order, failure, sizeof failure))
        tell_failure(spawner, id, failure, false);
    else if ((worker = ahead_take(spawner, &order)) != NULL)
        spawned_worker_assign(spawner, worker, &order, id);
    else
        spawned_worker_make(spawner, &order, id, NULL);
    /* Workers are forks: the next one must not find this one's environment in its memory. */
    explicit_bzero(spawner->in.strings, spawner->in.size);
}

/* What a worker says while it puts up its walls: it listens at its doors; a step has failed; or it is ready. */
static void hear(SpawnerProcess *spawner, SpawnedWorker *worker, const SandboxFailure *said, size_t size,
                 const int *files, size_t count)
{
    if (count > 0) {
        if (!doors_open(spawner, worker, files, count))
            fail(worker, "open the doors of its network");
    } else if (size == 1) {
        worker->is_ready = true;
    } else if (size == sizeof *said) {
        snprintf(worker->failure, sizeof worker->failure, "%.*s: %s", SANDBOX_STEP_SIZE - 1, said->step,
                 strerror(said->reason));
    } else {
        close_file(&worker->sync); /* takes it off the loop */
    }
}

void spawned_worker_heard(SpawnerProcess *spawner, SpawnedWorker *worker)
{
    while (worker->sync >= 0) {
        SandboxFailure said;
        char room[CMSG_SPACE(sizeof(int) * SANDBOX_DOORS_MAX)];
        struct iovec content = {&said, sizeof said};
        struct msghdr packet = {
            .msg_iov = &content, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
        ssize_t size = recvmsg(worker->sync, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == EAGAIN)
            return;
        int files[SANDBOX_DOORS_MAX];
        struct cmsghdr *part = size < 0 ? NULL : CMSG_FIRSTHDR(&packet);
        size_t count = part == NULL ? 0 : (part->cmsg_len - CMSG_LEN(0)) / sizeof *files;
        if (count > 0)
            memcpy(files, CMSG_DATA(part), count * sizeof *files);
        hear(spawner, worker, &said, size < 0 ? 0 : (size_t)size, files, count);
        for (size_t i = 0; i < count; i++)
            close(files[i]);
    }
    if (worker->failure[0] != '\0')
        spawned_worker_kill(worker);
    else if (worker->is_ready && worker->stage == WORKER_CLONED && worker->ahead != NULL)
        worker->stage = WORKER_AHEAD;
    else if (worker->is_ready && worker->stage == WORKER_CLONED)
        tell_start(spawner, worker);
}

void spawned_worker_ended(SpawnerProcess *spawner, SpawnedWorker *worker, int status)
{
    if (worker->sync >= 0)
        spawned_worker_heard(spawner, worker);
    if (worker->stage != WORKER_STARTED) {
        if (worker->failure[0] == '\0')
            snprintf(worker->failure, sizeof worker->failure, "it ended before it was ready (status %d)", status);
        spawned_worker_give_up(spawner, worker, false);
        return;
    }
    CgroupUse use = {.peak_bytes =
                         worker->peak_bytes > worker->largest_bytes ? worker->peak_bytes : worker->largest_bytes};
    if (worker->group.tree != NULL)
        cgroup_use(&worker->group, &use);
    wire_begin(&spawner->out, WIRE_EXITED, worker->id);
    spawner->out.head.status = status;
    spawner->out.head.out_of_memory = use.out_of_memory || worker->is_out_of_memory;
    spawner->out.head.memory_bytes = use.peak_bytes;
    wire_send(spawner->server, &spawner->out);
    free_worker(worker);
}
