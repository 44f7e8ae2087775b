#include "runtime/extension.h"

#include "base/json.h"
#include "runtime/runtime_api_internal.h"

#include <stdio.h>

#define VERSION "/2020-01-01/extension/"

/* ---- Routes ---- */

static const struct {
    Slice path;
    uint8_t method;
    ApiCall call;
} routes[] = {
    {SLICE_INIT(VERSION "register"), HTTP_POST, API_CALL_REGISTER},
    {SLICE_INIT(VERSION "event/next"), HTTP_GET, API_CALL_EXTENSION_NEXT},
    {SLICE_INIT(VERSION "init/error"), HTTP_POST, API_CALL_EXTENSION_INIT_ERROR},
    {SLICE_INIT(VERSION "exit/error"), HTTP_POST, API_CALL_EXTENSION_EXIT_ERROR},
    {SLICE_INIT("/2022-07-01/telemetry"), HTTP_PUT, API_CALL_TELEMETRY},
    {SLICE_INIT("/2020-08-15/logs"), HTTP_PUT, API_CALL_LOGS},
};

bool extension_route(ApiConnection *connection, Slice path)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!slice_equal(path, routes[i].path))
            continue;
        if (connection->parser.method == routes[i].method)
            connection->call = routes[i].call;
        else
            api_refuse(connection, 405, "MethodNotAllowed", SLICE("The path does not take this method"));
        return true;
    }
    return false;
}

static void answer_refused(ApiConnection *connection, int status, const char *type, const char *message)
{
    api_respond(connection, (ApiAnswer){status, type, slice_of_string(message)});
}

/* ---- Who asks ---- */

static Extension *find_by_name(Api *api, Slice name)
{
    for (size_t i = 0; i < api->extensions.count; i++)
        if (slice_equal(slice_of_string(api->extensions.all[i].name), name))
            return &api->extensions.all[i];
    return NULL;
}

/* The extension that the request's identifier names; NULL: the request has been refused. */
static Extension *find_asking(ApiConnection *connection)
{
    Api *api = connection->api;
    Slice id = api_field(connection, API_FIELD_EXTENSION_ID);
    if (id.size == 0) {
        answer_refused(connection, 403, "Extension.MissingExtensionIdentifier",
                       "The request has no Lambda-Extension-Identifier");
        return NULL;
    }
    for (size_t i = 0; i < api->extensions.count; i++) {
        Extension *extension = &api->extensions.all[i];
        if (extension->id[0] != '\0' && slice_equal(slice_of_string(extension->id), id))
            return extension;
    }
    answer_refused(connection, 403, "Extension.UnknownExtensionIdentifier",
                   "Lambda-Extension-Identifier is that of no extension");
    return NULL;
}

/* ---- Registering ---- */

typedef struct Wanted {
    bool invoke;
    bool shutdown;
    bool unknown;
} Wanted;

static Error read_events(JsonReader *json, Wanted *wanted)
{
    bool more;
    Slice event;
    TRY(json_begin_array(json));
    while (true) {
        TRY(json_next_element(json, &more));
        if (!more)
            return OK;
        TRY(json_read_string(json, &event));
        if (slice_equal(event, SLICE("INVOKE")))
            wanted->invoke = true;
        else if (slice_equal(event, SLICE("SHUTDOWN")))
            wanted->shutdown = true;
        else
            wanted->unknown = true;
    }
}

static Error read_wanted(Slice body, Wanted *wanted)
{
    Arena arena = arena_make();
    JsonReader json = json_reader(body, &arena);
    Error error = json_begin_object(&json);
    Slice name = {0};
    while (error == OK && (error = json_next_member(&json, &name)) == OK && name.data != NULL)
        error = slice_equal(name, SLICE("events")) ? read_events(&json, wanted) : json_read_any(&json, &name);
    if (error == OK)
        error = json_read_end(&json);
    arena_free(&arena);
    return error;
}

/* An internal one: a part of the program, which registers while that starts. NULL: the request has been refused. */
static Extension *add_internal(ApiConnection *connection, Slice name, const Wanted *wanted)
{
    Api *api = connection->api;
    Extensions *extensions = &api->extensions;
    if (api->phase == API_PHASE_EXTENSIONS) {
        answer_refused(connection, 403, "Extension.InvalidExtensionName",
                       "Lambda-Extension-Name is the name of no file in /opt/extensions");
    } else if (api->phase != API_PHASE_RUNTIME || api->state != API_STARTED) {
        answer_refused(connection, 403, "Extension.RegistrationClosed",
                       "Extensions register before the runtime asks for its first event");
    } else if (wanted->shutdown) {
        answer_refused(connection, 403, "Extension.InvalidEventType", "SHUTDOWN is no event for an internal extension");
    } else if (extensions->count == EXTENSIONS_MAX) {
        answer_refused(connection, 403, "Extension.TooManyExtensions", "A function has 10 extensions at most");
    } else {
        Extension *extension = &extensions->all[extensions->count++];
        *extension = (Extension){.output.file = -1};
        memcpy(extension->name, name.data, name.size);
        return extension;
    }
    return NULL;
}

