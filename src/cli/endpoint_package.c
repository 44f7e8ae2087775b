/* endpoint_package.c: the zip of a package, for whom GetFunction has told where it is.
 *
 *     /_brume/functions/ACCOUNT/DIGEST?expires=MS&proof=HEX
 *
 * Workers of the pool read the file, a piece at a time; a client that is slow holds no worker. */
#include "base/list.h"
#include "cli/server.h"
#include "os/os_folder.h"

enum { PIECE_SIZE = 256 * 1024 };

typedef struct Download {
    Task task;
    HttpRequest *request;
    WorkPool *pool;
    const char *path;
    int file; /* -1: not opened yet */
    uint64_t size;
    bool failed;
    bool working; /* a worker has it */
    bool whole;   /* the last piece has been read */
    size_t piece_size;
    char piece[PIECE_SIZE];
} Download;

static void refuse(HttpRequest *request, int status, Slice message)
{
    HttpHeader headers[] = {{SLICE("content-type"), SLICE("application/json")},
                            {SLICE("cache-control"), SLICE("no-store")}};
    HttpResponse response = {.status = status, .headers = headers, .header_count = 2, .body = message};
    http_respond(request, &response);
}

/* ---- On a worker ---- */

static void give_back(Task *task)
{
    Download *download = CONTAINER_OF(task, Download, task);
    Mailbox *mailbox = loop_mailbox(download->request->loop);
    TaskChain chain = {0};
    task_chain_push(&chain, task);
    mailbox->post(mailbox, chain);
}

static void piece_is_read(Task *task);
static void file_is_open(Task *task);

static void open_file(Task *task)
{
    Download *download = CONTAINER_OF(task, Download, task);
    download->failed = file_open(download->path, &download->file, &download->size) != OK;
    task->run = file_is_open;
    give_back(task);
}

static void read_piece(Task *task)
{
    Download *download = CONTAINER_OF(task, Download, task);
    download->failed = file_read(download->file, download->piece, PIECE_SIZE, &download->piece_size) != OK;
    download->whole = download->piece_size == 0;
    task->run = piece_is_read;
    give_back(task);
}

/* ---- On the loop ---- */

static void send_to_worker(Download *download, void (*run)(Task *task))
{
    Mailbox *pool = work_pool_mailbox(download->pool);
    TaskChain chain = {0};
    download->task.run = run;
    download->working = true;
    task_chain_push(&chain, &download->task);
    pool->post(pool, chain);
}

static void on_writable(HttpRequest *request)
{
    Download *download = request->user;
    if (!download->working)
        send_to_worker(download, read_piece);
}

static void piece_is_read(Task *task)
{
    Download *download = CONTAINER_OF(task, Download, task);
    download->working = false;
    if (download->failed || download->whole) {
        file_end(download->file);
        if (download->failed)
            http_respond_abort(download->request);
        else
            http_respond_end(download->request);
        return;
    }
    if (http_respond_write(download->request, slice_make(download->piece, download->piece_size)))
        send_to_worker(download, read_piece);
}

static void file_is_open(Task *task)
{
    Download *download = CONTAINER_OF(task, Download, task);
    HttpRequest *request = download->request;
    if (download->failed) {
        refuse(request, 404, SLICE("{\"message\":\"that package is not there any more\"}\n"));
        return;
    }
    Slice length = arena_format(request->arena, "%ju", (uintmax_t)download->size);
    HttpHeader headers[] = {{SLICE("content-type"), SLICE("application/zip")}, {SLICE("content-length"), length}};
    HttpResponse head = {.status = 200, .headers = headers, .header_count = 2};
    http_respond_stream(request, &head, on_writable);
    send_to_worker(download, read_piece);
}

/* ---- The request ---- */

/* The value of a parameter, as it stands there: numbers and hexadecimal need no encoding. */
static Slice parameter(Slice query, Slice name)
{
    while (query.size > 0) {
        size_t end = slice_find(query, '&');
        Slice pair = slice_make(query.data, end);
        query = slice_skip(query, end < query.size ? end + 1 : end);
        size_t equal_sign = slice_find(pair, '=');
        if (equal_sign < pair.size && slice_equal(slice_make(pair.data, equal_sign), name))
            return slice_skip(pair, equal_sign + 1);
    }
    return SLICE("");
}

void endpoint_answer_package(Server *server, HttpRequest *request, Slice folder)
{
    uint64_t expires_ms;
    Slice proof = parameter(request->query, SLICE("proof"));
    if (!slice_parse_uint64(parameter(request->query, SLICE("expires")), &expires_ms) ||
        !packages_verify(server->packages, folder, expires_ms, proof)) {
        refuse(request, 403,
               SLICE("{\"message\":\"that place is not known, or no longer: it is told for 10 minutes\"}\n"));
        return;
    }
    Download *download = ARENA_NEW(request->arena, Download);
    download->request = request;
    download->pool = server->pool;
    download->path = packages_zip_path(server->packages, request->arena, folder);
    download->file = -1;
    request->user = download;
    send_to_worker(download, open_file);
}
