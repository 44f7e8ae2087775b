#include "core/poller_internal.h"

#include "base/json.h"

/* What a function that reports failures of single records answers: {"batchItemFailures": [{"itemIdentifier": ID}, …]}.
 * Nothing, null, {} and a list that is absent, null or empty say that all were processed. */

static bool mark(Map *by_id, Slice id)
{
    /* Each once: an item that is marked already is no more in the map. */
    PollerItem *item = id.size == 0 ? NULL : map_remove(by_id, id);
    if (item != NULL)
        item->failed = true;
    return item != NULL;
}

/* One of the list. */
static Error read_failure(JsonReader *reader, Map *by_id, bool *known)
{
    Slice name;
    Slice id = {0};
    TRY(json_begin_object(reader));
    for (;;) {
        TRY(json_next_member(reader, &name));
        if (name.data == NULL)
            break;
        if (slice_equal(name, SLICE("itemIdentifier")))
            TRY(json_read_string(reader, &id)); /* null is none */
        else
            TRY(json_read_any(reader, &name));
    }
    *known = mark(by_id, id);
    return OK;
}

static Error read_failures(JsonReader *reader, Map *by_id)
{
    JsonType type;
    bool more;
    TRY(json_peek(reader, &type));
    if (type == JSON_NULL)
        return json_read_null(reader);
    TRY(json_begin_array(reader));
    for (;;) {
        bool known = false;
        TRY(json_next_element(reader, &more));
        if (!more)
            return OK;
        TRY(read_failure(reader, by_id, &known));
        if (!known)
            return ERROR_NOT_FOUND;
    }
}

static Error read_answer(JsonReader *reader, Map *by_id)
{
    JsonType type;
    Slice name;
    TRY(json_peek(reader, &type));
    if (type == JSON_NULL) {
        TRY(json_read_null(reader));
        return json_read_end(reader);
    }
    if (type == JSON_STRING) {
        TRY(json_read_string(reader, &name));
        return name.size == 0 ? json_read_end(reader) : ERROR_MALFORMED;
    }
    TRY(json_begin_object(reader));
    for (;;) {
        TRY(json_next_member(reader, &name));
        if (name.data == NULL)
            return json_read_end(reader);
        if (slice_equal(name, SLICE("batchItemFailures")))
            TRY(read_failures(reader, by_id));
        else
            TRY(json_read_any(reader, &name));
    }
}

bool poller_read_answer(Slice answer, Arena *arena, PollerItem *items, size_t count)
{
    if (answer.size == 0)
        return true;
    Map by_id = map_make((MapSeed){1, 2}); /* ids are the platform's own: nobody chooses them */
    for (size_t i = 0; i < count; i++)
        if (!items[i].filtered)
            map_put(&by_id, items[i].id, &items[i]);
    JsonReader reader = json_reader(answer, arena);
    Error error = read_answer(&reader, &by_id);
    map_free(&by_id);
    return error == OK;
}
