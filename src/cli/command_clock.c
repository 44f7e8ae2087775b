#include "base/time_format.h"
#include "cli/admin_client.h"
#include "cli/command.h"
#include "cli/data_directory.h"
#include "cli/json_fields.h"

#include <stdio.h>

static const Option clock_options[] = {OPTION_DATA, {0}};

static int ask_clock(const CommandLine *invocation, const char *path, Slice document)
{
    Slice answer;
    Slice message;
    uint64_t now_ms;
    const char *data = data_directory_of(invocation);
    if (data == NULL)
        return command_fail("there is no home directory: name the server's data directory with --data DIR");
    if (!admin_call(data, path, document, invocation->arena, &answer, &message))
        return command_fail("%.*s", SLICE_PRINT(message));
    JsonField fields[] = {{.name = SLICE("now_ms")}};
    if (json_read_document(answer, invocation->arena, fields, 1) != OK || !slice_parse_uint64(fields[0].text, &now_ms))
        return command_fail("the server's answer cannot be read: is it of another version?");
    char text[TIME_TEXT_MAX];
    Slice now = time_format_iso((int64_t)now_ms, text);
    printf("%.*s\n", SLICE_PRINT(now));
    return EXIT_OK;
}

static int run_clock(const CommandLine *invocation)
{
    const char *word = invocation->words[0];
    uint64_t ms;
    if (strcmp(word, "now") == 0 && invocation->word_count == 1)
        return ask_clock(invocation, "/clock/now", SLICE("{}"));
    if (invocation->word_count != 2)
        return command_misused(invocation->command, "expected `brume clock %s`", invocation->command->words);
    Slice value = slice_of_string(invocation->words[1]);
    if (strcmp(word, "advance") == 0) {
        if (duration_parse(value, &ms) != OK)
            return command_misused(invocation->command, "'%s' is no duration: write 90s, 15m, 1h30m or 30d",
                                   invocation->words[1]);
        return ask_clock(invocation, "/clock/advance",
                         arena_format(invocation->arena, "{\"by_ms\":%llu}", (unsigned long long)ms));
    }
    if (strcmp(word, "set") == 0) {
        int64_t target_ms;
        if (time_parse_iso(value, &target_ms) != OK || target_ms < 0)
            return command_misused(invocation->command, "'%s' is no time: write it as 2027-01-01T00:00:00Z",
                                   invocation->words[1]);
        return ask_clock(invocation, "/clock/set",
                         arena_format(invocation->arena, "{\"target_ms\":%llu}", (unsigned long long)target_ms));
    }
    return command_misused(invocation->command, "`brume clock` knows now, advance and set, not '%s'", word);
}

const Command command_clock = {
    .name = "clock",
    .words = "now | advance DURATION | set TIME",
    .summary = "Shows or moves the platform's time on a running server.",
    .details =
        "Moving needs a server started with --virtual-clock. Whatever falls due on the way (visibility timeouts, "
        "delays, schedules) happens, each thing at its own time, before the command ends. Durations: 90s, 15m, "
        "1h30m, 30d. Times: 2027-01-01T00:00:00Z. There is no way back.",
    .options = clock_options,
    .words_min = 1,
    .words_max = 2,
    .run = run_clock,
};
