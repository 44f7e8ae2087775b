/* listing.h: a command that shows everything of one kind that an account has on a running server: a table, or an object of
 * JSON a line. What is particular to the kind is a Listing. Blocks, as commands do. */
#ifndef BRUME_CLI_LISTING_H
#define BRUME_CLI_LISTING_H

#include "cli/command.h"
#include "cli/json_fields.h"
#include "cli/table.h"

enum { LISTING_FIELDS_MAX = 24 };

typedef struct Listing {
    const char *path; /* of the server's administration: "/queue/list" */
    Slice members;    /* what its answer calls them: "queues" */
    const Slice *fields;
    size_t field_count; /* at most LISTING_FIELDS_MAX */
    const TableColumn *columns;
    size_t column_count;
    /* Makes the cells of a row, of the fields in their order. They may lie in the arena. */
    void (*fill_row)(Arena *arena, const JsonField *fields, Slice *cells);
} Listing;

/* Runs the command, which has the options data, account, region and json. */
int listing_run(const CommandLine *invocation, const Listing *listing);

#endif
