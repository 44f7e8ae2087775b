#include "base/json.h"
#include "base/time_format.h"
#include "cli/admin_client.h"
#include "cli/command.h"
#include "cli/data_directory.h"
#include "cli/json_fields.h"

#include <stdio.h>
#include <unistd.h>

static const Option logs_options[] = {
    OPTION_DATA,
    {.name = "follow", .help = "Go on with what comes, until it is interrupted; -f in short."},
    {.name = "since", .argument = "DURATION", .fallback = "10m", .help = "From so long ago on: 30s, 10m, 2h, 7d."},
    {.name = "filter",
     .argument = "PATTERN",
     .help = "A filter pattern of CloudWatch Logs: ERROR, '{ $.level = \"ERROR\" }'."},
    {.name = "stream", .argument = "PREFIX", .help = "Only streams whose names begin so."},
    {.name = "account", .argument = "DIGITS", .fallback = "000000000000", .help = "Whose group."},
    {.name = "region",
     .argument = "REGION",
     .environment = "AWS_REGION",
     .fallback = "us-east-1",
     .help = "Where the group is."},
    {0},
};

/* ---- Printing ---- */

static const char *colour_of(Slice message)
{
    static const struct {
        Slice begin;
        const char *colour;
    } rows[] = {
        {SLICE_INIT("START "), "\033[2m"},     {SLICE_INIT("END "), "\033[2m"},
        {SLICE_INIT("REPORT "), "\033[36m"},   {SLICE_INIT("INIT_"), "\033[2m"},
        {SLICE_INIT("[ERROR]"), "\033[31m"},   {SLICE_INIT("[WARNING]"), "\033[33m"},
        {SLICE_INIT("Traceback"), "\033[31m"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (slice_starts_with(message, rows[i].begin))
            return rows[i].colour;
    return "";
}

/* What a log says must not steer the terminal. */
static void print_text(Slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte < ' ' && byte != '\t' && byte != '\n')
            printf("\\x%02x", byte);
        else
            putchar(byte);
    }
}

static void print_event(uint64_t time_ms, Slice message, bool colours)
{
    char time[TIME_TEXT_MAX];
    Slice when = time_format_iso_ms((int64_t)time_ms, time);
    while (message.size > 0 && (message.data[message.size - 1] == '\n' || message.data[message.size - 1] == '\r'))
        message.size--;
    printf("%s%.*s%s ", colours ? "\033[32m" : "", SLICE_PRINT(when), colours ? "\033[0m" : "");
    fputs(colours ? colour_of(message) : "", stdout);
    print_text(message);
    fputs(colours ? "\033[0m\n" : "\n", stdout);
}

static Error print_events(JsonReader *reader, bool colours)
{
    bool more;
    enum { TIME, MESSAGE, COUNT };
    TRY(json_begin_array(reader));
    for (;;) {
        JsonField fields[COUNT] = {[TIME] = {.name = SLICE("time_ms")}, [MESSAGE] = {.name = SLICE("message")}};
        uint64_t time_ms;
        TRY(json_next_element(reader, &more));
        if (!more)
            return OK;
        TRY(json_read_fields(reader, fields, COUNT));
        if (!slice_parse_uint64(fields[TIME].text, &time_ms) || fields[MESSAGE].text.data == NULL)
            return ERROR_MALFORMED;
        print_event(time_ms, fields[MESSAGE].text, colours);
    }
}

/* Prints the events of an answer, and gives where the next one begins. */
static Error print_answer(Slice answer, Arena *arena, bool colours, Slice *cursor, bool *caught_up)
{
    JsonReader reader = json_reader(answer, arena);
    Slice name;
    Slice text;
    *cursor = (Slice){0};
    TRY(json_begin_object(&reader));
    for (;;) {
        TRY(json_next_member(&reader, &name));
        if (name.data == NULL)
            return cursor->data == NULL ? ERROR_MALFORMED : OK;
        if (slice_equal(name, SLICE("events"))) {
            TRY(print_events(&reader, colours));
        } else if (slice_equal(name, SLICE("cursor"))) {
            TRY(json_read_string(&reader, cursor));
        } else if (slice_equal(name, SLICE("caught_up"))) {
            TRY(json_read_string(&reader, &text));
            *caught_up = slice_equal(text, SLICE("true"));
        } else {
            TRY(json_read_any(&reader, &text));
        }
    }
}

