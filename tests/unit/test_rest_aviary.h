/* test_rest_aviary.h: what the tests of REST share: the aviary's hooks, and a call without a server. */
#ifndef BRUME_TEST_REST_AVIARY_H
#define BRUME_TEST_REST_AVIARY_H

#include "tests/aviary.h"

#include "aws/wire/common_error.h"
#include "aws/wire/rest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void aviary_complete_error(Call *call)
{
    if (call->error == &aviary_error_flown)
        ((AviaryFlown *)call_error_members(call))->type = SLICE("User");
}

static Error aviary_core_error(Call *call, Error error)
{
    return error == ERROR_TOO_LARGE ? call_fail(call, &aviary_error_flown, "The song is too long.") : OK;
}

const ServiceHooks aviary_hooks = {.complete_error = aviary_complete_error, .core_error = aviary_core_error};

/* A request that no server has read. */
typedef struct Aviary {
    Arena arena;
    CallState state;
    Call *call;
    HttpRequest request;
    HttpHeader headers[16];
} Aviary;

static inline void aviary_open(Aviary *aviary, const char *method, const char *target)
{
    *aviary = (Aviary){.arena = arena_make()};
    Slice text = slice_of_string(target);
    size_t mark = slice_find(text, '?');
    aviary->request = (HttpRequest){
        .arena = &aviary->arena,
        .method = slice_of_string(method),
        .target = text,
        .path = slice_make(text.data, mark),
        .query = mark < text.size ? slice_skip(text, mark + 1) : slice_make("", 0),
        .host = SLICE("127.0.0.1:4566"),
        .headers = aviary->headers,
    };
    aviary->call = &aviary->state.call;
    aviary->call->arena = &aviary->arena;
    aviary->call->state = &aviary->state;
    aviary->state.request = &aviary->request;
    aviary->state.protocol = PROTOCOL_AWS_QUERY;
    aviary->state.parameters.limit = 100;
    aviary->state.item_limit = 100;
}

static inline void aviary_close(Aviary *aviary)
{
    arena_free(&aviary->arena);
}

static inline void aviary_header(Aviary *aviary, const char *name, const char *value)
{
    HttpHeader *header = &aviary->headers[aviary->request.header_count++];
    *header = (HttpHeader){slice_of_string(name), slice_of_string(value)};
}

static inline Error aviary_route(Aviary *aviary)
{
    static const Service *const services[] = {&aviary_service};
    return route_rest(&aviary->state, services, 1);
}

/* Routes and decodes; the input is then in state.input. */
static inline Error aviary_decode(Aviary *aviary, const char *body)
{
    assert_int_equal(aviary_route(aviary), OK);
    assert_non_null(aviary->state.route);
    aviary->state.body = slice_of_string(body);
    aviary->state.input = arena_zalloc(&aviary->arena, aviary->call->operation->input->size);
    return decode_rest(&aviary->state);
}

static inline const char *aviary_text(Aviary *aviary, Slice slice)
{
    assert_non_null(slice.data);
    return arena_string(&aviary->arena, slice);
}

#endif