static bool has_feature(Slice features, Slice wanted)
{
    while (features.size > 0) {
        Slice one = slice_make(features.data, slice_find(features, ','));
        features = slice_skip(features, one.size < features.size ? one.size + 1 : one.size);
        while (one.size > 0 && one.data[0] == ' ')
            one = slice_skip(one, 1);
        while (one.size > 0 && one.data[one.size - 1] == ' ')
            one.size--;
        if (slice_equal(one, wanted))
            return true;
    }
    return false;
}

static void write_text(JsonWriter *json, Slice name, Slice value)
{
    json_write_name(json, name);
    json_write_string(json, value);
}

static void answer_registered(ApiConnection *connection, const Extension *extension)
{
    const ApiFunction *function = &connection->api->function;
    Arena arena = arena_make();
    Buffer out = buffer_make(&arena);
    JsonWriter json = json_writer(&out);
    json_write_object_begin(&json);
    write_text(&json, SLICE("functionName"), function->name);
    write_text(&json, SLICE("functionVersion"), function->version);
    write_text(&json, SLICE("handler"), function->handler);
    if (has_feature(api_field(connection, API_FIELD_EXTENSION_FEATURE), SLICE("accountId")))
        write_text(&json, SLICE("accountId"), function->account);
    json_write_object_end(&json);
    Slice fields = arena_format(&arena, "Lambda-Extension-Identifier: %s\r\n", extension->id);
    api_respond_with(connection, 200, fields, buffer_slice(&out));
    arena_free(&arena);
}

static void perform_register(ApiConnection *connection)
{
    Api *api = connection->api;
    Slice name = api_field(connection, API_FIELD_EXTENSION_NAME);
    Wanted wanted = {0};
    if (name.size == 0 || name.size >= EXTENSION_NAME_BYTES || !utf8_is_valid(name)) {
        answer_refused(connection, 403, "Extension.InvalidExtensionName", "The request has no Lambda-Extension-Name");
        return;
    }
    if (read_wanted(api_bytes_left(&connection->body), &wanted) != OK) {
        answer_refused(connection, 400, "InvalidRequestFormat",
                       "The body must be a JSON object: {\"events\":[\"INVOKE\",\"SHUTDOWN\"]}");
        return;
    }
    if (wanted.unknown) {
        answer_refused(connection, 400, "Extension.InvalidEventType", "Events are INVOKE and SHUTDOWN");
        return;
    }
    Extension *extension = find_by_name(api, name);
    if (extension == NULL) {
        extension = add_internal(connection, name, &wanted);
        if (extension == NULL)
            return;
    } else if (extension->state != EXTENSION_STARTED) {
        answer_refused(connection, 403, "Extension.AlreadyRegistered", "An extension of that name has registered");
        return;
    }
    extension->state = EXTENSION_REGISTERED;
    extension->takes_invoke = wanted.invoke;
    extension->takes_shutdown = wanted.shutdown;
    extension_make_id(extension->id);
    extension_log(api, extension, "Registered", SLICE(""));
    answer_registered(connection, extension);
}

/* ---- Events and errors ---- */

static void perform_next(ApiConnection *connection, Extension *extension)
{
    if (extension->state == EXTENSION_FAILED) {
        answer_refused(connection, 403, "Extension.InvalidExtensionState", "The extension has reported an error");
        return;
    }
    if (extension->connection != NULL) {
        answer_refused(connection, 403, "Extension.InvalidExtensionState", "The extension asks already");
        return;
    }
    connection->waits = true;
    connection->extension = extension;
    extension->connection = connection;
    extension->state = EXTENSION_WAITING;
    extension_serve(extension);
}

/* Both end the worker ("Extensions API reference": Init error, Exit error). */
static void perform_error(ApiConnection *connection, Extension *extension)
{
    Api *api = connection->api;
    bool is_init = connection->call == API_CALL_EXTENSION_INIT_ERROR;
    Slice type = api_field(connection, API_FIELD_EXTENSION_ERROR);
    if (type.size == 0 || !utf8_is_valid(type)) {
        answer_refused(connection, 400, "Extension.MissingHeader",
                       "The request has no Lambda-Extension-Function-Error-Type");
        return;
    }
    type = arena_copy(&api->arena, type);
    api_respond(connection, (ApiAnswer){.status = 202});
    extension->state = EXTENSION_FAILED;
    extension_log(api, extension, is_init ? "InitError" : "ExitError", type);
    api_fault(api, is_init ? "Extension.InitError" : "Extension.ExitError", SLICE("exit code 0"));
}

void extension_perform(ApiConnection *connection)
{
    if (connection->call == API_CALL_REGISTER) {
        perform_register(connection);
        return;
    }
    Extension *extension = find_asking(connection);
    if (extension == NULL)
        return;
    if (connection->call == API_CALL_EXTENSION_NEXT)
        perform_next(connection, extension);
    else if (connection->call == API_CALL_TELEMETRY || connection->call == API_CALL_LOGS)
        telemetry_subscribe(connection, extension, connection->call == API_CALL_LOGS);
    else
        perform_error(connection, extension);
}
