/* log_sink.h: takes what functions log, line by line, and keeps it in logs, a chunk at a time.
 *
 * Lines wait for the next flush, so that a busy stream costs a few transactions a second; they are seen a moment later, and
 * lost with the power. What waits is bounded (RUNTIME_LOG_PENDING_BYTES): what is more is dropped, counted, and told of in its
 * stream. Groups and streams that are not there are made. All of it on one loop, which flushes; nothing blocks. */
#ifndef BRUME_CORE_LOG_SINK_H
#define BRUME_CORE_LOG_SINK_H

#include "base/limits.h"
#include "base/log.h"
#include "core/log.h"

typedef struct LogSink LogSink;

typedef struct LogSinkOptions {
    Store *store;
    Mailbox *mailbox; /* of the loop */
    Os *os;
    const Limits *limits;
    Log *log; /* told of lines that are lost */
} LogSinkOptions;

typedef struct LogSinkLine {
    Slice account;
    Slice region;
    Slice group;
    Slice stream;
    Slice text; /* what is no UTF-8 in it is replaced */
} LogSinkLine;

LogSink *log_sink_open(const LogSinkOptions *options);
/* Copies what it keeps. */
void log_sink_add(LogSink *sink, const LogSinkLine *line);
/* Hands over what waits. True: something waits still, until what was handed over before is kept. */
bool log_sink_flush(LogSink *sink);
/* Takes nothing more: the store may go. */
void log_sink_stop(LogSink *sink);
/* Lines that were dropped. Any thread. */
uint64_t log_sink_dropped(const LogSink *sink);
/* When the store has given back everything; what waits is lost. */
void log_sink_close(LogSink *sink);

#endif
