#include "base/json.h"
#include "cli/data_directory.h"
#include "cli/doctor.h"
#include "os/os_probe.h"

#include <ctype.h>
#include <stdio.h>

static const Option doctor_options[] = {
    OPTION_DATA,
    {.name = "listen",
     .argument = "ADDRESS",
     .environment = "BRUME_LISTEN",
     .fallback = "127.0.0.1:4566",
     .help = "Where a server would listen, or does."},
    {.name = "config", .argument = "FILE", .environment = "BRUME_CONFIG", .help = "The server's configuration file."},
    {.name = "json", .help = "Prints the findings as JSON."},
    {0},
};

static const Check *const tables[] = {
    doctor_software_checks, doctor_system_checks, doctor_data_checks, doctor_network_checks, NULL,
};

static const char *const verdict_names[] = {"OK", "WARN", "FAIL"};

/* What was typed means here what it means to `brume start`. */
static void read_settings(const CommandLine *invocation, Doctor *doctor)
{
    CommandLine start = {.command = &command_start, .arena = invocation->arena};
    for (size_t i = 0; i < invocation->given_count; i++)
        for (const Option *option = start_options; option->name != NULL; option++)
            if (strcmp(option->name, invocation->given[i].option->name) == 0)
                start.given[start.given_count++] = (Given){option, invocation->given[i].value};
    Slice message;
    if (!settings_read(&start, doctor->os, &doctor->settings, &message))
        doctor->settings_problem = message;
}

/* One line that no name in it can break. */
static void print_plain(const char *format, Slice text)
{
    char line[1024];
    snprintf(line, sizeof line, "%.*s", SLICE_PRINT(text));
    for (char *at = line; *at != '\0'; at++)
        if (iscntrl((unsigned char)*at))
            *at = '?';
    printf(format, line);
}

static void print_finding(const char *name, const Finding *finding)
{
    printf("%-4s  %-16s  ", verdict_names[finding->verdict], name);
    print_plain("%s\n", finding->found);
    if (finding->advice.data != NULL)
        print_plain("                        %s\n", finding->advice);
}

/* Names of files and what programs print may be any bytes; JSON has none but UTF-8. */
static Slice utf8_of(Arena *arena, Slice text)
{
    if (utf8_is_valid(text))
        return text;
    char *copy = arena_string(arena, text);
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)copy[i] >= 0x80)
            copy[i] = '?';
    return slice_make(copy, text.size);
}

static void write_finding(JsonWriter *writer, Arena *arena, const char *name, const Finding *finding)
{
    json_write_object_begin(writer);
    json_write_name(writer, SLICE("check"));
    json_write_string(writer, slice_of_string(name));
    json_write_name(writer, SLICE("verdict"));
    json_write_string(writer, slice_of_string(verdict_names[finding->verdict]));
    json_write_name(writer, SLICE("found"));
    json_write_string(writer, utf8_of(arena, finding->found));
    if (finding->advice.data != NULL) {
        json_write_name(writer, SLICE("advice"));
        json_write_string(writer, utf8_of(arena, finding->advice));
    }
    json_write_object_end(writer);
}

static int run_doctor(const CommandLine *invocation)
{
    Doctor doctor = {.os = os_linux(), .arena = invocation->arena};
    bool as_json = invocation_value(invocation, "json") != NULL;
    Buffer out = buffer_make(invocation->arena);
    JsonWriter writer = json_writer(&out);
    bool failed = false;
    read_settings(invocation, &doctor);
    if (doctor.settings.data == NULL)
        return command_fail("%.*s", SLICE_PRINT(doctor.settings_problem));
    doctor.server = os_probe_lock_holder(data_path(doctor.arena, doctor.settings.data, "lock"));
    json_write_array_begin(&writer);
    for (size_t table = 0; tables[table] != NULL; table++) {
        for (const Check *check = tables[table]; check->name != NULL; check++) {
            Finding finding = check->run(&doctor);
            failed = failed || finding.verdict == VERDICT_FAIL;
            if (as_json)
                write_finding(&writer, doctor.arena, check->name, &finding);
            else
                print_finding(check->name, &finding);
        }
    }
    json_write_array_end(&writer);
    if (as_json)
        printf("%.*s\n", SLICE_PRINT(buffer_slice(&out)));
    return failed ? EXIT_FAILED : EXIT_OK;
}

const Command command_doctor = {
    .name = "doctor",
    .words = "",
    .summary = "Looks at this machine and says what stands in a server's way.",
    .details =
        "One row for each check: OK, WARN (a server runs, but) or FAIL (it does not, or would lose data), what was "
        "found, and what to do about it. Changes nothing, and does no harm beside a running server: give it that "
        "server's --config or --data, as its user. Ends with 1 when a check failed, else with 0.",
    .options = doctor_options,
    .run = run_doctor,
};
