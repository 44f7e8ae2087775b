#include "base/time_format.h"
#include "cli/data_directory.h"
#include "cli/listing.h"

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
    MEMBER_BREAKER,
    MEMBERS,
} Member;

static const Slice members[MEMBERS] = {
    [MEMBER_NAME] = SLICE_INIT("name"),
    [MEMBER_REGION] = SLICE_INIT("region"),
    [MEMBER_RUNTIME] = SLICE_INIT("runtime"),
    [MEMBER_STATE] = SLICE_INIT("state"),
    [MEMBER_MEMORY] = SLICE_INIT("memory_mb"),
    [MEMBER_VERSION] = SLICE_INIT("last_version"),
    [MEMBER_RESERVED] = SLICE_INIT("reserved"),
    [MEMBER_PROVISIONED] = SLICE_INIT("provisioned"),
    [MEMBER_READY] = SLICE_INIT("provisioned_ready"),
    [MEMBER_WORKERS] = SLICE_INIT("workers"),
    [MEMBER_BUSY] = SLICE_INIT("busy"),
    [MEMBER_EVENTS] = SLICE_INIT("events"),
    [MEMBER_MORE_EVENTS] = SLICE_INIT("more_events"),
    [MEMBER_OLDEST] = SLICE_INIT("oldest_event_ms"),
    [MEMBER_BREAKER] = SLICE_INIT("breaker"),
};

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
    BREAKER,
    COLUMNS
} Column;

static const TableColumn columns[COLUMNS] = {
    [NAME] = {SLICE_INIT("NAME"), false},        [REGION] = {SLICE_INIT("REGION"), false},
    [RUNTIME] = {SLICE_INIT("RUNTIME"), false},  [STATE] = {SLICE_INIT("STATE"), false},
    [MEMORY] = {SLICE_INIT("MEMORY"), true},     [VERSION] = {SLICE_INIT("VERSION"), true},
    [RESERVED] = {SLICE_INIT("RESERVED"), true}, [PROVISIONED] = {SLICE_INIT("PROVISIONED"), true},
    [WORKERS] = {SLICE_INIT("WORKERS"), true},   [BUSY] = {SLICE_INIT("BUSY"), true},
    [EVENTS] = {SLICE_INIT("EVENTS"), true},     [OLDEST] = {SLICE_INIT("OLDEST"), true},
    [BREAKER] = {SLICE_INIT("BREAKER"), false},
};

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
    char text[TIME_TEXT_MAX];
    return arena_copy(arena, duration_format(age_ms / 1000 * 1000, text));
}

static void fill_row(Arena *arena, const JsonField *fields, Slice *cells)
{
    bool is_published = !slice_equal(fields[MEMBER_VERSION].text, SLICE("0"));
    cells[NAME] = fields[MEMBER_NAME].text;
    cells[REGION] = fields[MEMBER_REGION].text;
    cells[RUNTIME] = fields[MEMBER_RUNTIME].text;
    cells[STATE] = fields[MEMBER_STATE].text;
    cells[MEMORY] = arena_format(arena, "%.*s MB", SLICE_PRINT(fields[MEMBER_MEMORY].text));
    cells[VERSION] = is_published ? fields[MEMBER_VERSION].text : SLICE("$LATEST");
    /* None may run at all: not the same as none reserved. */
    cells[RESERVED] = fields[MEMBER_RESERVED].text.data == NULL ? SLICE("-") : fields[MEMBER_RESERVED].text;
    cells[PROVISIONED] = provisioned_text(arena, fields);
    cells[WORKERS] = fields[MEMBER_WORKERS].text;
    cells[BUSY] = fields[MEMBER_BUSY].text;
    cells[EVENTS] = arena_format(arena, "%.*s%s", SLICE_PRINT(or_dash(fields[MEMBER_EVENTS].text)),
                                 slice_equal(fields[MEMBER_MORE_EVENTS].text, SLICE("1")) ? "+" : "");
    cells[OLDEST] = age_text(arena, fields[MEMBER_OLDEST].text);
    cells[BREAKER] = or_dash(fields[MEMBER_BREAKER].text);
}

static const Listing listing = {
    .path = "/function/list",
    .members = SLICE_INIT("functions"),
    .fields = members,
    .field_count = MEMBERS,
    .columns = columns,
    .column_count = COLUMNS,
    .fill_row = fill_row,
};

static int run_functions(const CommandLine *invocation)
{
    return listing_run(invocation, &listing);
}

const Command command_functions = {
    .name = "functions",
    .words = "",
    .summary = "Shows the functions of an account on a running server.",
    .details =
        "By region and name: runtime, state and memory of $LATEST, the last version that was published, reserved and "
        "provisioned concurrency (ready/asked for), workers that are alive and that are busy, and "
        "events that wait or run (+: at least) with the age of the oldest, and the circuit breaker of the mappings "
        "that feed it: where there are more, the one that lets least through.",
    .options = functions_options,
    .run = run_functions,
};
