#include "cli/admin_server.h"

#include "base/bug.h"
#include "cli/json_fields.h"
#include "core/breaker.h"

#include <stdlib.h>

enum {
    DOCUMENT_MAX = 16 * 1024,
    CODE_MAX = 70 * 1024 * 1024,    /* of one that holds a package of 50 MB in base64 */
    PAYLOAD_MAX = 40 * 1024 * 1024, /* of one that holds an event, with every byte escaped */
};

struct Admin {
    HttpHandler handler;
    AdminOptions options;
    HttpServer *server;
    AdminBackups backups;
    Task drained;
    bool is_drained;
    Task *stopped;
    char socket_path[];
};

typedef struct Route Route;

/* One request for administration. Lives in its request's arena. */
typedef struct Job {
    StoreCall call;
    Task clock_moved;
    Admin *admin;
    HttpRequest *request;
    const Route *route;
    JsonField *fields;
    Buffer answer;
} Job;

enum { FIELDS_MAX = 7 };

struct Route {
    Slice path;
    Slice fields[FIELDS_MAX]; /* what its document may hold */
    void (*run)(Job *job);
    TxnBody body;                                                         /* for those that run one */
    Error (*list)(Txn *txn, const AdminQuery *query, JsonWriter *writer); /* whose body is `list` */
    void (*after)(Job *job); /* once it is durable, before it is answered; NULL: nothing */
};

/* ---- Answers ---- */

static const HttpHeader json_header[] = {{SLICE_INIT("content-type"), SLICE_INIT("application/json")}};

static void respond(HttpRequest *request, int status, Slice document)
{
    HttpResponse response = {.status = status, .headers = json_header, .header_count = 1, .body = document};
    http_respond(request, &response);
}

void admin_refuse(HttpRequest *request, int status, Slice text)
{
    Buffer out = buffer_make(request->arena);
    JsonWriter writer = json_writer(&out);
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("message"));
    json_write_string(&writer, text);
    json_write_object_end(&writer);
    respond(request, status, buffer_slice(&out));
}

/* What core's codes mean, from ERROR_CORE_FIRST on. */
static const Slice core_texts[] = {
#define ROW(code, text) SLICE_INIT(text),
    CORE_ERRORS(ROW)
#undef ROW
};

void admin_refuse_error(HttpRequest *request, Error error)
{
    size_t core = (size_t)(error - ERROR_CORE_FIRST);
    if (error >= ERROR_CORE_FIRST && core < sizeof core_texts / sizeof core_texts[0])
        admin_refuse(request, 400, core_texts[core]);
    else
        admin_refuse(request, error == ERROR_STOPPING || error == ERROR_BUSY || error == ERROR_FULL ? 503 : 500,
                     slice_of_string(error_text(error)));
}

/* ---- Transactions ---- */

static JsonWriter begin_answer(Job *job, StoreCall *call)
{
    job->answer = buffer_make(call->arena);
    JsonWriter writer = json_writer(&job->answer);
    json_write_object_begin(&writer);
    return writer;
}

static void write_string(JsonWriter *writer, Slice name, Slice value)
{
    json_write_name(writer, name);
    json_write_string(writer, value);
}

static void write_time(JsonWriter *writer, uint64_t created_ms)
{
    json_write_name(writer, SLICE("created_ms"));
    json_write_uint64(writer, created_ms);
}

static Job *job_of(StoreCall *call)
{
    return CONTAINER_OF(call, Job, call);
}

static void transaction_done(StoreCall *call)
{
    Job *job = job_of(call);
    if (call->result != OK) {
        admin_refuse_error(job->request, call->result);
        return;
    }
    if (job->route->after != NULL)
        job->route->after(job);
    respond(job->request, 200, buffer_slice(&job->answer));
}

static void prepare_call(Job *job)
{
    job->call = (StoreCall){
        .body = job->route->body,
        .done = transaction_done,
        .mailbox = loop_mailbox(job->admin->options.loop),
        .arena = job->request->arena,
        .home = account_home(),
    };
}

static void run_write(Job *job)
{
    prepare_call(job);
    store_write(job->admin->options.store, &job->call);
}

static void run_read(Job *job)
{
    prepare_call(job);
    store_read(job->admin->options.store, &job->call);
}

