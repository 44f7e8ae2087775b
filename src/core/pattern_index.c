#include "core/pattern_internal.h"

#include <stdlib.h>

/* ---- Making ---- */

static int compare_values(const void *a, const void *b)
{
    return slice_compare(((const TestEntry *)a)->value, ((const TestEntry *)b)->value);
}

static int compare_numbers(const void *a, const void *b)
{
    int64_t first = ((const TestEntry *)a)->number;
    int64_t second = ((const TestEntry *)b)->number;
    return (first > second) - (first < second);
}

/* slice_compare, from the ends. */
static int compare_backwards(Slice a, Slice b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    for (size_t i = 1; i <= shorter; i++) {
        unsigned char first = (unsigned char)a.data[a.size - i];
        unsigned char second = (unsigned char)b.data[b.size - i];
        if (first != second)
            return first < second ? -1 : 1;
    }
    return (a.size > b.size) - (a.size < b.size);
}

static int compare_values_backwards(const void *a, const void *b)
{
    return compare_backwards(((const TestEntry *)a)->value, ((const TestEntry *)b)->value);
}

static int compare_integers(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a;
    int64_t second = *(const int64_t *)b;
    return (first > second) - (first < second);
}

static int compare_slices(const void *a, const void *b)
{
    return slice_compare(*(const Slice *)a, *(const Slice *)b);
}

/* The entries of one kind of matcher, ordered. */
static TestTable make_table(Arena *arena, const Test *tests, MatcherKind kind,
                            int (*compare)(const void *, const void *))
{
    TestTable table = {0};
    for (const Test *test = tests; test != NULL; test = test->next)
        for (const Matcher *matcher = test->matchers; matcher != NULL; matcher = matcher->next)
            table.count += matcher->kind == kind && test->count > 0;
    if (table.count == 0)
        return table;
    table.entries = ARENA_ARRAY(arena, TestEntry, table.count);
    size_t at = 0;
    for (const Test *test = tests; test != NULL; test = test->next)
        for (const Matcher *matcher = test->matchers; matcher != NULL; matcher = matcher->next)
            if (matcher->kind == kind && test->count > 0)
                table.entries[at++] = (TestEntry){.value = matcher->value, .number = matcher->number, .test = test};
    qsort(table.entries, table.count, sizeof *table.entries, compare);
    return table;
}

/* Links each entry with the nearest one before it that it begins (ends) with. */
static void link_parents(TestTable *table, bool (*has)(Slice slice, Slice part))
{
    for (size_t i = 1; i < table->count; i++) {
        uint32_t parent = (uint32_t)i;
        while (parent != 0 && !has(table->entries[i].value, table->entries[parent - 1].value))
            parent = table->entries[parent - 1].parent;
        table->entries[i].parent = parent;
    }
}

static void add_scan(TestIndex *index, const Matcher *matcher, const Test *test)
{
    index->scans[index->scan_count++] = (TestScan){matcher, test};
    index->folds |= matcher->kind == MATCH_FOLDED || matcher->kind == MATCH_PREFIX_FOLDED ||
                    matcher->kind == MATCH_SUFFIX_FOLDED || matcher->kind == MATCH_BUT_FOLDED;
    index->addresses |= matcher->kind == MATCH_ADDRESS;
    if (matcher->count == 0)
        return;
    if (matcher->kind == MATCH_BUT_STRINGS || matcher->kind == MATCH_BUT_FOLDED)
        qsort(matcher->values, matcher->count, sizeof *matcher->values, compare_slices);
    else if (matcher->kind == MATCH_BUT_NUMBERS)
        qsort(matcher->numbers, matcher->count, sizeof *matcher->numbers, compare_integers);
}

TestIndex *test_index_make(Arena *arena, const Test *tests)
{
    TestIndex *index = ARENA_NEW(arena, TestIndex);
    index->strings = make_table(arena, tests, MATCH_STRING, compare_values);
    index->literals = make_table(arena, tests, MATCH_LITERAL, compare_values);
    index->numbers = make_table(arena, tests, MATCH_NUMBER, compare_numbers);
    index->prefixes = make_table(arena, tests, MATCH_PREFIX, compare_values);
    index->suffixes = make_table(arena, tests, MATCH_SUFFIX, compare_values_backwards);
    link_parents(&index->prefixes, slice_starts_with);
    link_parents(&index->suffixes, slice_ends_with);
    size_t count = 0;
    for (const Test *test = tests; test != NULL; test = test->next)
        for (const Matcher *matcher = test->matchers; matcher != NULL; matcher = matcher->next)
            count++;
    index->exists = ARENA_ARRAY(arena, const Test *, count + 1);
    index->scans = ARENA_ARRAY(arena, TestScan, count + 1);
    for (const Test *test = tests; test != NULL; test = test->next) {
        for (const Matcher *matcher = test->matchers; matcher != NULL && test->count > 0; matcher = matcher->next) {
            if (matcher->kind == MATCH_EXISTS)
                index->exists[index->exists_count++] = test;
            else if (matcher->kind > MATCH_SCANNED)
                add_scan(index, matcher, test);
        }
    }
    return index;
}

/* ---- Finding ---- */

enum { STEP_BYTES = 32, STEP_FIELDS = 32 }; /* that one step looks at, or sets */

static void hit(TestHits *hits, const Test *test)
{
    hits->steps += 1 + test->count / STEP_FIELDS;
    memset(hits->satisfied + test->first, 1, test->count);
}

