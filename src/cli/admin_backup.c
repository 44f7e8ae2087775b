/* One backup, streamed: a piece is read on a worker thread while the one before is on its way; a client that reads
 * slowly holds the reading back. */
#include "cli/admin_server.h"

#include "base/bug.h"
#include "core/package_backup.h"

#include <stdlib.h>

enum { PIECE_SIZE = 256 * 1024, BACKUPS_MAX = 4 };

typedef struct BackupJob {
    uv_work_t work;
    ListNode node; /* in AdminBackups.running */
    AdminBackups *backups;
    Store *store;
    Packages *packages;
    HttpRequest *request;
    BackupFiles *files; /* of packages: they stay until it ends */
    Backup *backup;
    void (*ended)(void *user);
    void *user;
    /* What the worker thread read. */
    Error error;
    size_t given;
    bool reading;   /* a piece is being read: the worker has the job */
    bool streaming; /* the head of the answer is out */
    bool broken;    /* the client has left, or the server stops */
    char bytes[PIECE_SIZE];
} BackupJob;

/* The job is the loop's, no piece is being read. */
static void end_backup(BackupJob *job)
{
    AdminBackups *backups = job->backups;
    void (*ended)(void *user) = job->ended;
    void *user = job->user;
    if (job->backup != NULL)
        backup_close(job->backup);
    if (job->files != NULL)
        packages_backup_close(job->files);
    list_remove(&job->node);
    backups->count--;
    free(job);
    ended(user);
}

static void break_off(BackupJob *job)
{
    HttpRequest *request = job->request;
    request->on_gone = NULL;
    if (job->streaming)
        http_respond_abort(request);
    else
        admin_refuse(request, 500, SLICE("the backup cannot be read; see the server's log"));
    end_backup(job);
}

/* On a worker thread. */
static void read_piece(uv_work_t *work)
{
    BackupJob *job = CONTAINER_OF(work, BackupJob, work);
    if (job->files == NULL)
        job->files = packages_backup_open(job->packages);
    if (job->backup == NULL)
        job->error = backup_open(job->store, job->files, &job->backup);
    if (job->error == OK)
        job->error = backup_read(job->backup, job->bytes, PIECE_SIZE, &job->given);
}

static void have_piece(uv_work_t *work, int status);

static void read_next(BackupJob *job)
{
    job->reading = true;
    int failed = uv_queue_work(loop_uv(job->request->loop), &job->work, read_piece, have_piece);
    ASSERT(failed == 0);
}

static void on_writable(HttpRequest *request)
{
    BackupJob *job = request->user;
    if (!job->reading && !job->broken)
        read_next(job);
}

static void on_gone(HttpRequest *request)
{
    BackupJob *job = request->user;
    job->broken = true;
    if (!job->reading)
        break_off(job);
}

static void have_piece(uv_work_t *work, int status)
{
    BackupJob *job = CONTAINER_OF(work, BackupJob, work);
    (void)status;
    job->reading = false;
    if (job->broken || job->error != OK) {
        break_off(job);
        return;
    }
    if (!job->streaming) {
        static const HttpHeader headers[] = {{SLICE_INIT("content-type"), SLICE_INIT("application/octet-stream")}};
        HttpResponse head = {.status = 200, .headers = headers, .header_count = 1};
        job->streaming = true;
        http_respond_stream(job->request, &head, on_writable);
    }
    if (job->given == 0) {
        HttpRequest *request = job->request;
        request->on_gone = NULL;
        http_respond_end(request);
        end_backup(job);
    } else if (http_respond_write(job->request, slice_make(job->bytes, job->given)) && !job->reading) {
        read_next(job);
    }
}

void admin_backup_start(AdminBackups *backups, const AdminOptions *options, HttpRequest *request,
                        void (*ended)(void *user), void *user)
{
    if (backups->stopping || backups->count == BACKUPS_MAX) {
        admin_refuse(request, 503,
                     backups->stopping ? SLICE("the server is stopping")
                                       : SLICE("4 backups are running: try again when one has ended"));
        return;
    }
    BackupJob *job = calloc(1, sizeof *job);
    ASSERT(job != NULL);
    job->backups = backups;
    job->store = options->store;
    job->packages = options->packages;
    job->request = request;
    job->ended = ended;
    job->user = user;
    list_push_back(&backups->running, &job->node);
    backups->count++;
    request->user = job;
    request->on_gone = on_gone;
    read_next(job);
}

void admin_backups_stop(AdminBackups *backups)
{
    backups->stopping = true;
    LIST_FOR_EACH(&backups->running, node)
    {
        BackupJob *job = CONTAINER_OF(node, BackupJob, node);
        job->broken = true;
        if (!job->reading)
            break_off(job);
    }
}