static void write_account(JsonWriter *writer, const Account *account)
{
    write_string(writer, SLICE("id"), account->id);
    write_string(writer, SLICE("name"), account->name);
    write_time(writer, account->created_ms);
}

static Error create_account(Txn *txn, StoreCall *call)
{
    Job *job = job_of(call);
    Account account;
    TRY(account_create(txn, job->fields[0].text, job->fields[1].text, &account));
    JsonWriter writer = begin_answer(job, call);
    write_account(&writer, &account);
    json_write_object_end(&writer);
    return OK;
}

static Error list_accounts(Txn *txn, StoreCall *call)
{
    Job *job = job_of(call);
    Account *accounts = ARENA_ARRAY(txn_arena(txn), Account, ACCOUNT_PAGE);
    size_t count;
    TRY(account_list(txn, job->fields[0].text, accounts, &count));
    JsonWriter writer = begin_answer(job, call);
    json_write_name(&writer, SLICE("accounts"));
    json_write_array_begin(&writer);
    for (size_t i = 0; i < count; i++) {
        json_write_object_begin(&writer);
        write_account(&writer, &accounts[i]);
        json_write_object_end(&writer);
    }
    json_write_array_end(&writer);
    json_write_object_end(&writer);
    return OK;
}

static Slice account_field(const Job *job)
{
    return job->fields[0].text.data == NULL ? ACCOUNT_DEFAULT : job->fields[0].text;
}

static Error create_key(Txn *txn, StoreCall *call)
{
    Job *job = job_of(call);
    AccessKey key;
    TRY(access_key_create(txn, account_field(job), &key));
    JsonWriter writer = begin_answer(job, call);
    write_string(&writer, SLICE("id"), key.id);
    write_string(&writer, SLICE("secret"), key.secret);
    write_string(&writer, SLICE("account"), key.account);
    write_time(&writer, key.created_ms);
    json_write_object_end(&writer);
    return OK;
}

static Error list_keys(Txn *txn, StoreCall *call)
{
    Job *job = job_of(call);
    AccessKey *keys = ARENA_ARRAY(txn_arena(txn), AccessKey, ACCOUNT_KEYS_MAX);
    size_t count;
    TRY(access_key_list(txn, account_field(job), keys, &count));
    JsonWriter writer = begin_answer(job, call);
    json_write_name(&writer, SLICE("keys"));
    json_write_array_begin(&writer);
    for (size_t i = 0; i < count; i++) {
        json_write_object_begin(&writer);
        write_string(&writer, SLICE("id"), keys[i].id);
        write_time(&writer, keys[i].created_ms);
        json_write_object_end(&writer);
    }
    json_write_array_end(&writer);
    json_write_object_end(&writer);
    return OK;
}

static Error revoke_key(Txn *txn, StoreCall *call)
{
    Job *job = job_of(call);
    Slice id = job->fields[0].text;
    TRY(access_key_revoke(txn, id.data == NULL ? SLICE("") : id));
    JsonWriter writer = begin_answer(job, call);
    json_write_object_end(&writer);
    return OK;
}

/* Nothing derived from the old keys may outlive the answer. */
static void keys_changed(Job *job)
{
    atomic_fetch_add(&job->admin->options.generation->number, 1);
}

/* ---- Limits of an account ---- */

/* What a change of a limit asks for; `value` is a number, or "default". */
typedef struct LimitChange {
    Slice account;
    LimitName limit;
    uint64_t value;
    bool is_default;
} LimitChange;

static Error read_limit_change(const Job *job, LimitChange *change)
{
    change->account = account_field(job);
    TRY(account_limit_find(job->fields[1].text, &change->limit));
    change->is_default = slice_equal(job->fields[2].text, SLICE("default"));
    change->value = job->admin->options.limits->value[change->limit];
    if (!change->is_default && !slice_parse_uint64(job->fields[2].text, &change->value))
        return LIMIT_VALUE_INVALID;
    return OK;
}

static Error change_limit(Txn *txn, StoreCall *call)
{
    Job *job = job_of(call);
    LimitChange change;
    TRY(read_limit_change(job, &change));
    if (change.is_default)
        TRY(account_limit_delete(txn, change.account, change.limit));
    else
        TRY(account_limit_put(txn, change.account, change.limit, change.value));
    JsonWriter writer = begin_answer(job, call);
    json_write_object_end(&writer);
    return OK;
}

