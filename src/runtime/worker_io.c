/* A worker's channel and pipes, on the loop: bytes to events of its table. */
#include "base/bug.h"
#include "runtime/runtime_internal.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    PIPE_BUDGET = 256 * 1024, /* bytes taken of a pipe before others have their turn */
};

/* ---- Frames ---- */

typedef struct FrameRow {
    WorkerEvent event;
    bool bounded; /* a longer one than the channel keeps is a lie */
} FrameRow;

static const FrameRow frame_rows[] = {
    [FRAME_READY] = {WORKER_READY, true},
    [FRAME_INIT_ERROR] = {WORKER_INIT_ERROR, true},
    [FRAME_RESPONSE] = {WORKER_ANSWER, false},
    [FRAME_ERROR] = {WORKER_ANSWER, false},
    [FRAME_STREAM_START] = {WORKER_STREAM, true},
    [FRAME_STREAM_PIECE] = {WORKER_PIECE, true},
    [FRAME_STREAM_END] = {WORKER_STREAM_END, true},
    [FRAME_STREAM_ERROR] = {WORKER_STREAM_END, true},
    [FRAME_SNAPSHOT_READY] = {WORKER_SNAPSHOT, true},
    [FRAME_GOODBYE] = {WORKER_GOODBYE, true},
    [FRAME_FAULT] = {WORKER_FAULT, true},
};

static void take_log(Worker *worker, const Frame *frame)
{
    size_t limit = runtime_limit(worker->runtime, LIMIT_RUNTIME_LOG_EVENT_BYTES);
    Slice text = frame->content;
    if (text.size > limit)
        text.size = limit;
    worker_log(worker, text);
}

/* Whether the Runtime API's process, which is Brume's, speaks for it. */
static bool has_shim(const Worker *worker)
{
    return worker->order.kind == RUNTIME_CUSTOM || worker->order.has_extensions;
}

/* Its shim says how the program ended; its own exit follows. */
static void take_exit(Worker *worker, const Frame *frame)
{
    uint32_t told[2];
    if (!has_shim(worker)) {
        worker_lied(worker, "an exit, which is told of custom runtimes");
        return;
    }
    if (frame->size != sizeof told) {
        worker_lied(worker, "an exit of another size");
        return;
    }
    memcpy(told, frame->content.data, sizeof told);
    worker->has_told = true;
    worker->told_status = (int)told[0];
    worker->is_untaken = told[1] < worker->given_count;
    worker_step(worker, WORKER_CLOSED, NULL);
}

static void take_frame(Worker *worker, Frame *frame)
{
    if (frame->kind == FRAME_EXIT) {
        take_exit(worker, frame);
        return;
    }
    if (frame->kind == FRAME_LOG) {
        take_log(worker, frame);
        return;
    }
    const FrameRow *row = &frame_rows[frame->kind];
    bool is_lie =
        (row->bounded && frame->size > frame->content.size) ||
        (row->event == WORKER_SNAPSHOT && !worker->is_template) ||
        (row->event == WORKER_READY && worker->is_template) ||
        ((row->event == WORKER_FAULT || (row->event == WORKER_READY && frame->size > 0)) && !has_shim(worker));
    if (!is_lie && row->event == WORKER_READY && frame->size > 0)
        worker->has_extensions = true;
    worker_step(worker, is_lie ? WORKER_LIE : row->event, is_lie ? NULL : frame);
}

static bool takes_frames(const Worker *worker)
{
    return worker->state != WORKER_ENDING && !worker->reads_paused;
}

/* Takes the frames that are here. */
static void pump(Worker *worker)
{
    Frame frame;
    Error error = OK;
    worker->is_pumping = true;
    while (takes_frames(worker) && (error = channel_next(&worker->channel, &frame)) == OK)
        take_frame(worker, &frame);
    worker->is_pumping = false;
    if (error == ERROR_MALFORMED && worker->state != WORKER_ENDING)
        worker_lied(worker, "no frame of the channel");
    worker_watch(worker);
}

static void flush(Worker *worker)
{
    Error error = channel_flush(&worker->channel);
    if (error == ERROR_GONE)
        worker_step(worker, WORKER_CLOSED, NULL);
    else
        worker_watch(worker);
}

static void on_answers(uv_poll_t *poll, int status, int events)
{
    Worker *worker = CONTAINER_OF(poll, WorkerHandles, answers)->worker;
    (void)status; /* reading says what is wrong */
    (void)events;
    if (!takes_frames(worker))
        return;
    Error error = channel_read(&worker->channel);
    if (error == OK)
        pump(worker);
    else if (error != ERROR_WAIT)
        worker_step(worker, WORKER_CLOSED, NULL);
}

static void on_room(uv_poll_t *poll, int status, int events)
{
    (void)status; /* writing says what is wrong */
    (void)events;
    flush(CONTAINER_OF(poll, WorkerHandles, events)->worker);
}

void worker_drain_channel(Worker *worker)
{
    while (worker->handles != NULL && takes_frames(worker) && channel_read(&worker->channel) == OK)
        pump(worker);
}

void worker_resume(Worker *worker)
{
    worker->reads_paused = false;
    if (!worker->is_pumping)
        pump(worker);
}

/* ---- Pipes ---- */

static void on_line(void *user, Slice line)
{
    worker_log(user, line);
}

