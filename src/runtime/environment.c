#include "runtime/environment.h"

#include "base/json.h"
#include "base/time_format.h"
#include "runtime/extension.h"

#include <limits.h>
#include <stdio.h>

enum { DEFINED_MAX = 32 };

typedef struct Variables {
    EnvironmentVariable *items;
    size_t count;
} Variables;

/* A value of the platform's, which the function's own replaces when it is `open` (the others are reserved). */
static void define(Variables *variables, const WorkerSpec *spec, Slice name, Slice value, bool open)
{
    for (size_t i = 0; open && i < spec->environment_count; i++)
        if (slice_equal(spec->environment[i].name, name))
            return;
    variables->items[variables->count++] = (EnvironmentVariable){name, value};
}

static bool is_defined(const Variables *variables, Slice name)
{
    for (size_t i = 0; i < variables->count; i++)
        if (slice_equal(variables->items[i].name, name))
            return true;
    return false;
}

static void define_function(Variables *variables, const EnvironmentFacts *facts, Arena *arena)
{
    const WorkerSpec *spec = facts->spec;
    const struct {
        Slice name;
        Slice value;
    } reserved[] = {
        {SLICE("_HANDLER"), spec->handler},
        {SLICE("AWS_REGION"), spec->region},
        {SLICE("AWS_DEFAULT_REGION"), spec->region},
        {SLICE("AWS_EXECUTION_ENV"), arena_format(arena, "AWS_Lambda_%.*s", SLICE_PRINT(spec->runtime))},
        {SLICE("AWS_LAMBDA_FUNCTION_NAME"), spec->name},
        {SLICE("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), arena_format(arena, "%llu", (unsigned long long)spec->memory_mb)},
        {SLICE("AWS_LAMBDA_FUNCTION_VERSION"), spec->version},
        {SLICE("AWS_LAMBDA_INITIALIZATION_TYPE"), facts->initialization_type},
        {SLICE("AWS_LAMBDA_LOG_GROUP_NAME"), spec->log_group},
        {SLICE("AWS_LAMBDA_LOG_STREAM_NAME"), facts->log_stream},
        {SLICE("AWS_ACCESS_KEY_ID"), facts->credentials->access_key_id},
        {SLICE("AWS_SECRET_ACCESS_KEY"), facts->credentials->secret_key},
        {SLICE("AWS_SESSION_TOKEN"), facts->credentials->token},
        {SLICE("LAMBDA_TASK_ROOT"), SLICE("/var/task")},
        {SLICE("LAMBDA_RUNTIME_DIR"), SLICE("/var/runtime")},
    };
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        define(variables, spec, reserved[i].name, reserved[i].value, false);
    if (slice_equal(spec->log_format, SLICE("JSON"))) {
        define(variables, spec, SLICE("AWS_LAMBDA_LOG_FORMAT"), spec->log_format, false);
        define(variables, spec, SLICE("AWS_LAMBDA_LOG_LEVEL"), spec->application_log_level, false);
    }
}

/* "nodejs22.x" → "22". */
static Slice node_major(Slice runtime)
{
    Slice rest = slice_skip(runtime, SLICE("nodejs").size);
    rest.size = slice_find(rest, '.');
    return rest;
}

static void define_paths(Variables *variables, const EnvironmentFacts *facts, Arena *arena)
{
    const WorkerSpec *spec = facts->spec;
    define(variables, spec, SLICE("LANG"), SLICE("en_US.UTF-8"), true);
    define(variables, spec, SLICE("TZ"), SLICE(":UTC"), true);
    define(variables, spec, SLICE("PATH"), SLICE("/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"), true);
    define(variables, spec, SLICE("LD_LIBRARY_PATH"),
           SLICE("/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"),
           true);
    if (slice_starts_with(spec->runtime, SLICE("python")))
        define(variables, spec, SLICE("PYTHONPATH"), SLICE("/var/runtime"), true);
    if (slice_starts_with(spec->runtime, SLICE("nodejs")))
        define(variables, spec, SLICE("NODE_PATH"),
               arena_format(arena,
                            "/opt/nodejs/node%.*s/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:"
                            "/var/runtime:/var/task",
                            SLICE_PRINT(node_major(spec->runtime))),
               true);
    define(variables, spec, SLICE("AWS_ENDPOINT_URL"), facts->endpoint, true);
    /* Some operations are called at a name with a prefix in front ("sync-"), and there is no such name before an address
     * (AWS SDKs and Tools reference guide, "Host prefix injection"). */
    define(variables, spec, SLICE("AWS_DISABLE_HOST_PREFIX_INJECTION"), SLICE("true"), true);
    if (facts->has_trust) {
        /* The AWS SDKs for Python and Go and the AWS CLI; OpenSSL, which is Python's and curl's, Go and Rust; Python's
         * requests; Node.js, which adds it to its own. The function's own variables come first. */
        define(variables, spec, SLICE("AWS_CA_BUNDLE"), SLICE(TRUST_PATH), true);
        define(variables, spec, SLICE("SSL_CERT_FILE"), SLICE(TRUST_PATH), true);
        define(variables, spec, SLICE("REQUESTS_CA_BUNDLE"), SLICE(TRUST_PATH), true);
        define(variables, spec, SLICE("NODE_EXTRA_CA_CERTS"), SLICE(TRUST_PATH), true);
    }
    /* Nobody listens there: what X-Ray's libraries send is lost without harm, and they need not be switched off. */
    define(variables, spec, SLICE("AWS_XRAY_DAEMON_ADDRESS"), SLICE("127.0.0.1:2000"), true);
    define(variables, spec, SLICE("AWS_XRAY_CONTEXT_MISSING"), SLICE("LOG_ERROR"), true);
}

void environment_make(const EnvironmentFacts *facts, Arena *arena, EnvironmentVariable **variables, size_t *count)
{
    const WorkerSpec *spec = facts->spec;
    Variables all = {ARENA_ARRAY(arena, EnvironmentVariable, DEFINED_MAX + spec->environment_count), 0};
    define_function(&all, facts, arena);
    define_paths(&all, facts, arena);
    for (size_t i = 0; i < spec->environment_count; i++)
        if (!is_defined(&all, spec->environment[i].name))
            all.items[all.count++] = spec->environment[i];
    *variables = all.items;
    *count = all.count;
}

bool environment_needs_process(const WorkerSpec *spec)
{
    /* Node.js's command line documentation, "Environment variables"; Python's, the same; ld.so(8); Lambda developer guide,
     * "Modifying the runtime environment". */
    static const Slice prefixes[] = {SLICE_INIT("NODE_"),
                                     SLICE_INIT("PYTHON"),
                                     SLICE_INIT("LD_"),
                                     SLICE_INIT("MALLOC_"),
                                     SLICE_INIT("GLIBC_"),
                                     SLICE_INIT("UV_"),
                                     SLICE_INIT("AWS_LAMBDA_EXEC_WRAPPER")};
    static const Slice read_later[] = {SLICE_INIT("NODE_PATH"), SLICE_INIT("NODE_ENV"), SLICE_INIT("PYTHONPATH")};
    for (size_t i = 0; i < spec->environment_count; i++) {
        Slice name = spec->environment[i].name;
        bool needs = false;
        for (size_t j = 0; j < sizeof prefixes / sizeof *prefixes; j++)
            needs = needs || slice_starts_with(name, prefixes[j]);
        for (size_t j = 0; j < sizeof read_later / sizeof *read_later; j++)
            needs = needs && !slice_equal(name, read_later[j]);
        if (needs)
            return true;
    }
    return false;
}

bool environment_has_extensions(const WorkerSpec *spec)
{
    for (size_t i = 0; i < spec->layer_count; i++) {
        char folder[PATH_MAX];
        int size = snprintf(folder, sizeof folder, "%.*s/extensions", SLICE_PRINT(spec->layer_directories[i]));
        if (size > 0 && (size_t)size < sizeof folder && extension_list(folder, NULL, 0) > 0)
            return true;
    }
    return false;
}

Slice environment_log_stream(Slice version, uint64_t wall_ms, const unsigned char random[16], Arena *arena)
{
    char date[TIME_TEXT_MAX];
    time_format_iso((int64_t)wall_ms, date);
    Buffer out = buffer_make(arena);
    buffer_add_format(&out, "%.4s/%.2s/%.2s/[%.*s]", date, date + 5, date + 8, SLICE_PRINT(version));
    for (int i = 0; i < 16; i++)
        buffer_add_format(&out, "%02x", random[i]);
    return buffer_slice(&out);
}

static void write_environment(JsonWriter *writer, const EnvironmentVariable *variables, size_t count)
{
    json_write_name(writer, SLICE("environment"));
    json_write_object_begin(writer);
    for (size_t i = 0; i < count; i++) {
        json_write_name(writer, variables[i].name);
        json_write_string(writer, variables[i].value);
    }
    json_write_object_end(writer);
}

Slice environment_init(const WorkerSpec *spec, const EnvironmentVariable *variables, size_t count, bool is_template,
                       Arena *arena)
{
    Buffer out = buffer_make(arena);
    JsonWriter writer = json_writer(&out);
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("handler"));
    json_write_string(&writer, spec->handler);
    json_write_name(&writer, SLICE("accountId"));
    json_write_string(&writer, spec->account);
    write_environment(&writer, variables, count);
    json_write_name(&writer, SLICE("snapStart"));
    json_write_boolean(&writer, is_template);
    json_write_name(&writer, SLICE("logFormat"));
    json_write_string(&writer, spec->log_format.size > 0 ? spec->log_format : SLICE("Text"));
    json_write_name(&writer, SLICE("logLevel"));
    json_write_string(&writer, spec->application_log_level.size > 0 ? spec->application_log_level : SLICE("INFO"));
    json_write_object_end(&writer);
    return buffer_slice(&out);
}

Slice environment_restore(const EnvironmentVariable *variables, size_t count, Arena *arena)
{
    Buffer out = buffer_make(arena);
    JsonWriter writer = json_writer(&out);
    json_write_object_begin(&writer);
    write_environment(&writer, variables, count);
    json_write_object_end(&writer);
    return buffer_slice(&out);
}
