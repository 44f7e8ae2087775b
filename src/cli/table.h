/* table.h: rows for people: columns as wide as their widest cell, numbers to the right. On one thread; prints on standard
 * output. */
#ifndef BRUME_CLI_TABLE_H
#define BRUME_CLI_TABLE_H

#include "base/arena.h"

enum { TABLE_COLUMNS_MAX = 16 };

typedef struct TableColumn {
    Slice title;
    bool is_number;
} TableColumn;

typedef struct TableRow TableRow;
typedef struct Table {
    Arena *arena;
    const TableColumn *columns;
    size_t column_count;
    size_t widths[TABLE_COLUMNS_MAX];
    TableRow *first;
    TableRow *last;
} Table;

/* Empty; what it is made of must outlive it. */
Table table_make(Arena *arena, const TableColumn *columns, size_t column_count);
/* One cell for each column; they are views, and must live until the table is printed. */
void table_add(Table *table, const Slice *cells);
/* The titles, then the rows in the order in which they were added. */
void table_print(const Table *table);

#endif
