#include "core/pattern_internal.h"

enum {
    STEP_BYTES = 32,  /* of an event that one step reads */
    STEP_FIELDS = 32, /* that one clears or looks through … */
    STEP_VISITS = 4   /* … or visits one by one */
};

/* One event while it is read. */
typedef struct Match {
    const PatternSet *set;
    JsonReader reader;
    Arena *scratch;
    TestHits hits;
    unsigned char *seen; /* by PathNode.absence - 1: something was there */
    uint32_t *failed;    /* by branch: the turn in which it was found wanting */
    uint32_t turn;
    uint64_t steps_max;
} Match;

static Error match_value(Match *match, const PathNode *node);

/* The node that a name leads to: dots in it are steps of their own. NULL: nobody looks for what is there. */
static const PathNode *follow(const PathNode *node, Slice name)
{
    const PathNode *child = path_child(node, name);
    if (child != NULL)
        return child;
    size_t dot = slice_find(name, '.');
    while (dot != name.size && node != NULL) {
        node = path_child(node, slice_make(name.data, dot));
        name = slice_skip(name, dot + 1);
        dot = slice_find(name, '.');
        if (node != NULL && dot == name.size)
            return path_child(node, name);
    }
    return NULL;
}

static Error match_object(Match *match, const PathNode *node)
{
    TRY(json_begin_object(&match->reader));
    for (;;) {
        Slice name;
        Slice ignored;
        TRY(json_next_member(&match->reader, &name));
        if (name.data == NULL)
            return OK;
        const PathNode *child = follow(node, name);
        TRY(child == NULL ? json_read_any(&match->reader, &ignored) : match_value(match, child));
    }
}

static Error match_leaf(Match *match, const PathNode *node, JsonType type)
{
    Leaf leaf = {.is_string = type == JSON_STRING, .is_number = type == JSON_NUMBER};
    if (node->absence != 0)
        match->seen[node->absence - 1] = 1;
    if (leaf.is_string && node->index != NULL)
        TRY(json_read_string(&match->reader, &leaf.text));
    else
        TRY(json_read_any(&match->reader, &leaf.text));
    if (node->index != NULL)
        test_index_find(node->index, &leaf, match->scratch, &match->hits);
    return match->hits.steps > match->steps_max ? ERROR_TOO_LARGE : OK;
}

/* Which branches have all their fields below the node satisfied: only these may say so, as what matches must be in one element of
 * an array ("employees": [{…}, {…}]: first name and last name of the same one). The others' are left in `satisfied` as they
 * are, and are no use. */
static void keep_whole_branches(Match *match, const PathNode *node, unsigned char *kept)
{
    const uint32_t *field_branch = match->set->field_branch;
    const unsigned char *satisfied = match->hits.satisfied;
    uint32_t turn = ++match->turn;
    for (uint32_t field = node->own_end; field < node->end; field++)
        if (!satisfied[field])
            match->failed[field_branch[field]] = turn;
    for (uint32_t field = node->own_end; field < node->end; field++)
        kept[field - node->own_end] |= match->failed[field_branch[field]] != turn;
}

/* An array in which fields of one branch must be found together: each element is looked at by itself. */
static Error match_joined_array(Match *match, const PathNode *node)
{
    size_t size = node->end - node->own_end;
    ArenaMark mark = arena_mark(match->scratch);
    unsigned char *fields = match->hits.satisfied + node->own_end;
    unsigned char *kept = memcpy(arena_alloc(match->scratch, size), fields, size);
    TRY(json_begin_array(&match->reader));
    for (;;) {
        bool more;
        JsonType type;
        TRY(json_next_element(&match->reader, &more));
        if (!more)
            break;
        TRY(json_peek(&match->reader, &type));
        if (type != JSON_OBJECT && type != JSON_ARRAY) {
            TRY(match_leaf(match, node, type));
            continue;
        }
        memset(fields, 0, size);
        TRY(match_value(match, node));
        match->hits.steps += 1 + size / STEP_FIELDS;
        if (memchr(fields, 1, size) != NULL) {
            match->hits.steps += size;
            keep_whole_branches(match, node, kept);
        }
        if (match->hits.steps > match->steps_max)
            return ERROR_TOO_LARGE;
    }
    memcpy(fields, kept, size);
    arena_rewind(match->scratch, mark);
    return OK;
}

static Error match_array(Match *match, const PathNode *node)
{
    TRY(json_begin_array(&match->reader));
    for (;;) {
        bool more;
        TRY(json_next_element(&match->reader, &more));
        if (!more)
            return OK;
        TRY(match_value(match, node));
    }
}

/* Recursion is as deep as JSON may be. */
static Error match_value(Match *match, const PathNode *node)
{
    JsonType type;
    Slice ignored;
    TRY(json_peek(&match->reader, &type));
    if (type == JSON_OBJECT)
        return node->child_count > 0 ? match_object(match, node) : json_read_any(&match->reader, &ignored);
    if (type == JSON_ARRAY)
        return node->is_joined ? match_joined_array(match, node) : match_array(match, node);
    return match_leaf(match, node, type);
}

/* The patterns of which some branch has nothing that fails it. */
static size_t conclude(const Match *match, bool *matched)
{
    const PatternSet *set = match->set;
    size_t count = 0;
    uint32_t turn = match->turn + 1;
    for (uint32_t field = 0; field < set->field_count; field++)
        if (!match->hits.satisfied[field])
            match->failed[set->field_branch[field]] = turn;
    for (uint32_t i = 0; i < set->absence_count; i++)
        if (match->seen[set->absences[i].absence - 1])
            match->failed[set->absences[i].branch] = turn;
    for (uint32_t branch = 0; branch < set->branch_count; branch++) {
        bool *pattern = &matched[set->branch_pattern[branch]];
        if (match->failed[branch] != turn && !*pattern) {
            *pattern = true;
            count++;
        }
    }
    return count;
}

Error pattern_match_within(const PatternSet *set, Slice event, uint64_t *steps, Arena *scratch, bool *matched,
                           size_t *count)
{
    ArenaMark mark = arena_mark(scratch);
    Match match = {
        .set = set,
        .reader = json_reader(event, scratch),
        .scratch = scratch,
        .hits = {.satisfied = arena_zalloc(scratch, set->field_count + 1),
                 .steps = 1 + event.size / STEP_BYTES + (set->field_count + set->branch_count) / STEP_VISITS},
        .steps_max = *steps,
        .seen = arena_zalloc(scratch, set->seen_count + 1),
        .failed = ARENA_ARRAY(scratch, uint32_t, set->branch_count + 1),
    };
    for (size_t i = 0; i < set->pattern_count; i++)
        matched[i] = false;
    bool suffices = match.hits.steps <= match.steps_max;
    Error error = suffices ? match_object(&match, &set->root) : ERROR_TOO_LARGE;
    suffices = match.hits.steps <= match.steps_max;
    if (error == OK)
        error = json_read_end(&match.reader);
    *count = error == OK ? conclude(&match, matched) : 0;
    *steps -= suffices ? match.hits.steps : *steps;
    arena_rewind(scratch, mark);
    return suffices ? OK : ERROR_TOO_LARGE;
}

size_t pattern_match(const PatternSet *set, Slice event, Arena *scratch, bool *matched)
{
    size_t count = 0;
    uint64_t steps = UINT64_MAX;
    (void)pattern_match_within(set, event, &steps, scratch, matched, &count);
    return count;
}
