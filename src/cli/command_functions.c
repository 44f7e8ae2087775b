#include "cli/admin_list.h"
#include "cli/command.h"
#include "cli/data_directory.h"
#include "cli/json_fields.h"
#include "cli/table.h"

#include <stdio.h>

static const Option functions_options[] = {
    OPTION_DATA,
    {.name = "account", .argument = "DIGITS", .fallback = "000000000000", .help = "Whose functions."},
    {.name = "region", .argument = "REGION", .help = "Those of one region; otherwise of all."},
    {.name = "json", .help = "One JSON object a line instead of a table."},
    {0},
};

/* The members of a function in the server's answer. */
typedef enum Member {
    MEMBER_NAME,
    MEMBER_REGION,
    MEMBER_RUNTIME,
    MEMBER_STATE,
    MEMBER_MEMORY,
    MEMBER_VERSION,
    MEMBER_RESERVED,
    MEMBER_PROVISIONED,
    MEMBER_READY,
    MEMBER_WORKERS,
    MEMBER_BUSY,
    MEMBER_EVENTS,
    MEMBER_MORE_EVENTS,
    MEMBER_OLDEST,
    MEMBERS,
} Member;

typedef enum Column {
    NAME,
    REGION,
    RUNTIME,
    STATE,
    MEMORY,
    VERSION,
    RESERVED,
    PROVISIONED,
    WORKERS,
    BUSY,
    EVENTS,
    OLDEST,
    COLUMNS
} Column;

static const TableColumn columns[COLUMNS] = {
    [NAME] = {SLICE_INIT("NAME"), false},        [REGION] = {SLICE_INIT("REGION"), false},
    [RUNTIME] = {SLICE_INIT("RUNTIME"), false},  [STATE] = {SLICE_INIT("STATE"), false},
    [MEMORY] = {SLICE_INIT("MEMORY"), true},     [VERSION] = {SLICE_INIT("VERSION"), true},
    [RESERVED] = {SLICE_INIT("RESERVED"), true}, [PROVISIONED] = {SLICE_INIT("PROVISIONED"), true},
    [WORKERS] = {SLICE_INIT("WORKERS"), true},   [BUSY] = {SLICE_INIT("BUSY"), true},
    [EVENTS] = {SLICE_INIT("EVENTS"), true},     [OLDEST] = {SLICE_INIT("OLDEST"), true},
};

typedef struct Listing {
    Table table;
    bool json;
} Listing;

static Slice or_dash(Slice text)
{
    return text.data == NULL || slice_equal(text, SLICE("0")) ? SLICE("-") : text;
}

/* "2/5": that many are ready of those that were asked for. */
static Slice provisioned_text(Arena *arena, const JsonField *fields)
{
    if (slice_equal(or_dash(fields[MEMBER_PROVISIONED].text), SLICE("-")))
        return SLICE("-");
    return arena_format(arena, "%.*s/%.*s", SLICE_PRINT(fields[MEMBER_READY].text),
                        SLICE_PRINT(fields[MEMBER_PROVISIONED].text));
}

/* In whole seconds. */
static Slice age_text(Arena *arena, Slice milliseconds)
{
    uint64_t age_ms;
    if (!slice_parse_uint64(milliseconds, &age_ms) || age_ms == 0)
        return SLICE("-");
    return arena_format(arena, "%ju s", (uintmax_t)(age_ms / 1000));
}

static void add_row(Table *table, const JsonField *fields)
{
    bool is_published = !slice_equal(fields[MEMBER_VERSION].text, SLICE("0"));
    const Slice cells[COLUMNS] = {
        [NAME] = fields[MEMBER_NAME].text,
        [REGION] = fields[MEMBER_REGION].text,
        [RUNTIME] = fields[MEMBER_RUNTIME].text,
        [STATE] = fields[MEMBER_STATE].text,
        [MEMORY] = arena_format(table->arena, "%.*s MB", SLICE_PRINT(fields[MEMBER_MEMORY].text)),
        [VERSION] = is_published ? fields[MEMBER_VERSION].text : SLICE("$LATEST"),
        /* None may run at all: not the same as none reserved. */
        [RESERVED] = fields[MEMBER_RESERVED].text.data == NULL ? SLICE("-") : fields[MEMBER_RESERVED].text,
        [PROVISIONED] = provisioned_text(table->arena, fields),
        [WORKERS] = fields[MEMBER_WORKERS].text,
        [BUSY] = fields[MEMBER_BUSY].text,
        [EVENTS] = arena_format(table->arena, "%.*s%s", SLICE_PRINT(or_dash(fields[MEMBER_EVENTS].text)),
                                slice_equal(fields[MEMBER_MORE_EVENTS].text, SLICE("1")) ? "+" : ""),
        [OLDEST] = age_text(table->arena, fields[MEMBER_OLDEST].text),
    };
    table_add(table, cells);
}

static Error take_function(void *user, Slice text)
{
    Listing *listing = user;
    JsonField fields[MEMBERS] = {
        [MEMBER_NAME] = {.name = SLICE("name")},
        [MEMBER_REGION] = {.name = SLICE("region")},
        [MEMBER_RUNTIME] = {.name = SLICE("runtime")},
        [MEMBER_STATE] = {.name = SLICE("state")},
        [MEMBER_MEMORY] = {.name = SLICE("memory_mb")},
        [MEMBER_VERSION] = {.name = SLICE("last_version")},
        [MEMBER_RESERVED] = {.name = SLICE("reserved")},
        [MEMBER_PROVISIONED] = {.name = SLICE("provisioned")},
        [MEMBER_READY] = {.name = SLICE("provisioned_ready")},
        [MEMBER_WORKERS] = {.name = SLICE("workers")},
        [MEMBER_BUSY] = {.name = SLICE("busy")},
        [MEMBER_EVENTS] = {.name = SLICE("events")},
        [MEMBER_MORE_EVENTS] = {.name = SLICE("more_events")},
        [MEMBER_OLDEST] = {.name = SLICE("oldest_event_ms")},
    };
    TRY(json_read_document(text, listing->table.arena, fields, MEMBERS));
    if (listing->json)
        printf("%.*s\n", SLICE_PRINT(text));
    else
        add_row(&listing->table, fields);
    return OK;
}

static int run_functions(const CommandLine *invocation)
{
    Listing listing = {
        .table = table_make(invocation->arena, columns, COLUMNS),
        .json = invocation_value(invocation, "json") != NULL,
    };
    AdminList list = {.path = "/function/list", .members = SLICE("functions"), .take = take_function, .user = &listing};
    const char *data;
    int code;
    if (!admin_list_options(invocation, &list, &data, &code))
        return code;
    code = admin_list_all(invocation, data, &list);
    if (code == EXIT_OK && !listing.json)
        table_print(&listing.table);
    return code;
}

const Command command_functions = {
    .name = "functions",
    .words = "",
    .summary = "Shows the functions of an account on a running server.",
    .details =
        "By region and name: runtime, state and memory of $LATEST, the last version that was published, reserved and "
        "provisioned concurrency (ready/asked for), workers that are alive and that are busy, and "
        "events that wait or run (+: at least) with the age of the oldest.",
    .options = functions_options,
    .run = run_functions,
};