static void limit_changed(Job *job)
{
    LimitChange change;
    ASSERT(read_limit_change(job, &change) == OK);
    account_limits_set(job->admin->options.account_limits, change.account, change.limit, change.value);
}

/* Those of the account that are not the default. */
static void list_limits(Job *job)
{
    const Limits *limits = account_limits_of(job->admin->options.account_limits, account_field(job));
    job->answer = buffer_make(job->request->arena);
    JsonWriter writer = json_writer(&job->answer);
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("limits"));
    json_write_array_begin(&writer);
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        if (limits->value[i] == job->admin->options.limits->value[i])
            continue;
        json_write_object_begin(&writer);
        write_string(&writer, SLICE("name"), slice_of_string(limit_rows[i].name));
        json_write_name(&writer, SLICE("value"));
        json_write_uint64(&writer, limits->value[i]);
        json_write_object_end(&writer);
    }
    json_write_array_end(&writer);
    json_write_object_end(&writer);
    respond(job->request, 200, buffer_slice(&job->answer));
}

/* ---- Lists, breakers, functions and logs ---- */

static Error list(Txn *txn, StoreCall *call)
{
    Job *job = job_of(call);
    const AdminQuery query = {
        .account = account_field(job),
        .region = job->fields[1].text,
        .after_region = job->fields[2].text,
        .after = job->fields[3].text,
        .invoker = job->admin->options.invoker,
    };
    job->answer = buffer_make(call->arena);
    JsonWriter writer = json_writer(&job->answer);
    return job->route->list(txn, &query, &writer);
}

/* What is changed is the breaker's, not the accounts'. */
static void run_breaker_write(Job *job)
{
    prepare_call(job);
    job->call.home = breaker_home(account_field(job), job->fields[1].text, job->fields[2].text);
    store_write(job->admin->options.store, &job->call);
}

static Error reset_breaker(Txn *txn, StoreCall *call)
{
    Job *job = job_of(call);
    job->answer = buffer_make(call->arena);
    JsonWriter writer = json_writer(&job->answer);
    return admin_reset_breaker(txn, account_field(job), job->fields[1].text, job->fields[2].text, &writer);
}

static void run_invoke(Job *job)
{
    const AdminInvoke invoke = {
        .account = account_field(job),
        .region = job->fields[1].text,
        .name = job->fields[2].text,
        .qualifier = job->fields[3].text,
        .payload = job->fields[4].text,
        .client_context = job->fields[5].text,
        .is_event = job->fields[6].text.data != NULL,
    };
    admin_invoke(&job->admin->options, job->request, &invoke);
}

static void run_code(Job *job)
{
    const AdminCode code = {
        .account = account_field(job),
        .region = job->fields[1].text,
        .name = job->fields[2].text,
        .zip = job->fields[3].text,
    };
    admin_code(&job->admin->options, job->request, &code);
}

static void run_read_logs(Job *job)
{
    const AdminLogs wanted = {
        .account = account_field(job),
        .region = job->fields[1].text,
        .name = job->fields[2].text,
        .stream = job->fields[3].text,
        .filter = job->fields[4].text,
        .cursor = job->fields[5].text,
    };
    admin_read_logs(&job->admin->options, job->request, &wanted);
}

/* ---- The clock ---- */

static void respond_with_time(Job *job)
{
    Slice now = arena_format(job->request->arena, "{\"now_ms\":%llu}",
                             (unsigned long long)store_now(job->admin->options.store));
    respond(job->request, 200, now);
}

static void clock_moved(Task *task)
{
    respond_with_time(CONTAINER_OF(task, Job, clock_moved));
}

static void move_clock(Job *job, uint64_t target_ms)
{
    const AdminOptions *options = &job->admin->options;
    job->clock_moved.run = clock_moved;
    Error error = store_clock_set(options->store, target_ms, &job->clock_moved, loop_mailbox(options->loop));
    if (error == ERROR_DENIED)
        admin_refuse(job->request, 409,
                     target_ms < store_now(options->store)
                         ? SLICE("the clock only goes forward: see `brume clock now`")
                         : SLICE("this server's clock cannot be moved: start it with --virtual-clock"));
    else if (error != OK)
        admin_refuse_error(job->request, error);
}

