/* What an extension asks with whatever body is answered once, and changes nothing but in the bounds that are documented. */
#include "runtime/runtime_api_internal.h"

#include "base/bug.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ID "11111111-1111-4111-8111-111111111111"

static void check_subscription(const Subscription *subscription)
{
    if (!subscription->is_open)
        return;
    ASSERT(subscription->types != 0 && (subscription->types & ~(unsigned)TELEMETRY_TYPES) == 0);
    ASSERT(subscription->timeout_ms >= 25 && subscription->timeout_ms <= 30000);
    ASSERT(subscription->max_bytes >= 262144 && subscription->max_bytes <= 1048576);
    ASSERT(subscription->max_items >= 1000 && subscription->max_items <= 10000);
    ASSERT(subscription->port != 0);
    ASSERT(subscription->is_tcp || subscription->path[0] == '/');
}

/* The first byte says what is asked, the rest is the body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ApiCall calls[] = {API_CALL_REGISTER, API_CALL_TELEMETRY, API_CALL_LOGS,
                                    API_CALL_EXTENSION_EXIT_ERROR};
    int pair[2];
    char answer[4096];
    if (size == 0)
        return 0;
    ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    Api *api = calloc(1, sizeof *api);
    ASSERT(api != NULL);
    api->phase = API_PHASE_RUNTIME;
    api->bootstrap = api->extensions.program_output.file = api->extensions.program_errors.file = -1;
    api->extensions.count = 1;
    api->extensions.all[0] = (Extension){.name = "known", .id = ID, .state = EXTENSION_REGISTERED, .output.file = -1};
    api->telemetry.all[0].file = -1;
    ApiConnection *connection = &api->connections[0];
    api_connection_open(api, connection, pair[0]);
    connection->call = calls[*data % (sizeof calls / sizeof *calls)];
    api_bytes_add(&connection->fields[API_FIELD_EXTENSION_ID], SLICE(ID));
    api_bytes_add(&connection->fields[API_FIELD_EXTENSION_NAME], SLICE("another"));
    api_bytes_add(&connection->fields[API_FIELD_EXTENSION_ERROR], slice_make(data, size < 64 ? size : 64));
    api_bytes_add(&connection->body, slice_make(data + 1, size - 1));
    extension_perform(connection);
    check_subscription(&api->telemetry.all[0]);
    ASSERT(api->extensions.count <= 2);
    ASSERT(recv(pair[1], answer, sizeof answer, 0) > 12 && memcmp(answer, "HTTP/1.1 ", 9) == 0);
    ASSERT(recv(pair[1], answer, sizeof answer, 0) < 0);
    if (connection->file >= 0)
        api_connection_close(connection);
    close(pair[1]);
    extensions_close(api);
    telemetry_close(api);
    api_bytes_free(&api->output);
    arena_free(&api->arena);
    free(api);
    return 0;
}