/* ---- Asking ---- */

static bool write_text(JsonWriter *writer, Slice name, const char *value)
{
    Slice text = slice_of_string(value == NULL ? "" : value);
    json_write_name(writer, name);
    json_write_string(writer, utf8_is_valid(text) ? text : SLICE(""));
    return utf8_is_valid(text);
}

/* False: something that was typed is no text. */
static bool write_document(const CommandLine *invocation, Slice cursor, Arena *arena, Slice *document)
{
    Buffer out = buffer_make(arena);
    JsonWriter writer = json_writer(&out);
    const char *region = invocation_value(invocation, "region");
    const char *account = invocation_value(invocation, "account");
    json_write_object_begin(&writer);
    bool valid = write_text(&writer, SLICE("account"), account == NULL ? "000000000000" : account);
    valid = write_text(&writer, SLICE("region"), region == NULL ? "us-east-1" : region) && valid;
    valid = write_text(&writer, SLICE("name"), invocation->words[0]) && valid;
    valid = write_text(&writer, SLICE("stream"), invocation_value(invocation, "stream")) && valid;
    valid = write_text(&writer, SLICE("filter"), invocation_value(invocation, "filter")) && valid;
    json_write_name(&writer, SLICE("cursor"));
    json_write_string(&writer, cursor);
    json_write_object_end(&writer);
    *document = buffer_slice(&out);
    return valid;
}

/* One request after the other: each has its memory, since who follows asks for ever. */
static int show(const CommandLine *invocation, const char *data, Slice cursor, bool follows)
{
    bool colours = isatty(STDOUT_FILENO) == 1;
    bool caught_up = false;
    int code = EXIT_OK;
    Arena previous = arena_make();
    while (code == EXIT_OK && (follows || !caught_up)) {
        Arena arena = arena_make();
        Slice document;
        Slice answer;
        Slice message;
        if (!write_document(invocation, cursor, &arena, &document))
            code = command_misused(invocation->command, "what was typed is not valid UTF-8");
        else if (!admin_call(data, "/log/read", document, &arena, &answer, &message))
            code = command_fail("%.*s", SLICE_PRINT(message));
        else if (print_answer(answer, &arena, colours, &cursor, &caught_up) != OK)
            code = command_fail("the server's answer cannot be read: is it of another version?");
        arena_free(&previous);
        previous = arena; /* the cursor lies in it */
        if (fflush(stdout) != 0)
            code = EXIT_FAILED; /* whoever read has left */
    }
    arena_free(&previous);
    return code;
}

static int run_logs(const CommandLine *invocation)
{
    const char *data = data_directory_of(invocation);
    const char *since = invocation_value(invocation, "since");
    uint64_t since_ms;
    if (data == NULL)
        return command_fail("there is no home directory: name the server's data directory with --data DIR");
    if (duration_parse(slice_of_string(since == NULL ? "10m" : since), &since_ms) != OK)
        return command_misused(invocation->command, "--since takes a duration, as 30s, 10m, 2h or 7d");
    Slice cursor = arena_format(invocation->arena, "since %llu", (unsigned long long)since_ms);
    return show(invocation, data, cursor, invocation_value(invocation, "follow") != NULL);
}

const Command command_logs = {
    .name = "logs",
    .words = "NAME",
    .summary = "Shows what a function, or a log group, has logged, and follows it.",
    .details =
        "NAME is a function of a running server, or a log group. What comes while it is followed is shown in the "
        "order in which it comes.",
    .options = logs_options,
    .words_min = 1,
    .words_max = 1,
    .run = run_logs,
};
