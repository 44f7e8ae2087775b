/* Stands in for patterns and breakers until they are there: filters and breakers are refused, or closed. */
#include "core/breaker.h"
#include "core/pattern.h"

Error pattern_compile(Arena *arena, const Slice *patterns, size_t count, const PatternSet **set, size_t *wrong,
                      Slice *problem)
{
    (void)arena, (void)patterns, (void)count;
    *set = NULL;
    *wrong = 0;
    *problem = SLICE("");
    return PATTERN_INVALID;
}

size_t pattern_match(const PatternSet *set, Slice event, Arena *scratch, bool *matched)
{
    (void)set, (void)event, (void)scratch, (void)matched;
    return 0;
}

Error breaker_read(Txn *txn, Breaker *breaker)
{
    (void)txn;
    breaker->state = BREAKER_CLOSED;
    return OK;
}

Error breaker_enter(Txn *txn, Breaker *breaker, bool *allowed)
{
    (void)txn, (void)breaker;
    *allowed = true;
    return OK;
}

Error breaker_record(Txn *txn, Breaker *breaker, bool success)
{
    (void)txn, (void)breaker, (void)success;
    return OK;
}

uint64_t breaker_opens_ms(const Breaker *breaker)
{
    (void)breaker;
    return 0;
}

Error breaker_forget(Txn *txn, Slice account, Slice region, Slice name)
{
    (void)txn, (void)account, (void)region, (void)name;
    return OK;
}
