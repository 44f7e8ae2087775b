#include "base/log.h"

#include "base/json.h"
#include "base/time_format.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* Kept free behind the fields for the count of those left out, the closing brace and the line's end. */
enum { LOG_TAIL_MAX = 48 };

static const char *const level_names[] = {"error", "warning", "info", "debug"};
enum { LEVELS = sizeof level_names / sizeof *level_names };

/* A line being built. Past its end nothing is written and `full` is set; whoever adds a field undoes what he began. */
typedef struct Line {
    char bytes[LOG_LINE_MAX];
    size_t size;
    size_t limit;
    bool full;
} Line;

static void line_add(Line *line, Slice bytes)
{
    if (line->full || bytes.size > line->limit - line->size) {
        line->full = true;
        return;
    }
    if (bytes.size > 0)
        memcpy(line->bytes + line->size, bytes.data, bytes.size);
    line->size += bytes.size;
}

static void line_add_string(Line *line, const char *string)
{
    line_add(line, slice_of_string(string));
}

/* ---- Values ---- */

/* The size of the UTF-8 sequence at the beginning of `text`, or 0 when there is none. */
static size_t utf8_size(Slice text)
{
    for (size_t size = 1; size <= 4 && size <= text.size; size++)
        if (utf8_is_valid(slice_make(text.data, size)))
            return size;
    return 0;
}

/* Whether this character, beyond ASCII, could move the cursor, end a line or turn the direction of reading around:
 * U+0080..9F, U+200E..200F, U+2028..202E, U+2066..2069. */
static bool is_deceptive(Slice character)
{
    const unsigned char *at = (const unsigned char *)character.data;
    if (character.size == 2)
        return at[0] == 0xc2 && at[1] < 0xa0;
    if (character.size != 3 || at[0] != 0xe2)
        return false;
    return (at[1] == 0x80 && (at[2] == 0x8e || at[2] == 0x8f || (at[2] >= 0xa8 && at[2] <= 0xae))) ||
           (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9);
}

static void add_ascii(Line *line, LogFormat format, char c)
{
    char escape[8];
    if (c == '"' || c == '\\')
        snprintf(escape, sizeof escape, "\\%c", c);
    else if (c == '\n' || c == '\r' || c == '\t')
        snprintf(escape, sizeof escape, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
    else if (c < 0x20 || c == 0x7f)
        snprintf(escape, sizeof escape, format == LOG_FORMAT_JSON ? "\\u00%02x" : "\\x%02x", (unsigned)c);
    else
        snprintf(escape, sizeof escape, "%c", c);
    line_add_string(line, escape);
}

/* Adds the bytes as escapes: \xNN each in text; in JSON, which has no bytes, a deceptive character by its number and
 * anything else as the replacement character. */
static void add_hidden(Line *line, LogFormat format, Slice bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.data;
    char escape[8] = "\\ufffd";
    if (format == LOG_FORMAT_TEXT) {
        for (size_t i = 0; i < bytes.size; i++) {
            snprintf(escape, sizeof escape, "\\x%02x", at[i]);
            line_add_string(line, escape);
        }
        return;
    }
    if (bytes.size == 2)
        snprintf(escape, sizeof escape, "\\u%04x", (at[0] & 0x1fu) << 6 | (at[1] & 0x3fu));
    if (bytes.size == 3)
        snprintf(escape, sizeof escape, "\\u%04x", (at[0] & 0x0fu) << 12 | (at[1] & 0x3fu) << 6 | (at[2] & 0x3fu));
    line_add_string(line, escape);
}

static void add_quoted(Line *line, LogFormat format, Slice text)
{
    line_add(line, SLICE("\""));
    while (text.size > 0) {
        size_t size = utf8_size(text);
        Slice character = slice_make(text.data, size == 0 ? 1 : size);
        if (size == 1)
            add_ascii(line, format, text.data[0]);
        else if (size == 0 || is_deceptive(character))
            add_hidden(line, format, character);
        else
            line_add(line, character);
        text = slice_skip(text, character.size);
    }
    line_add(line, SLICE("\""));
}

/* Whether the value can stand in a text line without quotes. */
static bool is_plain(Slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=')
            return false;
    }
    return text.size > 0;
}

static void add_text(Line *line, LogFormat format, Slice text)
{
    bool cut = text.size > LOG_VALUE_MAX;
    if (cut)
        text.size = LOG_VALUE_MAX;
    if (format == LOG_FORMAT_TEXT && !cut && is_plain(text)) {
        line_add(line, text);
        return;
    }
    add_quoted(line, format, text);
    if (cut && !line->full) {
        line->size--; /* the mark goes inside the quotes */
        line_add(line, SLICE("...\""));
    }
}

/* ---- Fields and lines ---- */

static void add_key(Line *line, LogFormat format, const char *key)
{
    bool first = line->size == 0;
    if (format == LOG_FORMAT_TEXT) {
        line_add(line, first ? SLICE("") : SLICE(" "));
        line_add_string(line, key);
        line_add(line, SLICE("="));
        return;
    }
    line_add(line, first ? SLICE("{\"") : SLICE(",\""));
    line_add_string(line, key);
    line_add(line, SLICE("\":"));
}

