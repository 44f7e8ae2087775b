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
    bool snap_start;   /* Lambda developer guide, "Improving startup performance with Lambda SnapStart" */
    const char *other; /* of a deprecated one: what AWS recommends, NULL: any; of a missing one: what it would need */
} RuntimeRow;

#define NEEDS_JAVA "a Java runtime interface client and a JVM"
#define NEEDS_DOTNET "a .NET runtime support library and the .NET runtime"
#define NEEDS_RUBY "a Ruby runtime interface client and Ruby"

/* In the order in which AWS tells them, in its refusals of runtimes that there are not (as of November 2025). */
static const RuntimeRow runtime_rows[] = {
    {"nodejs20.x", RUNTIME_TAKEN, false, NULL},
    {"python3.14", RUNTIME_TAKEN, true, NULL},
    {"provided.al2023", RUNTIME_TAKEN, false, NULL},
    {"python3.12", RUNTIME_TAKEN, true, NULL},
    {"python3.13", RUNTIME_TAKEN, true, NULL},
    {"nodejs24.x", RUNTIME_TAKEN, false, NULL},
    {"nodejs22.x", RUNTIME_TAKEN, false, NULL},
    {"java25", RUNTIME_MISSING, true, NEEDS_JAVA},
    {"python3.10", RUNTIME_TAKEN, false, NULL},
    {"python3.11", RUNTIME_TAKEN, false, NULL},
    {"java21", RUNTIME_MISSING, true, NEEDS_JAVA},
    {"ruby3.3", RUNTIME_MISSING, false, NEEDS_RUBY},
    {"ruby3.4", RUNTIME_MISSING, false, NEEDS_RUBY},
    {"ruby3.2", RUNTIME_MISSING, false, NEEDS_RUBY},
    {"python3.8", RUNTIME_TAKEN, false, NULL},
    {"python3.9", RUNTIME_TAKEN, false, NULL},
    {"java17", RUNTIME_MISSING, true, NEEDS_JAVA},
    {"nodejs16.x", RUNTIME_TAKEN, false, NULL},
    {"dotnet10", RUNTIME_MISSING, true, NEEDS_DOTNET},
    {"dotnet8", RUNTIME_MISSING, true, NEEDS_DOTNET},
    {"java11", RUNTIME_MISSING, true, NEEDS_JAVA},
    {"dotnet6", RUNTIME_MISSING, false, NEEDS_DOTNET},
    {"nodejs18.x", RUNTIME_TAKEN, false, NULL},
    {"provided.al2", RUNTIME_TAKEN, false, NULL},
    {"java8.al2", RUNTIME_MISSING, false, NEEDS_JAVA},
    {"java8", RUNTIME_DEPRECATED, false, "java21"},
    {"dotnet7", RUNTIME_DEPRECATED, false, "dotnet8"},
    {"dotnet5.0", RUNTIME_DEPRECATED, false, "dotnet8"},
    {"dotnetcore3.1", RUNTIME_DEPRECATED, false, "dotnet8"},
    {"dotnetcore2.1", RUNTIME_DEPRECATED, false, "dotnet8"},
    {"dotnetcore2.0", RUNTIME_DEPRECATED, false, "dotnet8"},
    {"dotnetcore1.0", RUNTIME_DEPRECATED, false, "dotnet8"},
    {"go1.x", RUNTIME_DEPRECATED, false, "provided.al2023"},
    {"provided", RUNTIME_DEPRECATED, false, "provided.al2023"},
    {"ruby2.7", RUNTIME_DEPRECATED, false, "ruby3.4"},
    {"ruby2.5", RUNTIME_DEPRECATED, false, "ruby3.4"},
    {"python3.7", RUNTIME_DEPRECATED, false, "python3.13"},
    {"python3.6", RUNTIME_DEPRECATED, false, "python3.13"},
    {"python2.7", RUNTIME_DEPRECATED, false, "python3.13"},
    {"nodejs14.x", RUNTIME_DEPRECATED, false, NULL},
    {"nodejs12.x", RUNTIME_DEPRECATED, false, "nodejs22.x"},
    {"nodejs10.x", RUNTIME_DEPRECATED, false, "nodejs22.x"},
    {"nodejs8.10", RUNTIME_DEPRECATED, false, "nodejs22.x"},
    {"nodejs6.10", RUNTIME_DEPRECATED, false, "nodejs22.x"},
    {"nodejs4.3-edge", RUNTIME_DEPRECATED, false, "nodejs22.x"},
    {"nodejs4.3", RUNTIME_DEPRECATED, false, "nodejs22.x"},
    {"nodejs", RUNTIME_DEPRECATED, false, "nodejs22.x"},
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
    for (size_t i = 0; i < ROWS; i++)
        if (runtime_rows[i].fate != RUNTIME_DEPRECATED)
            buffer_add_format(&names, "%s%s", names.size > 0 ? ", " : "", runtime_rows[i].name);
    return lambda_invalid(call,
                          "Value %.*s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
                          "[%.*s] or be a valid ARN",
                          SLICE_PRINT(runtime), SLICE_PRINT(buffer_slice(&names)));
}

static Error refuse_deprecated(Call *call, const RuntimeRow *row)
{
    const char *before = row->other == NULL ? "a supported runtime" : "the new runtime (";
    return lambda_invalid(call,
                          "The runtime parameter of %s is no longer supported for creating or updating AWS Lambda "
                          "functions. We recommend you use %s%s%s while creating or updating functions.",
                          row->name, before, row->other == NULL ? "" : row->other, row->other == NULL ? "" : ")");
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
