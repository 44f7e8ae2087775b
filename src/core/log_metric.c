#include "core/log_metric.h"

#include "core/log_internal.h"

/* Keys, under (account, region, KIND_LOG_METRIC):
 *   'g' group name  → a filter
 *   'n' name group  → nothing: the filters of all groups, by name */
enum { TAG_FILTER = 'g', TAG_NAME = 'n' };
enum { SCHEMA_FILTER = 1, SCHEMA_NAME = 1 };
enum { FILTERS_LOOKED_AT = 1000 }; /* by one page of a list */

/* ---- Keys ---- */

static Slice filter_key(Txn *txn, Slice account, Slice region, uint64_t group, Slice name)
{
    Buffer key = key_start(txn_arena(txn), account, region, KIND_LOG_METRIC);
    key_add_tag(&key, TAG_FILTER);
    key_add_uint64(&key, group);
    key_add_string(&key, name);
    return buffer_slice(&key);
}

static Slice name_key(Txn *txn, const LogGroup *group, Slice name)
{
    Buffer key = key_start(txn_arena(txn), group->account, group->region, KIND_LOG_METRIC);
    key_add_tag(&key, TAG_NAME);
    key_add_string(&key, name);
    key_add_uint64(&key, group->number);
    return buffer_slice(&key);
}

/* The beginning of the keys of a group's filters; `group` NULL: of the names of all. */
static Buffer list_prefix(Txn *txn, Slice account, Slice region, const LogGroup *group)
{
    Buffer key = key_start(txn_arena(txn), account, region, KIND_LOG_METRIC);
    key_add_tag(&key, group == NULL ? TAG_NAME : TAG_FILTER);
    if (group != NULL)
        key_add_uint64(&key, group->number);
    return key;
}

/* ---- Values ---- */

static Slice write_filter(Txn *txn, const LogMetricFilter *filter)
{
    uint64_t bits;
    memcpy(&bits, &filter->default_value, sizeof bits);
    Buffer value = value_start(txn_arena(txn), SCHEMA_FILTER);
    value_add_uint64(&value, filter->created_ms);
    value_add_bytes(&value, filter->group);
    value_add_bytes(&value, filter->pattern);
    value_add_bytes(&value, filter->namespace_name);
    value_add_bytes(&value, filter->metric);
    value_add_bytes(&value, filter->value);
    value_add_optional(&value, filter->unit);
    value_add_uint64(&value, filter->has_default);
    value_add_uint64(&value, bits);
    value_add_uint64(&value, filter->dimensions.count);
    for (size_t i = 0; i < filter->dimensions.count; i++) {
        value_add_bytes(&value, filter->dimensions.items[i].key);
        value_add_bytes(&value, filter->dimensions.items[i].value);
    }
    return buffer_slice(&value);
}

static Error read_dimensions(Slice value, Arena *arena, Labels *dimensions)
{
    uint64_t count;
    TRY(value_take_uint64(&value, &count));
    if (count > LOG_METRIC_DIMENSIONS_MAX)
        return ERROR_MALFORMED;
    dimensions->items = ARENA_ARRAY(arena, Label, count + 1);
    dimensions->count = count;
    for (size_t i = 0; i < count; i++) {
        TRY(value_take_bytes(&value, &dimensions->items[i].key));
        TRY(value_take_bytes(&value, &dimensions->items[i].value));
    }
    return OK;
}

/* Views into `value`, which lies in `arena`. */
static Error read_filter(Slice value, Arena *arena, LogMetricFilter *filter)
{
    uint8_t schema;
    uint64_t has_default;
    uint64_t bits;
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_FILTER)
        return ERROR_FORMAT;
    TRY(value_take_uint64(&value, &filter->created_ms));
    TRY(value_take_bytes(&value, &filter->group));
    TRY(value_take_bytes(&value, &filter->pattern));
    TRY(value_take_bytes(&value, &filter->namespace_name));
    TRY(value_take_bytes(&value, &filter->metric));
    TRY(value_take_bytes(&value, &filter->value));
    TRY(value_take_optional(&value, &filter->unit));
    TRY(value_take_uint64(&value, &has_default));
    TRY(value_take_uint64(&value, &bits));
    filter->has_default = has_default != 0;
    memcpy(&filter->default_value, &bits, sizeof bits);
    return read_dimensions(value, arena, &filter->dimensions);
}

/* ---- Changing ---- */

Error log_metric_put(Txn *txn, LogGroup *group, LogMetricFilter *filter)
{
    Slice value;
    bool found;
    LogMetricFilter before = {0};
    Slice key = filter_key(txn, group->account, group->region, group->number, filter->name);
    TRY(txn_get(txn, key, &value, &found));
    if (!found && group->measured >= LOG_METRIC_FILTERS_MAX)
        return LOG_METRIC_FILTER_LIMIT;
    if (found)
        TRY(read_filter(value, txn_arena(txn), &before));
    filter->created_ms = found ? before.created_ms : txn_now(txn);
    filter->group = group->name;
    txn_put(txn, key, write_filter(txn, filter));
    if (!found) {
        Buffer name = value_start(txn_arena(txn), SCHEMA_NAME);
        txn_put(txn, name_key(txn, group, filter->name), buffer_slice(&name));
        group->measured++;
        log_group_put(txn, group);
    }
    return OK;
}

