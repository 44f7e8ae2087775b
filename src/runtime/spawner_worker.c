#include "runtime/spawner_process.h"

#include "base/bug.h"
#include "runtime/channel.h"
#include "runtime/environment.h"
#include "runtime/sandbox_calls.h"
#include "runtime/sandbox_root.h"
#include "runtime/spawner_ends.h"
#include "runtime/spawner_order.h"
#include "runtime/spawner_said.h"

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
        .has_groups = spawner->cgroups.version != 0,
        .is_template = order->head->is_template,
    };
    memcpy(plan->doors, order->doors, sizeof plan->doors);
    /* As AWS names its machines: by an address of their link. */
    snprintf(plan->host_name, sizeof plan->host_name, "169-254-%u-%u", (unsigned)(serial >> 8 & 255),
             (unsigned)(serial & 255));
}

/* ---- What it is made of ---- */

static void take_ends(SpawnedWorker *worker, const Ends *ends)
{
    worker->sync = ends->sync;
    worker->orders = ends->orders;
    worker->events = ends->events;
    worker->answers = ends->answers;
    worker->output = ends->output;
    worker->errors = ends->errors;
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
    /* A worker enters before it becomes its user, a copy when it has long been one. */
    uid_t user = geteuid();
    gid_t group;
    if (worker->template_ != 0)
        spawner_process_user(spawner, worker->slot, &user, &group);
    if (!cgroup_open_entries(&worker->group, user, inside->groups))
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

enum { COMMAND_WORDS = 4 };

/* Lambda developer guide, "Modifying the runtime environment": the wrapper is given the runtime's command line. */
static void make_command(const Order *order, const char *program, const char *arguments[COMMAND_WORDS])
{
    size_t count = 0;
    const char *wrapper = wrapper_of(order);
    if (wrapper != NULL && order->head->runtime_kind != RUNTIME_CUSTOM)
        arguments[count++] = wrapper;
    arguments[count++] = program;
    if (order->head->runtime_kind == RUNTIME_NODEJS)
        arguments[count++] = "/var/brume/nodejs/bootstrap.mjs";
    else if (order->head->runtime_kind == RUNTIME_PYTHON)
        arguments[count++] = "/var/brume/python/bootstrap.py";
    arguments[count] = NULL;
}

static void execute(const Order *order, const char *program)
{
    const char *arguments[COMMAND_WORDS];
    make_command(order, program, arguments);
    if (chdir("/var/task") != 0)
        return;
    char **environment = access(TRUST_PATH, R_OK) == 0 ? trusting_environment : plain_environment;
    if (order->head->environment_count > 0)
        environment = (char **)(uintptr_t)order->environment;
    execve(arguments[0], (char **)(uintptr_t)arguments, environment);
}

/* The Runtime API is served by this process. */
__attribute__((noreturn)) static void serve(const SpawnerProcess *spawner, char *const *command)
{
    close(SANDBOX_SYNC_FILE);
    clearenv();
    _exit(spawner->options->api_main(CHANNEL_EVENTS_FILE, CHANNEL_ANSWERS_FILE, command));
}

/* The child: nothing of the spawner's may be used but what was made for it. */
__attribute__((noreturn)) static void be_worker(const SpawnerProcess *spawner, const Order *order,
                                                const OrderProgram *program, const SandboxPlan *plan,
                                                const SandboxFiles *files)
{
    sandbox_enter(plan, files);
    const char ready = ZYGOTE_READY;
    const char *command[COMMAND_WORDS];
    bool is_custom = order->head->runtime_kind == RUNTIME_CUSTOM;
    bool has_shim =
        spawner->options->api_main != NULL && (is_custom ? *order->program == '\0' : order->head->has_extensions);
    /* Of what has a shim that is the first process. */
    if (is_custom || has_shim)
        (void)!send(SANDBOX_SYNC_FILE, &ready, 1, MSG_NOSIGNAL);
    else
        sandbox_leave_first(SANDBOX_SYNC_FILE, true);
    if (has_shim && !is_custom)
        make_command(order, program->inside, command);
    if (has_shim)
        serve(spawner, is_custom ? NULL : (char *const *)(uintptr_t)command);
    execute(order, !is_custom ? program->inside : *order->program == '\0' ? "/var/task/bootstrap" : order->program);
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

/* The process of the function's, whose parent is the first of its namespace. */
static pid_t second_of(pid_t first)
{
    char path[64];
    pid_t second = 0;
    snprintf(path, sizeof path, "/proc/%lld/task/%lld/children", (long long)first, (long long)first);
    FILE *children = fopen(path, "re");
    bool found = children != NULL && fscanf(children, "%d", &second) == 1;
    if (children != NULL)
        fclose(children);
    return found ? second : first;
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
    const char *failed = ends_open(spawner, order, &program, ends);
    worker->door_count = order->head->isolated_network ? order->door_count : 0;
    memcpy(worker->doors, order->doors, sizeof worker->doors);
    worker->is_template = order->head->is_template;
    worker->has_second = order->head->runtime_kind != RUNTIME_CUSTOM && !worker->is_template;
    worker->memory_bytes = order->head->memory_bytes;
    take_ends(worker, ends);
    if (failed != NULL || (failed = make_group(spawner, order, worker, &ends->inside)) != NULL)
        return failed;
    if (!spawner_process_watch(spawner, worker->sync, &worker->watched))
        return "watch it";
    if (order->head->runtime_kind == RUNTIME_PYTHON && order->head->environment_count == 0)
        return start_fork(spawner, order, &plan, ends, worker);
    return start_program(spawner, order, &program, &plan, ends, worker);
}

/* ---- Its life ---- */

/* A process that has just been cloned may have a copy of the file, which would stay on the loop with it. */
static void close_sync(const SpawnerProcess *spawner, SpawnedWorker *worker)
{
    spawner_process_unwatch(spawner, worker->sync);
    ends_close_file(&worker->sync);
}

static void free_worker(SpawnerProcess *spawner, SpawnedWorker *worker)
{
    list_remove(&worker->node);
    if (list_is_linked(&worker->at_zygote))
        list_remove(&worker->at_zygote);
    ahead_forget(worker);
    ends_close_file(&worker->process_file);
    close_sync(spawner, worker);
    ends_close_file(&worker->events);
    ends_close_file(&worker->answers);
    ends_close_file(&worker->output);
    ends_close_file(&worker->errors);
    ends_close_file(&worker->peak);
    ends_close_file(&worker->doors_life);
    ends_close_file(&worker->orders);
    free(worker->plan);
    cgroup_remove(&worker->group);
    free(worker);
}

static void tell_start(SpawnerProcess *spawner, SpawnedWorker *worker)
{
    WireMessage *out = &spawner->out;
    wire_begin(out, WIRE_STARTED, worker->id);
    wire_add_file(out, worker->events);
    wire_add_file(out, worker->answers);
    wire_add_file(out, worker->output);
    wire_add_file(out, worker->errors);
    wire_add_file(out, worker->process_file);
    out->head.has_peak_file = worker->peak >= 0;
    if (worker->peak >= 0)
        wire_add_file(out, worker->peak);
    wire_send(spawner->server, out);
    worker->stage = WORKER_STARTED;
    memory_watch(spawner, worker);
    ends_close_file(&worker->events);
    ends_close_file(&worker->answers);
    ends_close_file(&worker->output);
    ends_close_file(&worker->errors);
    ends_close_file(&worker->peak);
}

void spawned_worker_kill(SpawnedWorker *worker)
{
    worker->is_killed = true;
    if (worker->first > 0)
        kill(worker->first, SIGKILL);
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
    worker->process_file = worker->sync = worker->events = worker->answers = worker->output = worker->errors =
        worker->peak = worker->doors_life = worker->orders = -1;
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
    free_worker(spawner, worker);
}

SpawnedWorker *spawned_worker_make(SpawnerProcess *spawner, const Order *order, uint64_t id, Ahead *ahead)
{
    Ends ends;
    ends_none(&ends);
    SpawnedWorker *worker = new_worker(spawner, id);
    if (ahead != NULL) {
        worker->ahead = ahead;
        list_push_back(&ahead->workers, &worker->at_ahead);
        ahead->count++;
    }
    const char *failed = start(spawner, order, &ends, worker);
    if (failed != NULL && worker->failure[0] == '\0')
        fail(worker, failed);
    ends_close_inside(&ends);
    if (worker->failure[0] == '\0' || worker->process > 0)
        return worker;
    spawned_worker_give_up(spawner, worker, false);
    return NULL;
}

/* Of a worker that waits ahead: from a process that has entered its namespaces, and has powers there. By its second process,
 * if there is one: the first one's are shown to nobody without power over the spawner's own user namespace. */
__attribute__((noreturn)) static void furnish_worker(const SpawnedWorker *worker, const SandboxPlan *plan,
                                                     const SandboxFiles *files)
{
    int process = worker->has_second ? call_open_process(second_of(worker->process)) : worker->process_file;
    if (process < 0 || setns(process, CLONE_NEWUSER | CLONE_NEWNS) != 0)
        sandbox_fail(files->sync, "enter its namespaces");
    const char *failed;
    if ((failed = sandbox_mount_code(plan, files)) != NULL || (failed = sandbox_resize_tmp(plan)) != NULL)
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
    ends_close_file(&ends->inside.sync);
    int status;
    while (waitpid(helper, &status, 0) < 0 && errno == EINTR)
        continue;
    if (recv(ends->sync, &failure, sizeof failure, 0) == sizeof failure) {
        errno = failure.reason;
        return failure.step;
    }
    errno = ECHILD;
    return status == 0 ? NULL : "furnish it";
}

void spawned_worker_assign(SpawnerProcess *spawner, SpawnedWorker *worker, const Order *order, uint64_t id)
{
    SandboxPlan plan;
    Ends ends;
    ends_none(&ends);
    ahead_forget(worker);
    worker->id = id;
    worker->memory_bytes = order->head->memory_bytes;
    make_plan(spawner, order, worker->serial, &plan);
    const char *failed = ends_open_code(order, &ends.inside);
    if (failed == NULL && !ends_make_pair(SOCK_SEQPACKET, &ends.sync, &ends.inside.sync))
        failed = "open a socket";
    if (failed == NULL && !limit_group(order, worker))
        failed = "limit its control group";
    if (failed == NULL)
        failed = furnish(worker, &plan, &ends);
    if (failed != NULL)
        fail(worker, failed);
    ends_close_inside(&ends);
    ends_close_file(&ends.sync);
    if (failed == NULL) {
        tell_start(spawner, worker);
    } else {
        worker->stage = WORKER_CLONED; /* told of when it has been waited for */
        spawned_worker_kill(worker);
    }
}

/* ---- Copies ---- */

enum { COPY_MS = 10 * 1000 };

static const char *ask_template(SpawnerProcess *spawner, const Order *order, const SpawnedWorker *template, Ends *ends,
                                SpawnedWorker *worker)
{
    const int on = 1;
    const char *failed = ends_open_channel(spawner, ends);
    take_ends(worker, ends);
    if (failed != NULL || (failed = make_group(spawner, order, worker, &ends->inside)) != NULL)
        return failed;
    /* The kernel says who speaks. */
    if (setsockopt(worker->sync, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0)
        return "set SO_PASSCRED";
    if (!spawner_process_watch(spawner, worker->sync, &worker->watched))
        return "watch it";
    return zygote_send_order(template->orders, worker->serial, worker->plan, &ends->inside, MSG_DONTWAIT)
               ? NULL
               : "ask the initialised process";
}

static void begin_copy(SpawnerProcess *spawner, const Order *order, uint64_t id)
{
    Ends ends;
    struct timespec now;
    SpawnedWorker *template = spawner_process_find(spawner, order->head->snapshot_of);
    if (template == NULL || template->orders < 0 || template->is_killed) {
        bool is_plain = template != NULL && template->orders < 0;
        tell_failure(spawner, id,
                     is_plain ? "only what is started to be copied can be" : "the initialised process has ended",
                     false);
        return;
    }
    ends_none(&ends);
    SpawnedWorker *worker = new_worker(spawner, id);
    worker->template_ = order->head->snapshot_of;
    worker->has_second = true;
    worker->slot = template->slot; /* a copy stays the user that it was */
    clock_gettime(CLOCK_MONOTONIC, &now);
    worker->copied_by_ms = (uint64_t)now.tv_sec * 1000 + COPY_MS;
    worker->memory_bytes = order->head->memory_bytes;
    worker->door_count = template->door_count;
    memcpy(worker->doors, template->doors, sizeof worker->doors);
    worker->plan = malloc(sizeof *worker->plan);
    ASSERT(worker->plan != NULL);
    make_plan(spawner, order, worker->serial, worker->plan);
    const char *failed = ask_template(spawner, order, template, &ends, worker);
    if (failed != NULL)
        fail(worker, failed);
    ends_close_inside(&ends);
    if (failed != NULL)
        spawned_worker_give_up(spawner, worker, false);
}

__attribute__((noreturn)) static void furnish_copy_inside(const SpawnedWorker *worker, int sync)
{
    int network = worker->plan->isolated_network ? CLONE_NEWNET : 0;
    if (setns(worker->process_file, CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | network) != 0)
        sandbox_fail(sync, "enter its namespaces");
    /* Only a child is in the other process namespace, and mounts the /proc of that one. */
    pid_t child = call_clone(0, SIGCHLD);
    if (child < 0)
        sandbox_fail(sync, "clone a helper");
    if (child > 0) {
        int status = -1;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            continue;
        _exit(status != 0);
    }
    const char *failed = sandbox_furnish_copy(worker->plan, sync);
    if (failed != NULL)
        sandbox_fail(sync, failed);
    _exit(0);
}

/* The helper's words: the listeners of its network, or what has failed. */
static const char *furnish_copy(SpawnerProcess *spawner, SpawnedWorker *worker)
{
    static Said said;
    int inside;
    int sync;
    const char *failed = NULL;
    if (!ends_make_pair(SOCK_SEQPACKET, &sync, &inside))
        return "open a socket";
    pid_t helper = call_clone(0, SIGCHLD);
    if (helper == 0)
        furnish_copy_inside(worker, inside);
    close(inside);
    int status = 0;
    while (helper > 0 && waitpid(helper, &status, 0) < 0 && errno == EINTR)
        continue;
    if (helper < 0)
        failed = "clone a helper";
    while (failed == NULL && said_receive(sync, &said) && said.size > 0) {
        if (said.file_count > 0 && !doors_open(spawner, worker, said.files, said.file_count))
            failed = "open the doors of its network";
        said_close(&said);
        if (said.size == sizeof said.failure) {
            failed = said.failure.step;
            errno = said.failure.reason;
        }
    }
    if (failed == NULL && status != 0) {
        errno = ECHILD;
        failed = "furnish a copy";
    }
    int reason = errno;
    close(sync);
    errno = reason;
    return failed;
}

/* Whether a process is a child that nobody knows: nothing else can be a copy. */
static bool is_new_child(const SpawnerProcess *spawner, pid_t process)
{
    siginfo_t information;
    bool is_known = process <= 0 || process == spawner->relay;
    LIST_FOR_EACH(&spawner->zygotes, node)
    is_known |= CONTAINER_OF(node, Zygote, node)->process == process;
    LIST_FOR_EACH(&spawner->workers, node)
    {
        const SpawnedWorker *worker = CONTAINER_OF(node, SpawnedWorker, node);
        is_known |= worker->process == process || worker->first == process;
    }
    return !is_known && waitid(P_PID, (id_t)process, &information, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static void adopt_copy(SpawnerProcess *spawner, SpawnedWorker *worker, pid_t process)
{
    const char mapped = SANDBOX_MAPPED;
    if (worker->template_ == 0 || worker->process != 0 || !is_new_child(spawner, process)) {
        snprintf(worker->failure, sizeof worker->failure, "the initialised process has not made a copy");
        return;
    }
    worker->process = process;
    const char *failed = NULL;
    if ((worker->process_file = call_open_process(process)) < 0)
        failed = "open its process";
    else
        failed = furnish_copy(spawner, worker);
    if (failed != NULL) {
        fail(worker, failed);
        return;
    }
    if (worker->group.tree == NULL)
        worker->peak = open_status(process);
    (void)!send(worker->sync, &mapped, 1, MSG_NOSIGNAL);
}

/* ---- Templates ---- */

/* What made it goes; its own process takes that one's place. */
static void become_template(SpawnedWorker *worker, const SandboxTemplate *told)
{
    if (!worker->is_template || worker->first != 0)
        return;
    ends_close_file(&worker->process_file);
    worker->first = told->first;
    worker->process = told->template;
    worker->process_file = call_open_process(worker->process);
    if (worker->group.tree == NULL) {
        ends_close_file(&worker->peak);
        worker->peak = open_status(worker->process);
    }
    if (worker->process_file < 0)
        fail(worker, "open its process");
}

static bool can_be_copied(const SpawnerProcess *spawner, const Order *order, const char **why)
{
    if (order->head->has_extensions)
        *why = "a function with extensions cannot be copied";
    else if (order->head->runtime_kind != RUNTIME_PYTHON)
        *why = "only processes of Python can be copied";
    else if (order->head->environment_count > 0)
        *why = "a program that AWS_LAMBDA_EXEC_WRAPPER or the like starts cannot be copied";
    else if (spawner->filter < 0)
        *why = "without seccomp no process is copied";
    else
        return true;
    return false;
}

void spawned_worker_begin(SpawnerProcess *spawner)
{
    const char *why;
    static Order order; /* large, and used until the clone alone */
    char failure[sizeof((SpawnedWorker *)0)->failure];
    uint64_t id = spawner->in.head.worker;
    SpawnedWorker *worker;
    if (!order_read(&spawner->in, &order, failure, sizeof failure))
        tell_failure(spawner, id, failure, false);
    else if (order.head->snapshot_of != 0)
        begin_copy(spawner, &order, id);
    else if (order.head->is_template && !can_be_copied(spawner, &order, &why))
        tell_failure(spawner, id, why, false);
    else if ((worker = ahead_take(spawner, &order)) != NULL)
        spawned_worker_assign(spawner, worker, &order, id);
    else
        spawned_worker_make(spawner, &order, id, NULL);
    /* Workers are forks: the next one must not find this one's environment in its memory. */
    explicit_bzero(spawner->in.strings, spawner->in.size);
}

static void take_ready(SpawnedWorker *worker)
{
    worker->is_ready = worker->process != 0;
    if (!worker->is_ready || !worker->has_second || worker->group.tree != NULL)
        return;
    ends_close_file(&worker->peak);
    worker->peak = open_status(second_of(worker->process));
}

/* What a worker says while it puts up its walls: it listens at its doors; a step has failed; or it is ready. */
static void hear(SpawnerProcess *spawner, SpawnedWorker *worker, const Said *said)
{
    if (said->size == sizeof said->end) {
        worker->has_end = worker->has_second;
        worker->status = said->end.status;
        close_sync(spawner, worker);
    } else if (worker->stage != WORKER_CLONED) {
        /* The function's code can make the first process say what it likes: no more is listened to. */
        close_sync(spawner, worker);
    } else if (said->file_count > 0) {
        /* A copy's are the helper's to open. */
        if (worker->template_ != 0 || worker->doors_life >= 0 ||
            !doors_open(spawner, worker, said->files, said->file_count))
            fail(worker, "open the doors of its network");
    } else if (said->size == 1 && said->word == SANDBOX_COPIED) {
        adopt_copy(spawner, worker, said->from);
    } else if (said->size == 1) {
        take_ready(worker);
    } else if (said->size == sizeof said->template) {
        become_template(worker, &said->template);
    } else if (said->size == sizeof said->failure) {
        snprintf(worker->failure, sizeof worker->failure, "%.*s: %s", SANDBOX_STEP_SIZE - 1, said->failure.step,
                 strerror(said->failure.reason));
    } else {
        close_sync(spawner, worker);
    }
}

/* A process that is the only one executes its program after its word, and `sync` is closed by that; or it fails. */
static bool has_begun(const SpawnedWorker *worker)
{
    return worker->stage == WORKER_CLONED && worker->is_ready && (worker->has_second || worker->sync < 0);
}

static void hear_all(SpawnerProcess *spawner, SpawnedWorker *worker)
{
    static Said said;
    while (worker->sync >= 0 && worker->failure[0] == '\0') {
        if (!said_receive(worker->sync, &said))
            break;
        hear(spawner, worker, &said);
        said_close(&said);
    }
    if (worker->failure[0] != '\0') {
        close_sync(spawner, worker);
        spawned_worker_kill(worker);
    } else if (has_begun(worker) && worker->ahead != NULL) {
        worker->stage = WORKER_AHEAD;
    } else if (has_begun(worker)) {
        tell_start(spawner, worker);
    }
}

void spawned_worker_heard(SpawnerProcess *spawner, SpawnedWorker *worker)
{
    hear_all(spawner, worker);
    if (worker->template_ == 0 || worker->process != 0 || worker->sync >= 0)
        return;
    if (worker->failure[0] == '\0')
        snprintf(worker->failure, sizeof worker->failure, "the initialised process has not made a copy");
    spawned_worker_give_up(spawner, worker, false);
}

bool spawned_worker_is_over(SpawnerProcess *spawner, SpawnedWorker *worker, pid_t process, int *status)
{
    if (!worker->is_template)
        return true;
    if (process == worker->process && worker->first == 0 && worker->sync >= 0) {
        hear_all(spawner, worker);
        if (process != worker->process)
            return false;
    }
    if (process == worker->process && worker->first != 0) {
        worker->status = *status;
        worker->process = 0;
        spawned_worker_kill(worker);
        return false;
    }
    if (process == worker->first) {
        worker->first = 0;
        *status = worker->status;
        return worker->process == 0; /* or it is ending, too */
    }
    return true;
}

void spawned_worker_ended(SpawnerProcess *spawner, SpawnedWorker *worker, int status)
{
    if (worker->sync >= 0)
        hear_all(spawner, worker);
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
    spawner->out.head.status = worker->has_end ? worker->status : status;
    spawner->out.head.out_of_memory = use.out_of_memory || worker->is_out_of_memory;
    spawner->out.head.memory_bytes = use.peak_bytes;
    wire_send(spawner->server, &spawner->out);
    free_worker(spawner, worker);
}
