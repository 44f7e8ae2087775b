/* The shutdown phase (AWS Lambda developer guide, "Understanding the Lambda execution environment lifecycle", "Shutdown
 * phase"): first the program goes, then the extensions are told, and whoever is left when the time is over is killed. */
#include "runtime/runtime_api_internal.h"

#include <signal.h>

enum {
    TELEMETRY_MS = 500,     /* of SHUTDOWN_MS, for what was not delivered yet: who is told to end may do so at once */
    PROGRAM_MS = 300,       /* of SHUTDOWN_MS, for a program that was told to end */
    INTERNAL_ONLY_MS = 500, /* the same without external extensions */
};

static const char *const reasons[] = {
    [API_REASON_SPINDOWN] = "spindown",
    [API_REASON_TIMEOUT] = "timeout",
    [API_REASON_FAILURE] = "failure",
};

static bool has_program(const Api *api)
{
    return api->program > 0 && !api->has_ended;
}

static bool has_external(const Api *api)
{
    for (size_t i = 0; i < api->extensions.count; i++)
        if (api->extensions.all[i].process > 0)
            return true;
    return false;
}

void api_end(Api *api, ApiReason reason)
{
    if (api->phase == API_PHASE_ENDING)
        return;
    if (api->at_work)
        telemetry_event_done(api, reason == API_REASON_TIMEOUT ? "timeout" : "failure");
    int64_t now = api_now_ms();
    bool is_external = extensions_external(api) > 0;
    api->phase = API_PHASE_ENDING;
    api->ending = API_ENDING_PROGRAM;
    api->reason = reason;
    api->extensions_by_ms = now + (is_external ? SHUTDOWN_MS : api->extensions.count > 0 ? INTERNAL_ONLY_MS : 0);
    api->program_by_ms = now;
    if (has_program(api) && reason == API_REASON_SPINDOWN) {
        api->program_by_ms += is_external ? PROGRAM_MS : INTERNAL_ONLY_MS;
        kill(api->program, SIGTERM);
    }
    api_ending_advance(api);
}

static void end_program(Api *api)
{
    if (has_program(api)) {
        if (api_now_ms() >= api->program_by_ms)
            kill(-api->program, SIGKILL);
        return;
    }
    api->telemetry.is_flushing = true;
    api->telemetry_by_ms = api_now_ms() + TELEMETRY_MS;
    api->ending = API_ENDING_TELEMETRY;
}

static void end_telemetry(Api *api)
{
    if (!telemetry_is_empty(api) && api_now_ms() < api->telemetry_by_ms)
        return;
    extensions_tell_end(api, reasons[api->reason], api_wall_ms() + (uint64_t)(api->extensions_by_ms - api_now_ms()));
    api->ending = API_ENDING_EXTENSIONS;
}

void api_ending_advance(Api *api)
{
    if (api->ending == API_ENDING_PROGRAM)
        end_program(api);
    if (api->ending == API_ENDING_TELEMETRY)
        end_telemetry(api);
    if (api->ending != API_ENDING_EXTENSIONS)
        return;
    if (!has_external(api)) {
        api->ending = API_ENDING_OVER;
        api->is_over = true;
    } else if (api_now_ms() >= api->extensions_by_ms) {
        extensions_kill(api);
    }
}

/* Once they have been killed, their end is news by itself. */
int64_t api_ending_deadline(const Api *api)
{
    if (api->phase != API_PHASE_ENDING)
        return INT64_MAX;
    int64_t by = api->ending == API_ENDING_PROGRAM     ? api->program_by_ms
                 : api->ending == API_ENDING_TELEMETRY ? api->telemetry_by_ms
                                                       : api->extensions_by_ms;
    return api_now_ms() >= by ? INT64_MAX : by;
}
