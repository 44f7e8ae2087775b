#include "base/json.h"
#include "base/time_format.h"
#include "cli/admin_client.h"
#include "cli/admin_list.h"
#include "cli/command.h"
#include "cli/data_directory.h"
#include "cli/json_fields.h"
#include "cli/table.h"

#include <stdio.h>

static const Option breakers_options[] = {
    OPTION_DATA,
    {.name = "account", .argument = "DIGITS", .fallback = "000000000000", .help = "Whose breakers."},
    {.name = "region", .argument = "REGION", .help = "Those of one region; otherwise of all. `reset`: us-east-1."},
    {.name = "json", .help = "One JSON object a line instead of a table."},
    {0},
};

/* The members of a breaker in the server's answer. */
typedef enum Member {
    MEMBER_NAME,
    MEMBER_REGION,
    MEMBER_STATE,
    MEMBER_FAILURES,
    MEMBER_THRESHOLD,
    MEMBER_RECOVERY,
    MEMBER_PROBE,
    MEMBERS,
} Member;

typedef enum Column { NAME, REGION, STATE, FAILURES, RECOVERY, PROBE, COLUMNS } Column;

static const TableColumn columns[COLUMNS] = {
    [NAME] = {SLICE_INIT("NAME"), false},         [REGION] = {SLICE_INIT("REGION"), false},
    [STATE] = {SLICE_INIT("STATE"), false},       [FAILURES] = {SLICE_INIT("FAILURES"), true},
    [RECOVERY] = {SLICE_INIT("RECOVERY"), false}, [PROBE] = {SLICE_INIT("NEXT PROBE"), false},
};

/* What is printed: a table at the end, or JSON as it comes. */
typedef struct Listing {
    Table table;
    bool json;
} Listing;

static Error read_breaker(Slice document, Arena *arena, JsonField fields[MEMBERS])
{
    static const Slice names[MEMBERS] = {
        [MEMBER_NAME] = SLICE_INIT("name"),
        [MEMBER_REGION] = SLICE_INIT("region"),
        [MEMBER_STATE] = SLICE_INIT("state"),
        [MEMBER_FAILURES] = SLICE_INIT("failures"),
        [MEMBER_THRESHOLD] = SLICE_INIT("failure_threshold"),
        [MEMBER_RECOVERY] = SLICE_INIT("recovery_ms"),
        [MEMBER_PROBE] = SLICE_INIT("probe_in_ms"),
    };
    for (size_t i = 0; i < MEMBERS; i++)
        fields[i] = (JsonField){.name = names[i]};
    return json_read_document(document, arena, fields, MEMBERS);
}

/* "1m30s"; less than a second as milliseconds. */
static Slice duration_text(Arena *arena, Slice value)
{
    char text[TIME_TEXT_MAX];
    uint64_t ms;
    if (!slice_parse_uint64(value, &ms))
        return SLICE("-");
    if (ms % 1000 != 0 && ms < 1000)
        return arena_format(arena, "%llums", (unsigned long long)ms);
    return arena_copy(arena, duration_format(ms / 1000 * 1000, text));
}

static Error take_breaker(void *user, Slice document)
{
    Listing *listing = user;
    Arena *arena = listing->table.arena;
    JsonField fields[MEMBERS];
    TRY(read_breaker(document, arena, fields));
    if (listing->json) {
        printf("%.*s\n", SLICE_PRINT(document));
        return OK;
    }
    const Slice cells[COLUMNS] = {
        [NAME] = fields[MEMBER_NAME].text,
        [REGION] = fields[MEMBER_REGION].text,
        [STATE] = fields[MEMBER_STATE].text,
        [FAILURES] = arena_format(arena, "%.*s of %.*s", SLICE_PRINT(fields[MEMBER_FAILURES].text),
                                  SLICE_PRINT(fields[MEMBER_THRESHOLD].text)),
        [RECOVERY] = duration_text(arena, fields[MEMBER_RECOVERY].text),
        [PROBE] = duration_text(arena, fields[MEMBER_PROBE].text),
    };
    table_add(&listing->table, cells);
    return OK;
}

static int list_breakers(const CommandLine *invocation, AdminList *list, const char *data)
{
    Listing listing = {
        .table = table_make(invocation->arena, columns, COLUMNS),
        .json = invocation_value(invocation, "json") != NULL,
    };
    list->path = "/breaker/list";
    list->members = SLICE("breakers");
    list->take = take_breaker;
    list->user = &listing;
    int code = admin_list_all(invocation, data, list);
    if (code == EXIT_OK && !listing.json)
        table_print(&listing.table);
    return code;
}

static int reset_breaker(const CommandLine *invocation, const AdminList *list, const char *data, Slice name)
{
    Slice answer;
    Slice message;
    JsonField fields[MEMBERS];
    Buffer out = buffer_make(invocation->arena);
    JsonWriter writer = json_writer(&out);
    if (!utf8_is_valid(name))
        return command_misused(invocation->command, "the breaker's name is not valid UTF-8");
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("account"));
    json_write_string(&writer, list->account);
    json_write_name(&writer, SLICE("region"));
    json_write_string(&writer, list->region.data == NULL ? SLICE("us-east-1") : list->region);
    json_write_name(&writer, SLICE("name"));
    json_write_string(&writer, name);
    json_write_object_end(&writer);
    if (!admin_call(data, "/breaker/reset", buffer_slice(&out), invocation->arena, &answer, &message))
        return command_fail("%.*s", SLICE_PRINT(message));
    if (read_breaker(answer, invocation->arena, fields) != OK)
        return command_fail("the server's answer cannot be read: is it of another version?");
    printf("%.*s is closed; it was %.*s, with %.*s failures in a row\n", SLICE_PRINT(name),
           SLICE_PRINT(fields[MEMBER_STATE].text), SLICE_PRINT(fields[MEMBER_FAILURES].text));
    return EXIT_OK;
}

static int run_breakers(const CommandLine *invocation)
{
    AdminList list = {0};
    const char *data;
    int code;
    if (!admin_list_options(invocation, &list, &data, &code))
        return code;
    const char *word = invocation->word_count > 0 ? invocation->words[0] : "list";
    if (strcmp(word, "list") == 0 && invocation->word_count < 2)
        return list_breakers(invocation, &list, data);
    if (strcmp(word, "reset") == 0 && invocation->word_count == 2)
        return reset_breaker(invocation, &list, data, slice_of_string(invocation->words[1]));
    return command_misused(invocation->command, "expected `brume breakers %s`", invocation->command->words);
}

const Command command_breakers = {
    .name = "breakers",
    .words = "[list] | reset NAME",
    .summary = "Shows the circuit breakers of an account on a running server, and closes them.",
    .details =
        "By region and name: those that have failed since they were closed last, their failures in a row, for how "
        "long they stay open, and when the next call is let through. `reset` forgets the failures of one.",
    .options = breakers_options,
    .words_min = 0,
    .words_max = 2,
    .run = run_breakers,
};
