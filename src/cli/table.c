#include "cli/table.h"

#include "base/bug.h"

#include <stdio.h>

struct TableRow {
    TableRow *next;
    const Slice *cells;
};

static void widen(Table *table, size_t column, Slice cell)
{
    if (cell.size > table->widths[column])
        table->widths[column] = cell.size;
}

Table table_make(Arena *arena, const TableColumn *columns, size_t column_count)
{
    Table table = {.arena = arena, .columns = columns, .column_count = column_count};
    ASSERT(column_count <= TABLE_COLUMNS_MAX);
    for (size_t i = 0; i < column_count; i++)
        widen(&table, i, columns[i].title);
    return table;
}

void table_add(Table *table, const Slice *cells)
{
    TableRow *row = ARENA_NEW(table->arena, TableRow);
    Slice *kept = ARENA_ARRAY(table->arena, Slice, table->column_count);
    for (size_t i = 0; i < table->column_count; i++) {
        kept[i] = cells[i];
        widen(table, i, cells[i]);
    }
    row->cells = kept;
    if (table->last == NULL)
        table->first = row;
    else
        table->last->next = row;
    table->last = row;
}

static void print_cell(const Table *table, size_t column, Slice cell)
{
    int width = column + 1 == table->column_count ? 0 : (int)table->widths[column];
    printf("%s%*.*s", column == 0 ? "" : "  ", table->columns[column].is_number ? width : -width, SLICE_PRINT(cell));
}

void table_print(const Table *table)
{
    for (size_t i = 0; i < table->column_count; i++)
        print_cell(table, i, table->columns[i].title);
    printf("\n");
    for (const TableRow *row = table->first; row != NULL; row = row->next) {
        for (size_t i = 0; i < table->column_count; i++)
            print_cell(table, i, row->cells[i]);
        printf("\n");
    }
}