static void drop(Txn *txn, const LogGroup *group, Slice name)
{
    txn_delete(txn, filter_key(txn, group->account, group->region, group->number, name));
    txn_delete(txn, name_key(txn, group, name));
}

Error log_metric_delete(Txn *txn, LogGroup *group, Slice name)
{
    Slice value;
    bool found;
    TRY(txn_get(txn, filter_key(txn, group->account, group->region, group->number, name), &value, &found));
    if (!found)
        return LOG_METRIC_FILTER_NOT_FOUND;
    drop(txn, group, name);
    group->measured--;
    log_group_put(txn, group);
    return OK;
}

Error log_metric_delete_all(Txn *txn, const LogGroup *group)
{
    LogMetricFilter *filters;
    size_t count;
    TRY(log_metric_list(txn, group, txn_arena(txn), &filters, &count));
    for (size_t i = 0; i < count; i++)
        drop(txn, group, filters[i].name);
    return OK;
}

/* ---- Reading ---- */

Error log_metric_list(Txn *txn, const LogGroup *group, Arena *arena, LogMetricFilter **filters, size_t *count)
{
    Slice key;
    Slice value;
    Error error = OK;
    *count = 0;
    *filters = NULL;
    if (group->measured == 0)
        return OK;
    *filters = ARENA_ARRAY(arena, LogMetricFilter, LOG_METRIC_FILTERS_MAX);
    Buffer prefix = list_prefix(txn, group->account, group->region, group);
    Cursor *cursor = txn_scan(txn, key_range_of_prefix(txn_arena(txn), buffer_slice(&prefix)), SCAN_FORWARD);
    while (*count < LOG_METRIC_FILTERS_MAX && (error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        LogMetricFilter *filter = &(*filters)[(*count)++];
        Slice rest = arena_copy(arena, slice_skip(key, prefix.size));
        if ((error = key_take_string(&rest, arena, &filter->name)) != OK ||
            (error = read_filter(arena_copy(arena, value), arena, filter)) != OK)
            break;
    }
    cursor_close(cursor);
    return error;
}

static KeyRange page_range(Txn *txn, Buffer start, Slice prefix, Slice after)
{
    KeyRange range = log_names_range(txn, start, prefix, (Slice){0});
    if (after.size == 0)
        return range;
    Buffer begin = buffer_make(txn_arena(txn));
    buffer_add(&begin, buffer_slice(&start));
    buffer_add(&begin, after);
    buffer_add_byte(&begin, '\0');
    if (slice_compare(buffer_slice(&begin), range.begin) > 0)
        range.begin = buffer_slice(&begin);
    return range;
}

/* The filter of a row of the list, whose key goes on with `rest`. */
static Error open_row(Txn *txn, const LogMetricQuery *query, Slice rest, Slice value, LogMetricFilter *filter)
{
    bool found;
    uint64_t group;
    Arena *arena = txn_arena(txn);
    *filter = (LogMetricFilter){0};
    TRY(key_take_string(&rest, arena, &filter->name));
    if (query->group != NULL)
        return read_filter(arena_copy(arena, value), arena, filter);
    TRY(key_take_uint64(&rest, &group));
    TRY(txn_get(txn, filter_key(txn, query->account, query->region, group, filter->name), &value, &found));
    return found ? read_filter(arena_copy(arena, value), arena, filter) : ERROR_MALFORMED;
}

static bool is_wanted(const LogMetricQuery *query, const LogMetricFilter *filter)
{
    return (query->metric.data == NULL || slice_equal(query->metric, filter->metric)) &&
           (query->namespace_name.data == NULL || slice_equal(query->namespace_name, filter->namespace_name));
}

Error log_metric_find(Txn *txn, const LogMetricQuery *query, LogPage *page, LogMetricFilter **filters, size_t *count)
{
    Slice key;
    Slice value;
    Error error;
    Slice rest = {0};
    size_t looked_at = 0;
    LogMetricFilter filter;
    Buffer start = list_prefix(txn, query->account, query->region, query->group);
    *filters = ARENA_ARRAY(txn_arena(txn), LogMetricFilter, page->limit);
    *count = 0;
    page->next = (Slice){0};
    Cursor *cursor = txn_scan(txn, page_range(txn, start, query->prefix, page->after), SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        if (*count == page->limit || looked_at++ == FILTERS_LOOKED_AT) {
            page->next = rest;
            break;
        }
        rest = arena_copy(txn_arena(txn), slice_skip(key, start.size));
        if ((error = open_row(txn, query, rest, value, &filter)) != OK)
            break;
        if (is_wanted(query, &filter))
            (*filters)[(*count)++] = filter;
    }
    cursor_close(cursor);
    return error;
}
