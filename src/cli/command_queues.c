#include "base/time_format.h"
#include "cli/admin_list.h"
#include "cli/command.h"
#include "cli/data_directory.h"
#include "cli/json_fields.h"
#include "cli/table.h"

#include <stdio.h>

static const Option queues_options[] = {
    OPTION_DATA,
    {.name = "account", .argument = "DIGITS", .fallback = "000000000000", .help = "Whose queues."},
    {.name = "region", .argument = "REGION", .help = "Those of one region; otherwise of all."},
    {.name = "json", .help = "One JSON object a line instead of a table."},
    {0},
};

/* The members of a queue in the server's answer. */
typedef enum Member {
    MEMBER_NAME,
    MEMBER_REGION,
    MEMBER_TYPE,
    MEMBER_VISIBLE,
    MEMBER_IN_FLIGHT,
    MEMBER_DELAYED,
    MEMBER_OLDEST,
    MEMBER_LETTERS,
    MEMBER_LETTER_COUNT,
    MEMBERS,
} Member;

typedef enum Column { NAME, REGION, TYPE, VISIBLE, IN_FLIGHT, DELAYED, OLDEST, DEAD_LETTERS, COLUMNS } Column;

static const TableColumn columns[COLUMNS] = {
    [NAME] = {SLICE_INIT("NAME"), false},          [REGION] = {SLICE_INIT("REGION"), false},
    [TYPE] = {SLICE_INIT("TYPE"), false},          [VISIBLE] = {SLICE_INIT("VISIBLE"), true},
    [IN_FLIGHT] = {SLICE_INIT("IN FLIGHT"), true}, [DELAYED] = {SLICE_INIT("DELAYED"), true},
    [OLDEST] = {SLICE_INIT("OLDEST"), true},       [DEAD_LETTERS] = {SLICE_INIT("DEAD LETTERS"), false},
};

/* What is printed: a table at the end, or JSON as it comes. */
typedef struct Listing {
    Table table;
    bool json;
} Listing;

static Slice age_text(Arena *arena, Slice age)
{
    char text[TIME_TEXT_MAX];
    uint64_t ms;
    if (!slice_parse_uint64(age, &ms))
        return SLICE("-");
    return arena_copy(arena, duration_format(ms / 1000 * 1000, text));
}

static Slice letters_text(Arena *arena, const JsonField *fields)
{
    if (fields[MEMBER_LETTERS].text.data == NULL)
        return SLICE("-");
    Slice count = fields[MEMBER_LETTER_COUNT].text;
    return arena_format(arena, "%.*s (%.*s)", SLICE_PRINT(fields[MEMBER_LETTERS].text),
                        SLICE_PRINT(count.data == NULL ? SLICE("does not exist") : count));
}

static void add_row(Table *table, const JsonField *fields)
{
    const Slice cells[COLUMNS] = {
        [NAME] = fields[MEMBER_NAME].text,
        [REGION] = fields[MEMBER_REGION].text,
        [TYPE] = fields[MEMBER_TYPE].text,
        [VISIBLE] = fields[MEMBER_VISIBLE].text,
        [IN_FLIGHT] = fields[MEMBER_IN_FLIGHT].text,
        [DELAYED] = fields[MEMBER_DELAYED].text,
        [OLDEST] = age_text(table->arena, fields[MEMBER_OLDEST].text),
        [DEAD_LETTERS] = letters_text(table->arena, fields),
    };
    table_add(table, cells);
}

static Error take_queue(void *user, Slice text)
{
    Listing *listing = user;
    JsonField fields[MEMBERS] = {
        [MEMBER_NAME] = {.name = SLICE("name")},
        [MEMBER_REGION] = {.name = SLICE("region")},
        [MEMBER_TYPE] = {.name = SLICE("type")},
        [MEMBER_VISIBLE] = {.name = SLICE("visible")},
        [MEMBER_IN_FLIGHT] = {.name = SLICE("in_flight")},
        [MEMBER_DELAYED] = {.name = SLICE("delayed")},
        [MEMBER_OLDEST] = {.name = SLICE("oldest_ms")},
        [MEMBER_LETTERS] = {.name = SLICE("dead_letter_queue")},
        [MEMBER_LETTER_COUNT] = {.name = SLICE("dead_letters")},
    };
    TRY(json_read_document(text, listing->table.arena, fields, MEMBERS));
    if (listing->json)
        printf("%.*s\n", SLICE_PRINT(text));
    else
        add_row(&listing->table, fields);
    return OK;
}

static int run_queues(const CommandLine *invocation)
{
    Listing listing = {
        .table = table_make(invocation->arena, columns, COLUMNS),
        .json = invocation_value(invocation, "json") != NULL,
    };
    AdminList list = {.path = "/queue/list", .members = SLICE("queues"), .take = take_queue, .user = &listing};
    const char *data;
    int code;
    if (!admin_list_options(invocation, &list, &data, &code))
        return code;
    code = admin_list_all(invocation, data, &list);
    if (code == EXIT_OK && !listing.json)
        table_print(&listing.table);
    return code;
}

const Command command_queues = {
    .name = "queues",
    .words = "",
    .summary = "Shows the queues of an account on a running server.",
    .details = "By region and name: messages that can be received, that are in flight and that are delayed, the age of "
               "the oldest, and the dead-letter queue with the messages that can be received from it.",
    .options = queues_options,
    .run = run_queues,
};
