#include "base/time_format.h"
#include "cli/admin_list.h"
#include "cli/command.h"
#include "cli/data_directory.h"
#include "cli/json_fields.h"
#include "cli/table.h"

#include <stdio.h>

static const Option mappings_options[] = {
    OPTION_DATA,
    {.name = "account", .argument = "DIGITS", .fallback = "000000000000", .help = "Whose mappings."},
    {.name = "region", .argument = "REGION", .help = "Those of one region; otherwise of all."},
    {.name = "json", .help = "One JSON object a line instead of a table."},
    {0},
};

/* The members of a mapping in the server's answer, and the columns of the table. */
typedef enum Member { UUID, REGION, SOURCE, FUNCTION, STATE, BREAKER, LAG, PROBLEM, MEMBERS } Member;

static const TableColumn columns[MEMBERS] = {
    [UUID] = {SLICE_INIT("UUID"), false},     [REGION] = {SLICE_INIT("REGION"), false},
    [SOURCE] = {SLICE_INIT("SOURCE"), false}, [FUNCTION] = {SLICE_INIT("FUNCTION"), false},
    [STATE] = {SLICE_INIT("STATE"), false},   [BREAKER] = {SLICE_INIT("BREAKER"), false},
    [LAG] = {SLICE_INIT("LAG"), true},        [PROBLEM] = {SLICE_INIT("PROBLEM"), false},
};

/* What is printed: a table at the end, or JSON as it comes. */
typedef struct Listing {
    Table table;
    bool json;
} Listing;

static Slice cell_of(Arena *arena, Member member, Slice text)
{
    char duration[TIME_TEXT_MAX];
    uint64_t ms;
    if (text.data == NULL)
        return SLICE("-");
    if (member == LAG && slice_parse_uint64(text, &ms))
        return arena_copy(arena, duration_format(ms / 1000 * 1000, duration));
    return text;
}

static Error take_mapping(void *user, Slice text)
{
    Listing *listing = user;
    Slice cells[MEMBERS];
    JsonField fields[MEMBERS] = {
        [UUID] = {.name = SLICE("uuid")},     [REGION] = {.name = SLICE("region")},
        [SOURCE] = {.name = SLICE("source")}, [FUNCTION] = {.name = SLICE("function")},
        [STATE] = {.name = SLICE("state")},   [BREAKER] = {.name = SLICE("breaker")},
        [LAG] = {.name = SLICE("lag_ms")},    [PROBLEM] = {.name = SLICE("problem")},
    };
    TRY(json_read_document(text, listing->table.arena, fields, MEMBERS));
    if (listing->json) {
        printf("%.*s\n", SLICE_PRINT(text));
        return OK;
    }
    for (Member member = 0; member < MEMBERS; member++)
        cells[member] = cell_of(listing->table.arena, member, fields[member].text);
    table_add(&listing->table, cells);
    return OK;
}

static int run_mappings(const CommandLine *invocation)
{
    Listing listing = {
        .table = table_make(invocation->arena, columns, MEMBERS),
        .json = invocation_value(invocation, "json") != NULL,
    };
    AdminList list = {.path = "/mapping/list", .members = SLICE("mappings"), .take = take_mapping, .user = &listing};
    const char *data;
    int code;
    if (!admin_list_options(invocation, &list, &data, &code))
        return code;
    code = admin_list_all(invocation, data, &list);
    if (code == EXIT_OK && !listing.json)
        table_print(&listing.table);
    return code;
}

const Command command_mappings = {
    .name = "mappings",
    .words = "",
    .summary = "Shows the event source mappings of an account on a running server.",
    .details =
        "By region and UUID: which queue feeds which function, the state, that of its circuit breaker where it has "
        "one, the age of the queue's oldest message, and what keeps it from working.",
    .options = mappings_options,
    .run = run_mappings,
};
