#include "core/pattern_internal.h"

#include <stdlib.h>

/* ---- Paths, once all of them are there ---- */

static int compare_steps(Slice a, Slice b)
{
    if (a.size != b.size)
        return a.size < b.size ? -1 : 1;
    return a.size == 0 ? 0 : memcmp(a.data, b.data, a.size);
}

static int compare_nodes(const void *a, const void *b)
{
    return compare_steps((*(PathNode *const *)a)->step, (*(PathNode *const *)b)->step);
}

PathNode *path_child(const PathNode *node, Slice step)
{
    size_t low = 0;
    for (size_t high = node->child_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = compare_steps(node->children[middle]->step, step);
        if (order == 0)
            return node->children[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void order_children(Arena *arena, PathNode *node)
{
    node->children = ARENA_ARRAY(arena, PathNode *, node->child_count + 1);
    size_t at = 0;
    for (PathNode *child = node->newest; child != NULL; child = child->sibling)
        node->children[at++] = child;
    qsort(node->children, node->child_count, sizeof *node->children, compare_nodes);
}

/* Numbers the fields of a path and of those below it. Recursion is as deep as a pattern may be, times the dots in a name. */
static void number_fields(Arena *arena, PatternSet *set, PathNode *node)
{
    order_children(arena, node);
    node->first = set->field_count;
    for (Test *test = node->tests; test != NULL; test = test->next) {
        if (test->is_absent && test->count > 0 && node->absence == 0)
            node->absence = ++set->seen_count;
        if (test->is_absent)
            continue;
        test->first = set->field_count;
        set->field_count += test->count;
    }
    node->own_end = set->field_count;
    for (size_t i = 0; i < node->child_count; i++)
        number_fields(arena, set, node->children[i]);
    node->end = set->field_count;
    if (node->own_end > node->first)
        node->index = test_index_make(arena, node->tests);
}

/* Which paths have two fields of one branch below them. `last_seen` holds for each branch the path that looked at it last, plus one. */
static void mark_joined(const PatternSet *set, PathNode *node, uint32_t *last_seen, uint32_t *turn)
{
    ++*turn;
    for (uint32_t field = node->own_end; field < node->end && !node->is_joined; field++) {
        uint32_t branch = set->field_branch[field];
        node->is_joined = last_seen[branch] == *turn;
        last_seen[branch] = *turn;
    }
    for (size_t i = 0; i < node->child_count; i++)
        mark_joined(set, node->children[i], last_seen, turn);
}

/* ---- Branches ---- */

static void count_fields(PatternSet *set, const Branches *branches)
{
    for (size_t pattern = 0; pattern < set->pattern_count; pattern++) {
        for (size_t i = 0; i < branches[pattern].count; i++) {
            const Branch *branch = &branches[pattern].list[i];
            for (size_t j = 0; j < branch->count; j++) {
                branch->tests[j]->count++;
                set->absence_count += branch->tests[j]->is_absent;
            }
        }
        set->branch_count += (uint32_t)branches[pattern].count;
    }
}

static void place_fields(Arena *arena, PatternSet *set, const Branches *branches)
{
    set->field_branch = ARENA_ARRAY(arena, uint32_t, set->field_count + 1);
    set->branch_pattern = ARENA_ARRAY(arena, uint32_t, set->branch_count + 1);
    set->absences = ARENA_ARRAY(arena, Absence, set->absence_count + 1);
    for (size_t pattern = 0; pattern < set->pattern_count; pattern++)
        for (size_t i = 0; i < branches[pattern].count; i++)
            for (size_t j = 0; j < branches[pattern].list[i].count; j++)
                branches[pattern].list[i].tests[j]->count = 0;
    uint32_t branch_number = 0;
    uint32_t absence = 0;
    for (size_t pattern = 0; pattern < set->pattern_count; pattern++) {
        for (size_t i = 0; i < branches[pattern].count; i++, branch_number++) {
            const Branch *branch = &branches[pattern].list[i];
            set->branch_pattern[branch_number] = (uint32_t)pattern;
            for (size_t j = 0; j < branch->count; j++) {
                Test *test = branch->tests[j];
                if (test->is_absent)
                    set->absences[absence++] = (Absence){test->path->absence, branch_number};
                else
                    set->field_branch[test->first + test->count++] = branch_number;
            }
        }
    }
}

Error pattern_compile(Arena *arena, const Slice *patterns, size_t count, const PatternSet **set, size_t *wrong,
                      Slice *problem)
{
    PatternSet *made = ARENA_NEW(arena, PatternSet);
    Branches *branches = ARENA_ARRAY(arena, Branches, count + 1);
    made->pattern_count = count;
    for (size_t i = 0; i < count; i++) {
        *wrong = i;
        TRY(pattern_parse(arena, patterns[i], &made->root, &branches[i], problem));
    }
    count_fields(made, branches);
    number_fields(arena, made, &made->root);
    place_fields(arena, made, branches);
    uint32_t turn = 0;
    mark_joined(made, &made->root, ARENA_ARRAY(arena, uint32_t, made->branch_count + 1), &turn);
    *set = made;
    return OK;
}

/* ---- Shape ---- */

static Error shape_of_object(JsonReader *reader, Slice name, PatternShape *shape)
{
    TRY(json_begin_object(reader));
    for (;;) {
        Slice member;
        Slice ignored;
        JsonType type;
        TRY(json_next_member(reader, &member));
        if (member.data == NULL)
            return OK;
        TRY(json_peek(reader, &type));
        if (slice_equal(member, name))
            *shape = type == JSON_OBJECT ? PATTERN_OBJECT : *shape == PATTERN_OBJECT ? *shape : PATTERN_VALUES;
        if (!slice_equal(member, SLICE("$or")) || type != JSON_ARRAY) {
            TRY(json_read_any(reader, &ignored));
            continue;
        }
        TRY(json_begin_array(reader));
        bool more;
        for (;;) {
            TRY(json_next_element(reader, &more));
            if (!more)
                break;
            TRY(json_peek(reader, &type));
            if (type == JSON_OBJECT)
                TRY(shape_of_object(reader, name, shape));
            else
                TRY(json_read_any(reader, &ignored));
        }
    }
}

PatternShape pattern_shape(Slice pattern, Slice name, Arena *scratch)
{
    ArenaMark mark = arena_mark(scratch);
    JsonReader reader = json_reader(pattern, scratch);
    PatternShape shape = PATTERN_NOTHING;
    Error error = shape_of_object(&reader, name, &shape);
    arena_rewind(scratch, mark);
    return error == OK ? shape : PATTERN_NOTHING;
}
