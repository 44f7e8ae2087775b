#include "aws/wire/common_error.h"
#include "aws/wire/rest.h"
#include "aws/wire/route.h"

/* ---- A path and the routes ---- */

/* Takes the next segment off a path that stands behind a slash; `rest->data` is NULL behind the last one. */
static Slice take_segment(Slice *rest)
{
    size_t end = slice_find(*rest, '/');
    Slice segment = slice_make(rest->data, end);
    *rest = end < rest->size ? slice_skip(*rest, end + 1) : (Slice){0};
    return segment;
}

static bool segment_fits(const RestSegment *segment, Slice *rest)
{
    if (rest->data == NULL)
        return false;
    if (segment->kind == SEGMENT_GREEDY) {
        bool fits = rest->size > 0;
        *rest = (Slice){0};
        return fits;
    }
    Slice part = take_segment(rest);
    return segment->kind == SEGMENT_LITERAL ? slice_equal(part, segment->text) : part.size > 0;
}

static bool path_fits(const RestRoute *route, Slice path)
{
    Slice rest = slice_skip(path, 1);
    for (size_t i = 0; i < route->segment_count; i++)
        if (!segment_fits(&route->segments[i], &rest))
            return false;
    return rest.size == 0;
}

static bool query_fits(const RestRoute *route, const QueryParameters *parameters)
{
    for (size_t i = 0; i < route->demand_count; i++) {
        Slice value = query_find(parameters, route->demands[i].name);
        if (value.data == NULL || (route->demands[i].value.size > 0 && !slice_equal(value, route->demands[i].value)))
            return false;
    }
    return true;
}

const RestRoute *rest_find_route(const Service *service, Slice method, Slice path, const QueryParameters *parameters)
{
    for (size_t i = 0; i < service->route_count; i++) {
        const RestRoute *route = &service->routes[i];
        if (slice_equal(route->method, method) && path_fits(route, path) && query_fits(route, parameters))
            return route;
    }
    return NULL;
}

Slice rest_label(const RestRoute *route, Slice path, const RestSegment *segment)
{
    Slice rest = slice_skip(path, 1);
    for (const RestSegment *other = route->segments; other < segment; other++)
        take_segment(&rest);
    return segment->kind == SEGMENT_GREEDY ? rest : take_segment(&rest);
}

/* ---- The service ---- */

static bool is_rest(const Service *service)
{
    return (service->protocols & PROTOCOL_REST_JSON_1) != 0;
}

static const Service *rest_service_by_name(const Service *const *services, size_t count, Slice name)
{
    for (size_t i = 0; i < count; i++)
        if (is_rest(services[i]) && slice_equal(services[i]->name, name))
            return services[i];
    return NULL;
}

static bool begins_routes(const Service *service, Slice segment)
{
    for (size_t i = 0; i < service->route_count; i++) {
        const RestRoute *route = &service->routes[i];
        if (route->segment_count > 0 && route->segments[0].kind == SEGMENT_LITERAL &&
            slice_equal(route->segments[0].text, segment))
            return true;
    }
    return false;
}

/* The one service that has routes that begin as the path does. */
static const Service *rest_service_by_path(const Service *const *services, size_t count, Slice path)
{
    Slice rest = slice_skip(path, 1);
    Slice segment = take_segment(&rest);
    const Service *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!begins_routes(services[i], segment))
            continue;
        if (found != NULL)
            return NULL;
        found = services[i];
    }
    return found;
}

static const Service *rest_service(CallState *state, const Service *const *services, size_t count)
{
    const HttpRequest *request = state->request;
    Slice scope = route_signed_service(state);
    if (scope.size > 0)
        return rest_service_by_name(services, count, scope);
    Slice label = slice_make(request->host.data, slice_find(request->host, '.'));
    const Service *service = rest_service_by_name(services, count, label);
    return service != NULL ? service : rest_service_by_path(services, count, request->path);
}

/* ---- The operation ---- */

static Error read_query(CallState *state)
{
    Call *call = &state->call;
    Error error = query_parse(call->arena, state->request->query, &state->parameters);
    if (error == ERROR_TOO_LARGE)
        return call_fail(call, &common_serialization, "The request has too many parameters.");
    if (error != OK)
        return call_fail(call, &common_serialization, "The query is not percent-encoded UTF-8.");
    return OK;
}

Error route_rest(CallState *state, const Service *const *services, size_t service_count)
{
    const HttpRequest *request = state->request;
    Call *call = &state->call;
    /* Nothing of any of them stands at the root, where the requests of the other protocols go. */
    if (request->path.size <= 1 || request->path.data[0] != '/' ||
        http_request_header(request, SLICE("x-amz-target")).data != NULL)
        return OK;
    const Service *service = rest_service(state, services, service_count);
    if (service == NULL)
        return OK;
    state->protocol = PROTOCOL_REST_JSON_1;
    call->service = service;
    TRY(read_query(state));
    const RestRoute *route = rest_find_route(service, request->method, request->path, &state->parameters);
    if (route == NULL)
        return call_fail(call, &common_undetermined_operation, "%s: %.*s has no %.*s %.*s",
                         common_undetermined_operation.message, SLICE_PRINT(service->sdk_id),
                         SLICE_PRINT(request->method), SLICE_PRINT(request->path));
    state->route = route;
    if (route->operation == NULL)
        return call_fail(call, &common_not_implemented, "Brume does not implement %.*s %.*s.",
                         SLICE_PRINT(service->sdk_id), SLICE_PRINT(route->name));
    call->operation = route->operation;
    return OK;
}
