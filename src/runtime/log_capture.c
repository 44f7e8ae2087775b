#include "runtime/log_capture.h"

#include "base/bug.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

/* ---- The tail ---- */

void log_tail_add(LogTail *tail, Slice text)
{
    if (text.size > LOG_TAIL_BYTES) {
        tail->total += text.size - LOG_TAIL_BYTES;
        text = slice_skip(text, text.size - LOG_TAIL_BYTES);
    }
    size_t at = tail->total % LOG_TAIL_BYTES;
    size_t first = text.size < LOG_TAIL_BYTES - at ? text.size : LOG_TAIL_BYTES - at;
    if (first > 0)
        memcpy(tail->bytes + at, text.data, first);
    if (text.size > first)
        memcpy(tail->bytes, text.data + first, text.size - first);
    tail->total += text.size;
}

size_t log_tail_copy(const LogTail *tail, char bytes[LOG_TAIL_BYTES])
{
    if (tail->total <= LOG_TAIL_BYTES) {
        memcpy(bytes, tail->bytes, tail->total);
        return tail->total;
    }
    size_t at = tail->total % LOG_TAIL_BYTES;
    memcpy(bytes, tail->bytes + at, LOG_TAIL_BYTES - at);
    memcpy(bytes + LOG_TAIL_BYTES - at, tail->bytes, at);
    return LOG_TAIL_BYTES;
}

/* ---- The rate ---- */

bool log_rate_allows(LogRate *rate, uint64_t wall_ms, uint64_t per_second, uint64_t *missed)
{
    *missed = 0;
    if (rate->window != wall_ms / 1000) {
        rate->window = wall_ms / 1000;
        rate->passed = 0;
        *missed = rate->dropped;
        rate->dropped = 0;
    }
    if (per_second != 0 && rate->passed >= per_second) {
        rate->dropped++;
        return false;
    }
    rate->passed++;
    return true;
}

/* ---- Lines ---- */

static void keep(LogPipe *pipe, Slice part, size_t limit)
{
    size_t room = limit - pipe->size;
    if (part.size > room) {
        part.size = room;
        pipe->skipping = true;
    }
    if (pipe->capacity - pipe->size < part.size) {
        size_t capacity = pipe->capacity == 0 ? 256 : pipe->capacity;
        while (capacity < pipe->size + part.size)
            capacity *= 2;
        pipe->line = realloc(pipe->line, capacity);
        ASSERT(pipe->line != NULL);
        pipe->capacity = capacity;
    }
    memcpy(pipe->line + pipe->size, part.data, part.size);
    pipe->size += part.size;
}

void log_pipe_flush(LogPipe *pipe, LogLine *on_line, void *user)
{
    size_t size = pipe->size;
    pipe->size = 0;
    pipe->skipping = false;
    if (size > 0)
        on_line(user, slice_make(pipe->line, size));
}

static void split(LogPipe *pipe, Slice text, size_t limit, LogLine *on_line, void *user)
{
    while (text.size > 0) {
        size_t end = slice_find(text, '\n');
        bool whole = end < text.size;
        Slice part = {text.data, whole ? end + 1 : end};
        text = slice_skip(text, part.size);
        if (whole && pipe->size == 0 && !pipe->skipping && part.size <= limit) {
            on_line(user, part);
            continue;
        }
        if (!pipe->skipping)
            keep(pipe, part, limit);
        if (whole)
            log_pipe_flush(pipe, on_line, user);
    }
}

bool log_pipe_read(LogPipe *pipe, size_t limit, size_t budget, LogLine *on_line, void *user)
{
    char bytes[READ_BYTES];
    while (pipe->file >= 0 && budget > 0) {
        ssize_t count = read(pipe->file, bytes, budget < sizeof bytes ? budget : sizeof bytes);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        if (count == 0)
            return false;
        budget -= (size_t)count;
        split(pipe, slice_make(bytes, (size_t)count), limit, on_line, user);
        if ((size_t)count < sizeof bytes)
            break; /* that was all; asking again would cost a call of the system for each event */
    }
    return pipe->file >= 0;
}

void log_pipe_free(LogPipe *pipe)
{
    free(pipe->line);
    *pipe = (LogPipe){.file = -1};
}