/* Adds the whole field or nothing. */
static bool add_field(Line *line, LogFormat format, const LogField *field)
{
    char number[32];
    size_t before = line->size;
    add_key(line, format, field->key);
    switch (field->kind) {
    case LOG_FIELD_TEXT:
        add_text(line, format, field->value.text);
        break;
    case LOG_FIELD_UINT:
        snprintf(number, sizeof number, "%llu", (unsigned long long)field->value.uint);
        line_add_string(line, number);
        break;
    case LOG_FIELD_INT:
        snprintf(number, sizeof number, "%lld", (long long)field->value.integer);
        line_add_string(line, number);
        break;
    case LOG_FIELD_BOOLEAN:
        line_add_string(line, field->value.boolean ? "true" : "false");
        break;
    }
    if (!line->full)
        return true;
    line->size = before;
    line->full = false;
    return false;
}

static size_t write_once(int file, const char *bytes, size_t size)
{
    ssize_t written;
    do
        written = write(file, bytes, size);
    while (written < 0 && errno == EINTR);
    return written < 0 ? 0 : (size_t)written;
}

/* One write, so that lines of several threads do not mix. A line that cannot be written has no one to tell; it counts
 * as dropped. What a full disk took of it is ended before the next one, which then stands on a line of its own. */
static void write_line(Log *log, const Line *line)
{
    if (atomic_exchange_explicit(&log->torn, false, memory_order_relaxed) && write_once(log->file, "\n", 1) == 0)
        atomic_store_explicit(&log->torn, true, memory_order_relaxed);
    size_t written = write_once(log->file, line->bytes, line->size);
    if (written < line->size)
        atomic_fetch_add_explicit(&log->dropped, 1, memory_order_relaxed);
    if (written > 0 && written < line->size)
        atomic_store_explicit(&log->torn, true, memory_order_relaxed);
}

static void print_line(Log *log, uint64_t now_us, LogLevel level, const char *event, const LogField *fields)
{
    Line line;
    line.size = 0;
    line.limit = sizeof line.bytes - LOG_TAIL_MAX;
    line.full = false;
    char time[TIME_TEXT_MAX];
    const LogField head[] = {
        log_text("time", time_format_iso_ms((int64_t)(now_us / 1000), time)),
        log_string("level", level_names[level]),
        log_string("event", event),
    };
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        add_field(&line, log->format, &head[i]);
    uint64_t left_out = 0;
    for (; fields->key != NULL; fields++)
        left_out += add_field(&line, log->format, fields) ? 0 : 1;
    line.limit = sizeof line.bytes;
    const LogField tail = log_uint("fields_left_out", left_out);
    if (left_out > 0)
        add_field(&line, log->format, &tail);
    line_add_string(&line, log->format == LOG_FORMAT_JSON ? "}\n" : "\n");
    write_line(log, &line);
}

static void tell_dropped(Log *log, uint64_t now_us)
{
    uint64_t dropped = atomic_exchange_explicit(&log->dropped, 0, memory_order_relaxed);
    if (dropped > 0)
        print_line(log, now_us, LOG_LEVEL_WARNING, "log lines dropped",
                   (const LogField[]){log_uint("lines", dropped), {0}});
}

/* Counts a line in the window of its second; false when that is full. */
static bool take_turn(Log *log, uint64_t now_us)
{
    if (log->lines_per_second == 0)
        return true;
    uint64_t second = now_us / 1000000 & UINT32_MAX;
    uint64_t old = atomic_load_explicit(&log->window, memory_order_relaxed);
    for (;;) {
        bool same = old >> 32 == second;
        if (same && (old & UINT32_MAX) >= log->lines_per_second)
            return false;
        uint64_t new = same ? old + 1 : second << 32 | 1;
        if (atomic_compare_exchange_weak_explicit(&log->window, &old, new, memory_order_relaxed, memory_order_relaxed))
            return true;
    }
}

void log_line(Log *log, LogLevel level, const char *event, const LogField *fields)
{
    if (log == NULL || level > log->level)
        return;
    uint64_t now_us = log->wall_us(log->clock);
    if (!take_turn(log, now_us)) {
        atomic_fetch_add_explicit(&log->dropped, 1, memory_order_relaxed);
        return;
    }
    if (atomic_load_explicit(&log->dropped, memory_order_relaxed) > 0)
        tell_dropped(log, now_us);
    print_line(log, now_us, level, event, fields);
}

void log_finish(Log *log)
{
    if (log != NULL)
        tell_dropped(log, log->wall_us(log->clock));
}

bool log_level_parse(Slice name, LogLevel *level)
{
    for (unsigned i = 0; i < LEVELS; i++) {
        if (slice_equal(name, slice_of_string(level_names[i]))) {
            *level = (LogLevel)i;
            return true;
        }
    }
    return false;
}

bool log_format_parse(Slice name, LogFormat *format)
{
    bool json = slice_equal(name, SLICE("json"));
    if (!json && !slice_equal(name, SLICE("text")))
        return false;
    *format = json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
    return true;
}
