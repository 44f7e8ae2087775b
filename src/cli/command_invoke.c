#include "base/digest.h"
#include "base/json.h"
#include "cli/admin_client.h"
#include "cli/command.h"
#include "cli/data_directory.h"
#include "cli/json_fields.h"

#include <errno.h>
#include <stdio.h>

enum {
    EXIT_REFUSED = 2,              /* no handler had the event */
    PAYLOAD_MAX = 8 * 1024 * 1024, /* of what is read; the server's limit is lower */
};

static const Option invoke_options[] = {
    OPTION_DATA,
    {.name = "payload", .argument = "JSON", .help = "The event: JSON, @FILE, or - for standard input; {} otherwise."},
    {.name = "qualifier", .argument = "VERSION", .help = "A version or an alias; $LATEST otherwise."},
    {.name = "client-context", .argument = "JSON", .help = "What the handler finds in its context."},
    {.name = "async", .help = "Only hand the event over; the function has it as soon as it can."},
    {.name = "no-tail", .help = "Leave out the end of the log, which comes on standard error."},
    {.name = "account", .argument = "DIGITS", .fallback = "000000000000", .help = "Whose function."},
    {.name = "region",
     .argument = "REGION",
     .environment = "AWS_REGION",
     .fallback = "us-east-1",
     .help = "Where the function is."},
    {0},
};

/* ---- The event ---- */

static int read_stream(FILE *file, const char *name, Buffer *out)
{
    size_t got;
    while ((got = fread(buffer_reserve(out, 65536), 1, 65536, file)) > 0) {
        out->size += got;
        if (out->size > PAYLOAD_MAX)
            return command_fail("%s is too large for an event: 6 MB are the most", name);
    }
    return ferror(file) ? command_fail("%s cannot be read: %s", name, strerror(errno)) : EXIT_OK;
}

static int read_payload(const CommandLine *invocation, Slice *payload)
{
    const char *given = invocation_value(invocation, "payload");
    Buffer out = buffer_make(invocation->arena);
    int code = EXIT_OK;
    *payload = given == NULL ? (Slice){0} : slice_of_string(given);
    if (given == NULL || (given[0] != '@' && strcmp(given, "-") != 0))
        return EXIT_OK;
    FILE *file = given[0] == '@' ? fopen(given + 1, "re") : stdin;
    if (file == NULL)
        return command_fail("%s cannot be read: %s", given + 1, strerror(errno));
    code = read_stream(file, given[0] == '@' ? given + 1 : "standard input", &out);
    if (file != stdin)
        fclose(file);
    *payload = buffer_slice(&out);
    return code;
}

/* ---- Asking ---- */

static bool write_text(JsonWriter *writer, Slice name, Slice value)
{
    if (value.data == NULL)
        return true;
    if (!utf8_is_valid(value))
        return false;
    json_write_name(writer, name);
    json_write_string(writer, value);
    return true;
}

static bool write_option(JsonWriter *writer, const CommandLine *invocation, Slice name, const char *option)
{
    const char *value = invocation_value(invocation, option);
    return value == NULL || write_text(writer, name, slice_of_string(value));
}

/* False: something of it is no text. */
static bool write_document(const CommandLine *invocation, Slice payload, Slice *document)
{
    Buffer *out = ARENA_NEW(invocation->arena, Buffer);
    *out = buffer_make(invocation->arena);
    JsonWriter writer = json_writer(out);
    const char *region = invocation_value(invocation, "region");
    json_write_object_begin(&writer);
    bool valid =
        write_option(&writer, invocation, SLICE("account"), "account") &&
        write_text(&writer, SLICE("region"), slice_of_string(region == NULL ? "us-east-1" : region)) &&
        write_text(&writer, SLICE("name"), slice_of_string(invocation->words[0])) &&
        write_option(&writer, invocation, SLICE("qualifier"), "qualifier") &&
        write_option(&writer, invocation, SLICE("client_context"), "client-context") &&
        write_text(&writer, SLICE("payload"), payload) &&
        write_text(&writer, SLICE("event"), invocation_value(invocation, "async") == NULL ? (Slice){0} : SLICE("true"));
    json_write_object_end(&writer);
    *document = buffer_slice(out);
    return valid;
}

/* ---- The answer ---- */

static void print_bytes(FILE *file, Slice bytes)
{
    fwrite(bytes.data, 1, bytes.size, file);
    if (bytes.size == 0 || bytes.data[bytes.size - 1] != '\n')
        fputc('\n', file);
}

static int print_answer(const CommandLine *invocation, Slice answer)
{
    enum { RESULT, LOG, FAILED, COUNT };
    JsonField fields[COUNT] = {
        [RESULT] = {.name = SLICE("result")}, [LOG] = {.name = SLICE("log")}, [FAILED] = {.name = SLICE("failed")}};
    Slice result;
    Slice log;
    if (json_read_document(answer, invocation->arena, fields, COUNT) != OK ||
        base64_decode(invocation->arena, fields[RESULT].text, &result) != OK ||
        base64_decode(invocation->arena, fields[LOG].text, &log) != OK)
        return command_fail("the server's answer cannot be read: is it of another version?");
    if (log.size > 0 && invocation_value(invocation, "no-tail") == NULL)
        print_bytes(stderr, log);
    print_bytes(stdout, result);
    return fields[FAILED].text.data == NULL ? EXIT_OK : EXIT_FAILED;
}

static int print_accepted(const CommandLine *invocation, Slice answer)
{
    JsonField request_id = {.name = SLICE("request_id")};
    if (json_read_document(answer, invocation->arena, &request_id, 1) != OK || request_id.text.data == NULL)
        return command_fail("the server's answer cannot be read: is it of another version?");
    print_bytes(stdout, request_id.text);
    return EXIT_OK;
}

static int run_invoke(const CommandLine *invocation)
{
    const char *data = data_directory_of(invocation);
    Slice payload;
    Slice document;
    Slice answer;
    Slice message;
    if (data == NULL)
        return command_fail("there is no home directory: name the server's data directory with --data DIR");
    int code = read_payload(invocation, &payload);
    if (code != EXIT_OK)
        return EXIT_REFUSED;
    if (!write_document(invocation, payload, &document))
        return command_misused(invocation->command, "what was typed, or the payload, is not valid UTF-8");
    if (!admin_call(data, "/function/invoke", document, invocation->arena, &answer, &message)) {
        command_fail("%.*s", SLICE_PRINT(message));
        return EXIT_REFUSED;
    }
    return invocation_value(invocation, "async") == NULL ? print_answer(invocation, answer)
                                                         : print_accepted(invocation, answer);
}

const Command command_invoke = {
    .name = "invoke",
    .words = "NAME",
    .summary = "Invokes a function of a running server and prints its answer.",
    .details =
        "The answer comes on standard output, the end of the log on standard error. Exits with 1 when the handler "
        "failed (the answer tells of the error), with 2 when it did not get the event. With --async it prints "
        "the request id as soon as the event is accepted, and exits with 0.",
    .options = invoke_options,
    .words_min = 1,
    .words_max = 1,
    .run = run_invoke,
};
