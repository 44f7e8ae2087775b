#include "aws/wire/route.h"

#include "aws/wire/common_error.h"

ProtocolSet route_protocol(const HttpRequest *request)
{
    Slice type = http_request_header(request, SLICE("content-type"));
    if (slice_starts_with(type, SLICE("application/x-amz-json-1.1")))
        return PROTOCOL_AWS_JSON_1_1;
    if (slice_starts_with(type, SLICE("application/x-amz-json")) ||
        http_request_header(request, SLICE("x-amz-target")).data != NULL)
        return PROTOCOL_AWS_JSON_1_0;
    return PROTOCOL_AWS_QUERY;
}

Slice route_signed_service(CallState *state)
{
    if (state->signed_service.data == NULL) {
        Slice service = signing_scope(state->request).service;
        state->signed_service = service.data == NULL ? SLICE("") : service;
    }
    return state->signed_service;
}

static Error unknown_action(Call *call, Slice action)
{
    return call_fail(call, &common_unknown_operation, "The action %.*s is not valid for this endpoint.",
                     SLICE_PRINT(action));
}

static Error find_operation(CallState *state, const Service *service, Slice name)
{
    Call *call = &state->call;
    call->service = service;
    if ((service->protocols & state->protocol) == 0)
        return unknown_action(call, name);
    call->operation = service_operation(service, name);
    if (call->operation != NULL)
        return OK;
    if (service_lists_unsupported(service, name))
        return call_fail(call, &common_not_implemented, "Brume does not implement %.*s %.*s.",
                         SLICE_PRINT(service->sdk_id), SLICE_PRINT(name));
    return unknown_action(call, name);
}

/* ---- JSON ---- */

static Error route_json(CallState *state, const Service *const *services, size_t service_count)
{
    Call *call = &state->call;
    Slice target = http_request_header(state->request, SLICE("x-amz-target"));
    size_t dot = target.size;
    while (dot > 0 && target.data[dot - 1] != '.')
        dot--;
    if (dot < 2 || dot == target.size || !slice_equal(state->request->method, SLICE("POST")))
        return call_fail(call, &common_unknown_operation, NULL);
    Slice prefix = slice_make(target.data, dot - 1);
    Slice name = slice_skip(target, dot);
    for (size_t i = 0; i < service_count; i++)
        if (slice_equal(services[i]->target_prefix, prefix))
            return find_operation(state, services[i], name);
    return call_fail(call, &common_not_implemented, "Brume does not implement the service %.*s (operation %.*s).",
                     SLICE_PRINT(prefix), SLICE_PRINT(name));
}

/* ---- Query ---- */

static bool is_form(const HttpRequest *request)
{
    Slice type = http_request_header(request, SLICE("content-type"));
    return type.data == NULL || slice_starts_with(type, SLICE("application/x-www-form-urlencoded"));
}

static Error read_parameters(CallState *state, Slice body)
{
    Call *call = &state->call;
    Error error = query_parse(call->arena, state->request->query, &state->parameters);
    if (error == OK && is_form(state->request))
        error = query_parse(call->arena, body, &state->parameters);
    if (error == ERROR_TOO_LARGE)
        return call_fail(call, &common_serialization, "The request has too many parameters.");
    if (error != OK)
        return call_fail(call, &common_serialization, NULL);
    return OK;
}

static const Service *service_by_name(const Service *const *services, size_t count, Slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(services[i]->name, name))
            return services[i];
    return NULL;
}

static const Service *service_by_path(const Service *const *services, size_t count, Slice path)
{
    for (size_t i = 0; i < count; i++)
        if (services[i]->hooks != NULL && services[i]->hooks->claims_path != NULL &&
            services[i]->hooks->claims_path(path))
            return services[i];
    return NULL;
}

/* Unsigned requests to a bare address: the one service that has the action, in this version where one is named. */
static const Service *service_by_action(const Service *const *services, size_t count, Slice action, Slice version)
{
    for (size_t i = 0; i < count; i++)
        if ((version.data == NULL || slice_equal(services[i]->version, version)) &&
            (service_operation(services[i], action) != NULL || service_lists_unsupported(services[i], action)))
            return services[i];
    return NULL;
}

static const Service *query_service(CallState *state, const Service *const *services, size_t count, Slice action)
{
    const HttpRequest *request = state->request;
    const Service *service = service_by_path(services, count, request->path);
    state->at_root = service == NULL;
    if (service == NULL)
        service = service_by_name(services, count, route_signed_service(state));
    if (service == NULL)
        service = service_by_name(services, count, slice_make(request->host.data, slice_find(request->host, '.')));
    if (service == NULL)
        service = service_by_action(services, count, action, query_find(&state->parameters, SLICE("Version")));
    return service;
}

/* Services of today's SDKs that read errors in XML although they send no form. */
static const Slice xml_services[] = {SLICE_INIT("s3"), SLICE_INIT("s3express"), SLICE_INIT("route53"),
                                     SLICE_INIT("cloudfront")};

/* A request that is signed for a service that Brume does not have, in whatever protocol that service speaks: refused by
 * name, in the form that its SDK reads. */
static Error refuse_service(CallState *state, Slice service, Slice action)
{
    const HttpRequest *request = state->request;
    bool xml = http_request_header(request, SLICE("content-type")).data != NULL && is_form(request);
    for (size_t i = 0; i < sizeof xml_services / sizeof xml_services[0]; i++)
        xml = xml || slice_equal(service, xml_services[i]);
    if (!xml)
        state->protocol = PROTOCOL_AWS_JSON_1_1;
    if (action.data != NULL)
        return call_fail(&state->call, &common_not_implemented,
                         "Brume does not implement the service %.*s (operation %.*s).", SLICE_PRINT(service),
                         SLICE_PRINT(action));
    return call_fail(&state->call, &common_not_implemented, "Brume does not implement the service %.*s (%.*s %.*s).",
                     SLICE_PRINT(service), SLICE_PRINT(request->method), SLICE_PRINT(request->path));
}

static bool is_query_method(Slice method)
{
    return slice_equal(method, SLICE("POST")) || slice_equal(method, SLICE("GET"));
}

static Error route_query(CallState *state, const Service *const *services, size_t service_count, Slice body)
{
    Call *call = &state->call;
    TRY(read_parameters(state, body));
    Slice action = query_find(&state->parameters, SLICE("Action"));
    call->service = query_service(state, services, service_count, action);
    Slice scope = route_signed_service(state);
    if (call->service == NULL && scope.size > 0)
        return refuse_service(state, scope, action);
    if (action.data == NULL && slice_equal(state->request->method, SLICE("POST")) && call->service != NULL)
        return call_fail(call, &common_missing_action, NULL);
    if (action.data == NULL || !is_query_method(state->request->method))
        return call_fail(call, &common_unknown_operation, NULL);
    if (call->service == NULL)
        return unknown_action(call, action);
    Slice version = query_find(&state->parameters, SLICE("Version"));
    if (version.data != NULL && !slice_equal(version, call->service->version))
        return call_fail(call, &common_unknown_operation, "Could not find operation %.*s for version %.*s",
                         SLICE_PRINT(action), SLICE_PRINT(version));
    TRY(find_operation(state, call->service, action));
    if (call->operation->root_only && !state->at_root)
        return unknown_action(call, action);
    return OK;
}

Error route(CallState *state, const Service *const *services, size_t service_count, Slice body)
{
    if (state->protocol == PROTOCOL_AWS_QUERY)
        return route_query(state, services, service_count, body);
    return route_json(state, services, service_count);
}
