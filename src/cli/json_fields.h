/* json_fields.h: flat JSON objects, as administration speaks: reading named strings and numbers out of one. Pure. */
#ifndef BRUME_CLI_JSON_FIELDS_H
#define BRUME_CLI_JSON_FIELDS_H

#include "base/json.h"

typedef struct JsonField {
    Slice name;
    Slice text; /* out: a string's value, a number's text; absent when it was not there or null */
} JsonField;

/* Fills the fields from one object that `reader` stands before; members with other names are skipped. */
Error json_read_fields(JsonReader *reader, JsonField *fields, size_t count);

/* The same for a whole document. */
Error json_read_document(Slice document, Arena *arena, JsonField *fields, size_t count);

#endif
