/* test_wire_zoo.h: what the tests of the protocols share: the zoo's tables (zoo.smithy), and a call without a server. */
#ifndef BRUME_TEST_WIRE_ZOO_H
#define BRUME_TEST_WIRE_ZOO_H

#include "tests/zoo.c"

#include "aws/wire/call_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

Error zoo_put_animal(Call *call, Txn *txn, const PutAnimalInput *input, PutAnimalOutput *output)
{
    (void)call;
    (void)txn;
    output->name = input->name;
    return OK;
}

Error zoo_close(Call *call, Txn *txn, const CloseInput *input, CloseOutput *output)
{
    (void)call;
    (void)txn;
    (void)input;
    (void)output;
    return OK;
}

typedef struct Zoo {
    Arena arena;
    CallState state;
    Call *call;
    PutAnimalInput *input;
} Zoo;

static inline void zoo_open(Zoo *zoo)
{
    *zoo = (Zoo){.arena = arena_make()};
    zoo->call = &zoo->state.call;
    zoo->call->arena = &zoo->arena;
    zoo->call->state = &zoo->state;
    zoo->call->service = &zoo_service;
    zoo->call->operation = service_operation(&zoo_service, SLICE("PutAnimal"));
    zoo->call->request_id = SLICE("00000000-0000-4000-8000-000000000000");
    zoo->state.item_limit = 1000;
    zoo->input = ARENA_NEW(&zoo->arena, PutAnimalInput);
}

static inline void zoo_close_all(Zoo *zoo)
{
    arena_free(&zoo->arena);
}

#define ASSERT_SLICE(slice, text)                                                                                      \
    do {                                                                                                               \
        Slice assert_slice_ = (slice);                                                                                 \
        assert_non_null(assert_slice_.data);                                                                           \
        assert_string_equal(arena_string(&zoo->arena, assert_slice_), text);                                           \
    } while (0)

/* Runs a test with a fresh zoo. */
#define ZOO_TEST(name)                                                                                                 \
    static void name##_in(Zoo *zoo);                                                                                   \
    static void name(void **unused)                                                                                    \
    {                                                                                                                  \
        (void)unused;                                                                                                  \
        Zoo zoo;                                                                                                       \
        zoo_open(&zoo);                                                                                                \
        name##_in(&zoo);                                                                                               \
        zoo_close_all(&zoo);                                                                                           \
    }                                                                                                                  \
    static void name##_in(Zoo *zoo)

#endif
