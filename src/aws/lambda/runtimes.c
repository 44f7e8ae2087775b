/* runtimes.c: which runtimes functions may have (Lambda developer guide, "Lambda runtimes"). */
#include "aws/lambda/dialect.h"

/* What becomes of a function of that runtime. */
typedef enum RuntimeFate {
    RUNTIME_TAKEN,      /* whether this host has it, an invocation says */
    RUNTIME_DEPRECATED, /* AWS lets nobody make functions of it any more */
    RUNTIME_MISSING,    /* AWS has it, Brume does not */
} RuntimeFate;

typedef struct RuntimeRow {
    const char *name;
    RuntimeFate fate;
    unsigned place; /* in refusals; 0: it is not told of */
    bool snap_start;
    const char *other; /* of a deprecated one: what AWS recommends, "": any; of a missing one: what it would need */
} RuntimeRow;

#define RUNTIME_RUN(name, kind, version, deprecated, place, snap_start) {name, RUNTIME_TAKEN, place, snap_start, ""},
#define RUNTIME_MISSING(name, deprecated, place, snap_start, needs) {name, RUNTIME_MISSING, place, snap_start, needs},
#define RUNTIME_PAST(name, deprecated, instead) {name, RUNTIME_DEPRECATED, 0, false, instead},
static const RuntimeRow runtime_rows[] = {
#include "runtime/runtimes.def"
};

enum { ROWS = sizeof runtime_rows / sizeof runtime_rows[0] };

static const RuntimeRow *find_runtime(Slice runtime)
{
    for (size_t i = 0; i < ROWS; i++)
        if (slice_equal(slice_of_string(runtime_rows[i].name), runtime))
            return &runtime_rows[i];
    return NULL;
}

static Error refuse_unknown(Call *call, Slice runtime)
{
    Buffer names = buffer_make(call->arena);
    const char *by_place[ROWS + 1] = {NULL};
    for (size_t i = 0; i < ROWS; i++)
        by_place[runtime_rows[i].place] = runtime_rows[i].name;
    for (size_t place = 1; place <= ROWS && by_place[place] != NULL; place++)
        buffer_add_format(&names, "%s%s", names.size > 0 ? ", " : "", by_place[place]);
    return lambda_invalid(call,
                          "Value %.*s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
                          "[%.*s] or be a valid ARN",
                          SLICE_PRINT(runtime), SLICE_PRINT(buffer_slice(&names)));
}

static Error refuse_deprecated(Call *call, const RuntimeRow *row)
{
    bool is_any = row->other[0] == '\0';
    return lambda_invalid(call,
                          "The runtime parameter of %s is no longer supported for creating or updating AWS Lambda "
                          "functions. We recommend you use %s%s%s while creating or updating functions.",
                          row->name, is_any ? "a supported runtime" : "the new runtime (", row->other,
                          is_any ? "" : ")");
}

Error lambda_check_runtime(Call *call, Slice runtime)
{
    const RuntimeRow *row = find_runtime(runtime);
    if (row == NULL)
        return refuse_unknown(call, runtime);
    if (row->fate == RUNTIME_DEPRECATED)
        return refuse_deprecated(call, row);
    if (row->fate == RUNTIME_MISSING)
        return call_fail(call, &common_not_implemented,
                         "Brume does not run %s: that would need %s. Use provided.al2023 with a bootstrap of your own.",
                         row->name, row->other);
    return OK;
}

bool lambda_runtime_can_snap_start(Slice runtime)
{
    const RuntimeRow *row = find_runtime(runtime);
    return row != NULL && row->snap_start;
}
