#include "core/trace.h"

#include "base/buffer.h"

enum { ROOT_SIZE = 35, PARENT_SIZE = 16, HASH_SIZE = 8, PASSES_DIGITS = 5 };

/* A function in a lineage. */
typedef struct Ancestor {
    Slice hash;
    uint64_t passes;
} Ancestor;

typedef struct Lineage {
    Ancestor ancestors[TRACE_LINEAGE_MAX]; /* the oldest first */
    size_t count;
} Lineage;

/* What was given, where it is of the form that it must be; else absent. */
typedef struct Given {
    Slice root;
    Slice parent;
    Slice sampled;
    Slice lineage;
} Given;

static bool is_hex(Slice text, size_t size)
{
    for (size_t i = 0; i < text.size; i++)
        if (!((text.data[i] >= '0' && text.data[i] <= '9') || (text.data[i] >= 'a' && text.data[i] <= 'f')))
            return false;
    return text.size == size;
}

/* "1-5759e988-bd862e3fe1be46a994272793" */
static bool is_root(Slice text)
{
    return text.size == ROOT_SIZE && slice_starts_with(text, SLICE("1-")) && text.data[10] == '-' &&
           is_hex(slice_make(text.data + 2, 8), 8) && is_hex(slice_make(text.data + 11, 24), 24);
}

/* Takes what stands before `end` off the text, and `end`. */
static Slice take(Slice *rest, char end)
{
    size_t size = slice_find(*rest, end);
    Slice part = {rest->data, size};
    *rest = slice_skip(*rest, size < rest->size ? size + 1 : size);
    return part;
}

static Given read_given(Slice text)
{
    Given given = {0};
    while (text.size > 0) {
        Slice value = take(&text, ';');
        Slice name = take(&value, '=');
        while (name.size > 0 && name.data[0] == ' ')
            name = slice_skip(name, 1);
        if (slice_equal(name, SLICE("Root")) && is_root(value))
            given.root = value;
        else if (slice_equal(name, SLICE("Parent")) && is_hex(value, PARENT_SIZE))
            given.parent = value;
        else if (slice_equal(name, SLICE("Sampled")) &&
                 (slice_equal(value, SLICE("0")) || slice_equal(value, SLICE("1"))))
            given.sampled = value;
        else if (slice_equal(name, SLICE("Lineage")))
            given.lineage = value;
    }
    return given;
}

/* ---- Lineage: "a87bd80c:1|68fd508a:5" ---- */

/* Makes room by forgetting the oldest. */
static void add_ancestor(Lineage *lineage, Ancestor ancestor)
{
    if (lineage->count == TRACE_LINEAGE_MAX) {
        memmove(lineage->ancestors, lineage->ancestors + 1, sizeof lineage->ancestors - sizeof lineage->ancestors[0]);
        lineage->count--;
    }
    lineage->ancestors[lineage->count++] = ancestor;
}

/* All but the function itself, whose passes are given. */
static uint64_t read_lineage(Lineage *lineage, Slice text, Slice self)
{
    uint64_t passes = 0;
    while (text.size > 0) {
        Ancestor ancestor;
        Slice count = take(&text, '|');
        ancestor.hash = take(&count, ':');
        if (!is_hex(ancestor.hash, HASH_SIZE) || count.size > PASSES_DIGITS ||
            !slice_parse_uint64(count, &ancestor.passes))
            continue;
        if (!slice_equal(ancestor.hash, self))
            add_ancestor(lineage, ancestor);
        else if (ancestor.passes > passes)
            passes = ancestor.passes;
    }
    return passes;
}

/* FNV-1a over what names the function. */
static uint32_t hash_of(Slice account, Slice region, Slice name)
{
    const Slice parts[] = {account, region, name};
    uint32_t hash = 2166136261u;
    for (size_t part = 0; part < 3; part++) {
        for (size_t i = 0; i < parts[part].size; i++)
            hash = (hash ^ (unsigned char)parts[part].data[i]) * 16777619u;
        hash = (hash ^ ':') * 16777619u;
    }
    return hash;
}

static void add_hex(Buffer *out, uint64_t value, unsigned digits)
{
    static const char hex[] = "0123456789abcdef";
    char *at = buffer_reserve(out, digits);
    for (unsigned i = digits; i > 0; i--, value >>= 4)
        at[i - 1] = hex[value & 15];
    out->size += digits;
}

static void add_part(Buffer *out, Slice given, uint64_t random)
{
    if (given.data != NULL)
        buffer_add(out, given);
    else
        add_hex(out, random, PARENT_SIZE);
}

Trace trace_continue(Arena *arena, Slice text, Slice account, Slice region, Slice name, uint64_t wall_ms,
                     const uint64_t random[3])
{
    Given given = read_given(text);
    Buffer self = buffer_make(arena);
    add_hex(&self, hash_of(account, region, name), HASH_SIZE);
    Lineage lineage;
    lineage.count = 0;
    Trace trace = {.passes = 1 + read_lineage(&lineage, given.lineage, buffer_slice(&self))};
    add_ancestor(&lineage, (Ancestor){buffer_slice(&self), trace.passes});

    Buffer out = buffer_make(arena);
    buffer_reserve(&out, 128);
    BUFFER_ADD(&out, "Root=");
    if (given.root.data != NULL) {
        buffer_add(&out, given.root);
    } else {
        BUFFER_ADD(&out, "1-");
        add_hex(&out, wall_ms / 1000, 8);
        buffer_add_byte(&out, '-');
        add_hex(&out, random[0], 16);
        add_hex(&out, random[1], 8);
    }
    BUFFER_ADD(&out, ";Parent=");
    add_part(&out, given.parent, random[2]);
    BUFFER_ADD(&out, ";Sampled=");
    buffer_add(&out, given.sampled.data != NULL ? given.sampled : SLICE("0"));
    BUFFER_ADD(&out, ";Lineage=");
    for (size_t i = 0; i < lineage.count; i++) {
        if (i > 0)
            buffer_add_byte(&out, '|');
        buffer_add(&out, lineage.ancestors[i].hash);
        buffer_add_byte(&out, ':');
        buffer_add_uint64(&out, lineage.ancestors[i].passes);
    }
    trace.header = buffer_slice(&out);
    return trace;
}