static void set_clock(Job *job)
{
    uint64_t target_ms;
    if (slice_parse_uint64(job->fields[0].text, &target_ms))
        move_clock(job, target_ms);
    else
        admin_refuse(job->request, 400, SLICE("target_ms must be milliseconds since 1970"));
}

static void advance_clock(Job *job)
{
    uint64_t by_ms;
    uint64_t target_ms;
    if (slice_parse_uint64(job->fields[0].text, &by_ms) &&
        !__builtin_add_overflow(store_now(job->admin->options.store), by_ms, &target_ms))
        move_clock(job, target_ms);
    else
        admin_refuse(job->request, 400, SLICE("by_ms must be a number of milliseconds"));
}

/* ---- Stopping ---- */

static void post_when_stopped(Admin *admin)
{
    if (admin->stopped == NULL || !admin->is_drained || admin->backups.count > 0)
        return;
    TaskChain chain = {0};
    task_chain_push(&chain, admin->stopped);
    admin->stopped = NULL;
    Mailbox *mailbox = loop_mailbox(admin->options.loop);
    mailbox->post(mailbox, chain);
}

static void backup_ended(void *user)
{
    post_when_stopped(user);
}

static void run_backup(Job *job)
{
    admin_backup_start(&job->admin->backups, &job->admin->options, job->request, backup_ended, job->admin);
}

static void drained(Task *task)
{
    Admin *admin = CONTAINER_OF(task, Admin, drained);
    admin->is_drained = true;
    post_when_stopped(admin);
}

void admin_stop(Admin *admin, Task *stopped)
{
    admin->stopped = stopped;
    admin->drained.run = drained;
    admin_backups_stop(&admin->backups);
    http_server_drain(admin->server, &admin->drained, loop_mailbox(admin->options.loop));
}

/* ---- Routes ---- */

#define LIST_FIELDS                                                                                                    \
    {                                                                                                                  \
        SLICE_INIT("account"), SLICE_INIT("region"), SLICE_INIT("after_region"), SLICE_INIT("after")                   \
    }

static const Route routes[] = {
    {.path = SLICE_INIT("/account/create"),
     .fields = {SLICE_INIT("id"), SLICE_INIT("name")},
     .run = run_write,
     .body = create_account},
    {.path = SLICE_INIT("/account/list"), .fields = {SLICE_INIT("after")}, .run = run_read, .body = list_accounts},
    {.path = SLICE_INIT("/account/limit"),
     .fields = {SLICE_INIT("id"), SLICE_INIT("name"), SLICE_INIT("value")},
     .run = run_write,
     .body = change_limit,
     .after = limit_changed},
    {.path = SLICE_INIT("/account/limits"), .fields = {SLICE_INIT("id")}, .run = list_limits},
    {.path = SLICE_INIT("/key/create"),
     .fields = {SLICE_INIT("account")},
     .run = run_write,
     .body = create_key,
     .after = keys_changed},
    {.path = SLICE_INIT("/key/list"), .fields = {SLICE_INIT("account")}, .run = run_read, .body = list_keys},
    {.path = SLICE_INIT("/key/revoke"),
     .fields = {SLICE_INIT("id")},
     .run = run_write,
     .body = revoke_key,
     .after = keys_changed},
    {.path = SLICE_INIT("/queue/list"),
     .fields = LIST_FIELDS,
     .run = run_read,
     .body = list,
     .list = admin_write_queues},
    {.path = SLICE_INIT("/breaker/list"),
     .fields = LIST_FIELDS,
     .run = run_read,
     .body = list,
     .list = admin_write_breakers},
    {.path = SLICE_INIT("/mapping/list"),
     .fields = LIST_FIELDS,
     .run = run_read,
     .body = list,
     .list = admin_write_mappings},
    {.path = SLICE_INIT("/function/list"),
     .fields = LIST_FIELDS,
     .run = run_read,
     .body = list,
     .list = admin_write_functions},
    {.path = SLICE_INIT("/breaker/reset"),
     .fields = {SLICE_INIT("account"), SLICE_INIT("region"), SLICE_INIT("name")},
     .run = run_breaker_write,
     .body = reset_breaker},
    {.path = SLICE_INIT("/function/invoke"),
     .fields = {SLICE_INIT("account"), SLICE_INIT("region"), SLICE_INIT("name"), SLICE_INIT("qualifier"),
                SLICE_INIT("payload"), SLICE_INIT("client_context"), SLICE_INIT("event")},
     .run = run_invoke},
    {.path = SLICE_INIT("/function/code"),
     .fields = {SLICE_INIT("account"), SLICE_INIT("region"), SLICE_INIT("name"), SLICE_INIT("zip")},
     .run = run_code},
    {.path = SLICE_INIT("/log/read"),
     .fields = {SLICE_INIT("account"), SLICE_INIT("region"), SLICE_INIT("name"), SLICE_INIT("stream"),
                SLICE_INIT("filter"), SLICE_INIT("cursor")},
     .run = run_read_logs},
    {.path = SLICE_INIT("/clock/now"), .run = respond_with_time},
    {.path = SLICE_INIT("/clock/set"), .fields = {SLICE_INIT("target_ms")}, .run = set_clock},
    {.path = SLICE_INIT("/clock/advance"), .fields = {SLICE_INIT("by_ms")}, .run = advance_clock},
    {.path = SLICE_INIT("/backup"), .run = run_backup},
};

