#include "cli/log.h"

#include "base/json.h"
#include "base/time_format.h"

#include <unistd.h>

const char *const log_format_names[LOG_FORMATS] = {[LOG_TEXT] = "text", [LOG_JSON] = "json"};
const char *const log_level_names[LOG_LEVELS] = {
    [LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

static void add_json_member(JsonWriter *writer, const char *name, Slice value)
{
    json_write_name(writer, slice_of_string(name));
    json_write_string(writer, utf8_is_valid(value) ? value : SLICE("(not UTF-8)"));
}

static void write_json(Buffer *line, Slice time, LogLevel level, const char *event, const LogField *fields)
{
    JsonWriter writer = json_writer(line);
    json_write_object_begin(&writer);
    add_json_member(&writer, "time", time);
    add_json_member(&writer, "level", slice_of_string(log_level_names[level]));
    add_json_member(&writer, "event", slice_of_string(event));
    for (; fields->name != NULL; fields++)
        if (fields->value.data != NULL)
            add_json_member(&writer, fields->name, fields->value);
    json_write_object_end(&writer);
}

/* name=value, with what could break the line or look like another field as \xNN. */
static void write_text(Buffer *line, Slice time, LogLevel level, const char *event, const LogField *fields)
{
    buffer_add_format(line, "%.*s %s %s", SLICE_PRINT(time), log_level_names[level], event);
    for (; fields->name != NULL; fields++) {
        if (fields->value.data == NULL)
            continue;
        buffer_add_format(line, " %s=", fields->name);
        for (size_t i = 0; i < fields->value.size; i++) {
            unsigned char byte = (unsigned char)fields->value.data[i];
            if (byte < 0x20 || byte == 0x7f)
                buffer_add_format(line, "\\x%02x", byte);
            else
                buffer_add_byte(line, (char)byte);
        }
    }
}

void log_event(const Log *log, LogLevel level, const char *event, const LogField *fields)
{
    if (level > log->level)
        return;
    Arena arena = arena_make();
    Buffer line = buffer_make(&arena);
    char text[TIME_TEXT_MAX];
    Slice time = time_format_iso_ms((int64_t)os_wall_ms(log->os), text);
    (log->format == LOG_JSON ? write_json : write_text)(&line, time, level, event, fields);
    buffer_add_byte(&line, '\n');
    /* A log that cannot be written is no reason to stop. */
    ssize_t written = write(STDERR_FILENO, line.data, line.size);
    (void)written;
    arena_free(&arena);
}
