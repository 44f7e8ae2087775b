#include "base/time_format.h"
#include "cli/data_directory.h"
#include "cli/listing.h"

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

static const Slice members[MEMBERS] = {
    [MEMBER_NAME] = SLICE_INIT("name"),
    [MEMBER_REGION] = SLICE_INIT("region"),
    [MEMBER_TYPE] = SLICE_INIT("type"),
    [MEMBER_VISIBLE] = SLICE_INIT("visible"),
    [MEMBER_IN_FLIGHT] = SLICE_INIT("in_flight"),
    [MEMBER_DELAYED] = SLICE_INIT("delayed"),
    [MEMBER_OLDEST] = SLICE_INIT("oldest_ms"),
    [MEMBER_LETTERS] = SLICE_INIT("dead_letter_queue"),
    [MEMBER_LETTER_COUNT] = SLICE_INIT("dead_letters"),
};

typedef enum Column { NAME, REGION, TYPE, VISIBLE, IN_FLIGHT, DELAYED, OLDEST, DEAD_LETTERS, COLUMNS } Column;

static const TableColumn columns[COLUMNS] = {
    [NAME] = {SLICE_INIT("NAME"), false},          [REGION] = {SLICE_INIT("REGION"), false},
    [TYPE] = {SLICE_INIT("TYPE"), false},          [VISIBLE] = {SLICE_INIT("VISIBLE"), true},
    [IN_FLIGHT] = {SLICE_INIT("IN FLIGHT"), true}, [DELAYED] = {SLICE_INIT("DELAYED"), true},
    [OLDEST] = {SLICE_INIT("OLDEST"), true},       [DEAD_LETTERS] = {SLICE_INIT("DEAD LETTERS"), false},
};

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

static void fill_row(Arena *arena, const JsonField *fields, Slice *cells)
{
    cells[NAME] = fields[MEMBER_NAME].text;
    cells[REGION] = fields[MEMBER_REGION].text;
    cells[TYPE] = fields[MEMBER_TYPE].text;
    cells[VISIBLE] = fields[MEMBER_VISIBLE].text;
    cells[IN_FLIGHT] = fields[MEMBER_IN_FLIGHT].text;
    cells[DELAYED] = fields[MEMBER_DELAYED].text;
    cells[OLDEST] = age_text(arena, fields[MEMBER_OLDEST].text);
    cells[DEAD_LETTERS] = letters_text(arena, fields);
}

static const Listing listing = {
    .path = "/queue/list",
    .members = SLICE_INIT("queues"),
    .fields = members,
    .field_count = MEMBERS,
    .columns = columns,
    .column_count = COLUMNS,
    .fill_row = fill_row,
};

static int run_queues(const CommandLine *invocation)
{
    return listing_run(invocation, &listing);
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