static const Route *find_route(Slice path)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (slice_equal(routes[i].path, path))
            return &routes[i];
    return NULL;
}

static void have_document(HttpRequest *request, Error error, Slice body)
{
    Job *job = request->user;
    if (error != OK) {
        admin_refuse(request, error == ERROR_TOO_LARGE ? 413 : 400, slice_of_string(error_text(error)));
        return;
    }
    job->fields = ARENA_ARRAY(request->arena, JsonField, FIELDS_MAX);
    size_t count = 0;
    while (count < FIELDS_MAX && job->route->fields[count].data != NULL) {
        job->fields[count].name = job->route->fields[count];
        count++;
    }
    if (json_read_document(body, request->arena, job->fields, count) != OK) {
        admin_refuse(request, 400, SLICE("the request must be one flat JSON object"));
        return;
    }
    if (job->route->run != run_read_logs) /* who follows asks again and again */
        LOG(job->admin->options.log, INFO, "administration", log_text("path", job->route->path));
    job->route->run(job);
}

static void on_request(HttpHandler *handler, HttpRequest *request)
{
    Admin *admin = CONTAINER_OF(handler, Admin, handler);
    const Route *route = find_route(request->path);
    if (route == NULL || !slice_equal(request->method, SLICE("POST"))) {
        admin_refuse(request, 404, SLICE("this server does not know that command: is it of another version?"));
        return;
    }
    Job *job = ARENA_NEW(request->arena, Job);
    job->admin = admin;
    job->request = request;
    job->route = route;
    request->user = job;
    size_t most = route->run == run_invoke ? PAYLOAD_MAX : route->run == run_code ? CODE_MAX : DOCUMENT_MAX;
    http_request_read_body(request, most, have_document);
}

/* ---- Life ---- */

Error admin_open(const AdminOptions *options, Arena *arena, Admin **opened)
{
    size_t path_size = strlen(options->socket_path) + 1;
    Admin *admin = calloc(1, sizeof *admin + path_size);
    ASSERT(admin != NULL);
    memcpy(admin->socket_path, options->socket_path, path_size);
    admin->options = *options;
    admin->options.socket_path = admin->socket_path;
    admin->handler.on_request = on_request;
    list_init(&admin->backups.running);

    HttpServerOptions server = {
        .loops = &admin->options.loop,
        .loop_count = 1,
        .handler = &admin->handler,
        .limits = options->limits,
    };
    Slice bound;
    Os *os = loop_os(options->loop);
    Error error = os_remove_file(os, options->socket_path);
    if (error == OK || error == ERROR_NOT_FOUND)
        error = http_server_open(&server, &admin->server);
    if (error == OK) {
        error =
            http_server_listen(admin->server, arena_format(arena, "unix:%s", options->socket_path).data, arena, &bound);
        if (error != OK)
            http_server_close(admin->server);
    }
    if (error != OK) {
        free(admin);
        return error;
    }
    *opened = admin;
    return OK;
}

void admin_close(Admin *admin)
{
    http_server_close(admin->server);
    os_remove_file(loop_os(admin->options.loop), admin->socket_path);
    free(admin);
}