static void find_equal(const TestTable *table, Slice value, TestHits *hits)
{
    size_t low = 0;
    for (size_t high = table->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (slice_compare(table->entries[middle].value, value) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < table->count && slice_equal(table->entries[low].value, value); low++)
        hit(hits, table->entries[low].test);
}

static void find_number(const TestTable *table, int64_t number, TestHits *hits)
{
    size_t low = 0;
    for (size_t high = table->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (table->entries[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < table->count && table->entries[low].number == number; low++)
        hit(hits, table->entries[low].test);
}

/* All entries that the value begins (ends) with. The last one that is not behind it in order is one of them, or has all of them among its
 * ancestors: whatever lies between a prefix of the value and the value begins with that prefix. */
static void find_parts(const TestTable *table, Slice value, int (*compare)(Slice, Slice), bool (*has)(Slice, Slice),
                       TestHits *hits)
{
    size_t low = 0; /* entries before it are not behind the value */
    for (size_t high = table->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (compare(table->entries[middle].value, value) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t place = low;
    while (place != 0 && !has(value, table->entries[place - 1].value))
        place = table->entries[place - 1].parent;
    for (; place != 0; place = table->entries[place - 1].parent)
        hit(hits, table->entries[place - 1].test);
}

/* What a leaf is, in each of the ways that scans look at it. */
typedef struct LeafViews {
    const Leaf *leaf;
    Slice folded;
    Address address;
    bool has_number;
    int64_t number;
} LeafViews;

static bool is_among(const Matcher *matcher, Slice value)
{
    return matcher->count > 0 && bsearch(&value, matcher->values, matcher->count, sizeof value, compare_slices) != NULL;
}

static bool has_affix(const Matcher *matcher, Slice value, bool (*has)(Slice, Slice))
{
    for (size_t i = 0; i < matcher->count; i++)
        if (has(value, matcher->values[i]))
            return true;
    return false;
}

static bool is_like(const Matcher *matcher, Slice value)
{
    for (size_t i = 0; i < matcher->count; i++)
        if (pattern_wildcard_matches(&matcher->wildcards[i], value))
            return true;
    return false;
}

static bool number_is_among(const Matcher *matcher, const LeafViews *views)
{
    return views->has_number &&
           bsearch(&views->number, matcher->numbers, matcher->count, sizeof views->number, compare_integers) != NULL;
}

/* All but ranges are about strings; what is not a string is anything but each of them. */
static bool scan_matches(const Matcher *matcher, const LeafViews *views)
{
    Slice text = views->leaf->text;
    bool is_string = views->leaf->is_string;
    switch (matcher->kind) {
    case MATCH_PREFIX_FOLDED:
        return is_string && slice_starts_with(views->folded, matcher->value);
    case MATCH_SUFFIX_FOLDED:
        return is_string && slice_ends_with(views->folded, matcher->value);
    case MATCH_FOLDED:
        return is_string && slice_equal(views->folded, matcher->value);
    case MATCH_WILDCARD:
        return is_string && pattern_wildcard_matches(matcher->wildcards, text);
    case MATCH_RANGE:
        return views->has_number && views->number >= matcher->low && views->number <= matcher->high;
    case MATCH_ADDRESS:
        return views->address.size > 0 && pattern_address_within(&views->address, &matcher->addresses);
    case MATCH_BUT_STRINGS:
        return !is_string || !is_among(matcher, text);
    case MATCH_BUT_NUMBERS:
        return !number_is_among(matcher, views);
    case MATCH_BUT_PREFIXES:
        return !is_string || !has_affix(matcher, text, slice_starts_with);
    case MATCH_BUT_SUFFIXES:
        return !is_string || !has_affix(matcher, text, slice_ends_with);
    case MATCH_BUT_FOLDED:
        return !is_string || !is_among(matcher, views->folded);
    case MATCH_BUT_WILDCARDS:
        return !is_string || !is_like(matcher, text);
    default:
        return false;
    }
}

static void try_scans(const TestIndex *index, LeafViews *views, Arena *scratch, TestHits *hits)
{
    if (views->leaf->is_string && index->folds)
        views->folded = pattern_fold(scratch, views->leaf->text);
    if (views->leaf->is_string && index->addresses)
        pattern_address(views->leaf->text, &views->address);
    for (size_t i = 0; i < index->scan_count; i++) {
        const Matcher *matcher = index->scans[i].matcher;
        hits->steps += (1 + views->leaf->text.size / STEP_BYTES) * (1 + matcher->count);
        if (scan_matches(matcher, views))
            hit(hits, index->scans[i].test);
    }
}

void test_index_find(const TestIndex *index, const Leaf *leaf, Arena *scratch, TestHits *hits)
{
    LeafViews views = {.leaf = leaf};
    if (leaf->is_string) {
        find_equal(&index->strings, leaf->text, hits);
        if (index->prefixes.count > 0)
            find_parts(&index->prefixes, leaf->text, slice_compare, slice_starts_with, hits);
        if (index->suffixes.count > 0)
            find_parts(&index->suffixes, leaf->text, compare_backwards, slice_ends_with, hits);
    } else {
        find_equal(&index->literals, leaf->text, hits);
        if (leaf->is_number)
            views.has_number = pattern_number(leaf->text, &views.number) == NUMBER_FINE;
        if (views.has_number)
            find_number(&index->numbers, views.number, hits);
    }
    for (size_t i = 0; i < index->exists_count; i++)
        hit(hits, index->exists[i]);
    if (index->scan_count > 0)
        try_scans(index, &views, scratch, hits);
}
