#include "cli/listing.h"

#include "base/bug.h"
#include "cli/admin_list.h"

#include <stdio.h>

/* What is printed: a table at the end, or JSON as it comes. */
typedef struct Printing {
    const Listing *listing;
    Table table;
    bool json;
} Printing;

static Error take(void *user, Slice document)
{
    Printing *printing = user;
    const Listing *listing = printing->listing;
    JsonField fields[LISTING_FIELDS_MAX] = {0};
    Slice cells[TABLE_COLUMNS_MAX] = {0};
    ASSERT(listing->field_count <= LISTING_FIELDS_MAX && listing->column_count <= TABLE_COLUMNS_MAX);
    for (size_t i = 0; i < listing->field_count; i++)
        fields[i].name = listing->fields[i];
    TRY(json_read_document(document, printing->table.arena, fields, listing->field_count));
    if (printing->json) {
        printf("%.*s\n", SLICE_PRINT(document));
        return OK;
    }
    listing->fill_row(printing->table.arena, fields, cells);
    table_add(&printing->table, cells);
    return OK;
}

int listing_run(const CommandLine *invocation, const Listing *listing)
{
    Printing printing = {
        .listing = listing,
        .table = table_make(invocation->arena, listing->columns, listing->column_count),
        .json = invocation_value(invocation, "json") != NULL,
    };
    AdminList list = {.path = listing->path, .members = listing->members, .take = take, .user = &printing};
    const char *data;
    int code;
    if (!admin_list_options(invocation, &list, &data, &code))
        return code;
    code = admin_list_all(invocation, data, &list);
    if (code == EXIT_OK && !printing.json)
        table_print(&printing.table);
    return code;
}
