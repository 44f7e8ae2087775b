/* environment.h: the environment of a worker, and the first frames that carry it. Pure; all in the given arena. */
#ifndef BRUME_RUNTIME_ENVIRONMENT_H
#define BRUME_RUNTIME_ENVIRONMENT_H

#include "core/invoker.h"
#include "core/session.h"

/* The certificates that functions trust when the endpoint is HTTPS: a file beside the bootstraps, as workers see it. */
#define TRUST_FILE "trust.pem"
#define TRUST_PATH "/var/brume/" TRUST_FILE

typedef struct EnvironmentFacts {
    const WorkerSpec *spec;
    const SessionCredentials *credentials;
    Slice endpoint;
    Slice log_stream;
    bool has_trust;            /* the endpoint is HTTPS, and TRUST_PATH is there */
    Slice initialization_type; /* "on-demand", "provisioned-concurrency", "snap-start" */
} EnvironmentFacts;

/* What AWS defines, and the function's own over that where AWS lets it (Lambda developer guide, "Defined runtime
 * environment variables"). */
void environment_make(const EnvironmentFacts *facts, Arena *arena, EnvironmentVariable **variables, size_t *count);

/* Whether the function has variables of its own that a language reads before its first line of a program runs: its process
 * must be started with them, and cannot be one that was started ahead. */
bool environment_needs_process(const WorkerSpec *spec);
/* Whether its layers bring external extensions: executables in a folder `extensions`. Looks into those folders. */
bool environment_has_extensions(const WorkerSpec *spec);

/* "2026/01/31/[$LATEST]0123456789abcdef0123456789abcdef". */
Slice environment_log_stream(Slice version, uint64_t wall_ms, const unsigned char random[16], Arena *arena);

/* The content of FRAME_INIT. */
Slice environment_init(const WorkerSpec *spec, const EnvironmentVariable *variables, size_t count, bool is_template,
                       Arena *arena);
/* The content of FRAME_RESTORE. */
Slice environment_restore(const EnvironmentVariable *variables, size_t count, Arena *arena);

#endif
