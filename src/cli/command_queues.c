#include "base/time_format.h"
#include "cli/admin_client.h"
#include "cli/command.h"
#include "cli/data_directory.h"
#include "cli/json_fields.h"

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

static const Slice titles[COLUMNS] = {
    [NAME] = SLICE_INIT("NAME"),           [REGION] = SLICE_INIT("REGION"),
    [TYPE] = SLICE_INIT("TYPE"),           [VISIBLE] = SLICE_INIT("VISIBLE"),
    [IN_FLIGHT] = SLICE_INIT("IN FLIGHT"), [DELAYED] = SLICE_INIT("DELAYED"),
    [OLDEST] = SLICE_INIT("OLDEST"),       [DEAD_LETTERS] = SLICE_INIT("DEAD LETTERS"),
};

typedef struct Row Row;
struct Row {
    Row *next;
    Slice cells[COLUMNS];
};

/* All rows, since the widest decides on a column's width. */
typedef struct Table {
    Arena *arena;
    Row *first;
    Row **end;
    size_t widths[COLUMNS];
    bool json; /* rows are printed as they come, and not kept */
} Table;

/* ---- Rows ---- */

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
    Row *row = ARENA_NEW(table->arena, Row);
    *row = (Row){.cells = {
                     [NAME] = fields[MEMBER_NAME].text,
                     [REGION] = fields[MEMBER_REGION].text,
                     [TYPE] = fields[MEMBER_TYPE].text,
                     [VISIBLE] = fields[MEMBER_VISIBLE].text,
                     [IN_FLIGHT] = fields[MEMBER_IN_FLIGHT].text,
                     [DELAYED] = fields[MEMBER_DELAYED].text,
                     [OLDEST] = age_text(table->arena, fields[MEMBER_OLDEST].text),
                     [DEAD_LETTERS] = letters_text(table->arena, fields),
                 }};
    for (size_t i = 0; i < COLUMNS; i++)
        if (row->cells[i].size > table->widths[i])
            table->widths[i] = row->cells[i].size;
    *table->end = row;
    table->end = &row->next;
}

static bool is_number(Column column)
{
    return column >= VISIBLE && column <= OLDEST;
}

static void print_cells(const Table *table, const Slice *cells)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        int width = i + 1 == COLUMNS ? 0 : (int)table->widths[i];
        printf("%s%*.*s", i == 0 ? "" : "  ", is_number((Column)i) ? width : -width, SLICE_PRINT(cells[i]));
    }
    printf("\n");
}

static void print_table(const Table *table)
{
    print_cells(table, titles);
    for (const Row *row = table->first; row != NULL; row = row->next)
        print_cells(table, row->cells);
}

/* ---- Asking ---- */

/* Where the next page begins. */
typedef struct Place {
    Slice account;
    Slice region;       /* absent: the first behind `after_region` */
    Slice after_region; /* "" at first */
    Slice after;        /* absent: from the first queue */
} Place;

static void write_text(JsonWriter *writer, Slice name, Slice value)
{
    if (value.data == NULL)
        return;
    json_write_name(writer, name);
    json_write_string(writer, value);
}

static Slice document_of(Arena *arena, const Place *place)
{
    Buffer out = buffer_make(arena);
    JsonWriter writer = json_writer(&out);
    json_write_object_begin(&writer);
    write_text(&writer, SLICE("account"), place->account);
    write_text(&writer, SLICE("region"), place->region);
    write_text(&writer, SLICE("after_region"), place->after_region);
    write_text(&writer, SLICE("after"), place->after);
    json_write_object_end(&writer);
    return buffer_slice(&out);
}

static Error read_queue(Table *table, Slice text)
{
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
    TRY(json_read_document(text, table->arena, fields, MEMBERS));
    if (table->json)
        printf("%.*s\n", SLICE_PRINT(text));
    else
        add_row(table, fields);
    return OK;
}

/* Reads a page; `region` and `after` are the answer's. */
static Error read_page(Table *table, Slice answer, Slice *region, Slice *after)
{
    JsonReader reader = json_reader(answer, table->arena);
    *region = *after = (Slice){0};
    TRY(json_begin_object(&reader));
    for (;;) {
        Slice name;
        TRY(json_next_member(&reader, &name));
        if (name.data == NULL)
            return json_read_end(&reader);
        if (!slice_equal(name, SLICE("queues"))) {
            TRY(json_read_string(&reader, slice_equal(name, SLICE("region")) ? region : after));
            continue;
        }
        TRY(json_begin_array(&reader));
        for (bool more;;) {
            Slice queue;
            TRY(json_next_element(&reader, &more));
            if (!more)
                break;
            TRY(json_read_any(&reader, &queue));
            TRY(read_queue(table, queue));
        }
    }
}

/* Asks page by page, and region by region when none was named. */
static int read_all(const CommandLine *invocation, const char *data, Place place, Table *table)
{
    bool one_region = place.region.data != NULL;
    for (;;) {
        Slice answer;
        Slice message;
        Slice region;
        if (!admin_call(data, "/queue/list", document_of(invocation->arena, &place), invocation->arena, &answer,
                        &message))
            return command_fail("%.*s", SLICE_PRINT(message));
        if (read_page(table, answer, &region, &place.after) != OK)
            return command_fail("the server's answer cannot be read: is it of another version?");
        if (place.after.data != NULL) {
            place.region = region;
            continue;
        }
        if (one_region || region.data == NULL)
            return EXIT_OK;
        place.region = (Slice){0};
        place.after_region = region;
    }
}

static Slice option_of(const CommandLine *invocation, const char *name)
{
    const char *value = invocation_value(invocation, name);
    return value == NULL ? (Slice){0} : slice_of_string(value);
}

static int run_queues(const CommandLine *invocation)
{
    const char *data = data_directory_of(invocation);
    Table table = {.arena = invocation->arena, .json = invocation_value(invocation, "json") != NULL};
    Place place = {
        .account = option_of(invocation, "account"),
        .region = option_of(invocation, "region"),
        .after_region = SLICE(""),
    };
    table.end = &table.first;
    for (size_t i = 0; i < COLUMNS; i++)
        table.widths[i] = titles[i].size;
    if (data == NULL)
        return command_fail("there is no home directory: name the server's data directory with --data DIR");
    if (!utf8_is_valid(place.region) || !utf8_is_valid(place.account))
        return command_misused(invocation->command, "the account or the region is not valid UTF-8");
    int code = read_all(invocation, data, place, &table);
    if (code == EXIT_OK && !table.json)
        print_table(&table);
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