static void read_pipe(Worker *worker, LogPipe *pipe, uv_poll_t *poll, size_t budget)
{
    if (pipe->file < 0 ||
        log_pipe_read(pipe, runtime_limit(worker->runtime, LIMIT_RUNTIME_LOG_EVENT_BYTES), budget, on_line, worker))
        return;
    log_pipe_flush(pipe, on_line, worker);
    /* Its file is closed with the worker's handles: to stop one takes the file of its number from the loop, and that would be
     * whoever was given the number meanwhile. */
    if (worker->handles != NULL && uv_is_active((uv_handle_t *)poll))
        uv_poll_stop(poll);
}

static void on_output(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    Worker *worker = CONTAINER_OF(poll, WorkerHandles, output)->worker;
    read_pipe(worker, &worker->output, poll, PIPE_BUDGET);
}

static void on_errors(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    Worker *worker = CONTAINER_OF(poll, WorkerHandles, errors)->worker;
    read_pipe(worker, &worker->errors, poll, PIPE_BUDGET);
}

void worker_drain_pipes(Worker *worker)
{
    if (worker->handles == NULL)
        return;
    read_pipe(worker, &worker->output, &worker->handles->output, PIPE_BUDGET);
    read_pipe(worker, &worker->errors, &worker->handles->errors, PIPE_BUDGET);
    log_pipe_flush(&worker->output, on_line, worker);
    log_pipe_flush(&worker->errors, on_line, worker);
}

/* ---- Sending ---- */

static Error sent(Worker *worker, Error error)
{
    if (error == ERROR_WAIT)
        worker_watch(worker);
    return error;
}

Error worker_send(Worker *worker, FrameKind kind, Slice content)
{
    return sent(worker, channel_send(&worker->channel, kind, content));
}

Error worker_send_event(Worker *worker, Slice json, Slice payload)
{
    return sent(worker, channel_send_event(&worker->channel, json, payload));
}

/* ---- Time ---- */

static void on_timer(uv_timer_t *timer)
{
    Worker *worker = CONTAINER_OF(timer, WorkerHandles, timer)->worker;
    uint64_t now_ns = os_monotonic_ns(worker->runtime->os);
    /* The loop counts from when it last looked at the clock: that is a little early. */
    if (now_ns < worker->deadline_ns)
        uv_timer_start(timer, on_timer, (worker->deadline_ns - now_ns + 999999) / 1000000, 0);
    else
        worker_step(worker, WORKER_TIMEOUT, NULL);
}

void worker_set_timer(Worker *worker, uint64_t after_us)
{
    worker->deadline_ns = os_monotonic_ns(worker->runtime->os) + after_us * 1000;
    if (worker->handles != NULL)
        uv_timer_start(&worker->handles->timer, on_timer, (after_us + 999) / 1000, 0);
}

void worker_clear_timer(Worker *worker)
{
    if (worker->handles != NULL)
        uv_timer_stop(&worker->handles->timer);
}

/* ---- Life ---- */

static void watch(uv_poll_t *poll, bool wanted, int events, uv_poll_cb on_event)
{
    if (wanted == (bool)uv_is_active((uv_handle_t *)poll))
        return;
    if (wanted)
        uv_poll_start(poll, events, on_event);
    else
        uv_poll_stop(poll);
}

void worker_watch(Worker *worker)
{
    if (worker->handles == NULL)
        return;
    bool is_unsent = worker->state != WORKER_ENDING && worker->channel.part_count > 0;
    watch(&worker->handles->answers, takes_frames(worker), UV_READABLE, on_answers);
    watch(&worker->handles->events, is_unsent, UV_WRITABLE, on_room);
}

static void on_closed(uv_handle_t *handle)
{
    WorkerHandles *handles = handle->data;
    if (--handles->open == 0)
        free(handles);
}

static Error open_poll(WorkerHandles *handles, uv_poll_t *poll, int file)
{
    uv_loop_t *uv = loop_uv(handles->worker->runtime->options.loop);
    if (uv_poll_init(uv, poll, file) != 0)
        return ERROR_IO;
    poll->data = handles;
    handles->open++;
    return OK;
}

Error worker_io_open(Worker *worker)
{
    WorkerHandles *handles = calloc(1, sizeof *handles);
    ASSERT(handles != NULL);
    handles->worker = worker;
    uv_timer_init(loop_uv(worker->runtime->options.loop), &handles->timer);
    handles->timer.data = handles;
    handles->open = 1;
    worker->handles = handles;
    /* In the order in which worker_io_close finds how many there are. */
    TRY(open_poll(handles, &handles->answers, worker->channel.answers));
    TRY(open_poll(handles, &handles->events, worker->channel.events));
    TRY(open_poll(handles, &handles->output, worker->output.file));
    TRY(open_poll(handles, &handles->errors, worker->errors.file));
    uv_poll_start(&handles->output, UV_READABLE, on_output);
    uv_poll_start(&handles->errors, UV_READABLE, on_errors);
    worker_watch(worker);
    return OK;
}

static void close_file(int file)
{
    if (file >= 0)
        close(file);
}

void worker_io_close(Worker *worker)
{
    WorkerHandles *handles = worker->handles;
    if (handles != NULL) {
        uv_handle_t *all[] = {(uv_handle_t *)&handles->timer, (uv_handle_t *)&handles->answers,
                              (uv_handle_t *)&handles->events, (uv_handle_t *)&handles->output,
                              (uv_handle_t *)&handles->errors};
        for (unsigned i = 0, count = handles->open; i < count; i++)
            uv_close(all[i], on_closed);
        handles->worker = NULL;
        worker->handles = NULL;
    }
    close_file(worker->channel.events);
    close_file(worker->channel.answers);
    close_file(worker->output.file);
    close_file(worker->errors.file);
    close_file(worker->process);
    channel_close(&worker->channel);
    log_pipe_free(&worker->output);
    log_pipe_free(&worker->errors);
}
