/* breakers.c: circuit breakers for handlers, in operations of Brume's own (docs/breakers.md). */
#include "api/brume.h"
#include "core/breaker.h"

enum { LIST_MAX = 100 };

static Slice state_name(BreakerState state)
{
    static const Slice names[] = {
        [BREAKER_CLOSED] = SLICE_INIT("CLOSED"),
        [BREAKER_OPEN] = SLICE_INIT("OPEN"),
        [BREAKER_HALF_OPEN] = SLICE_INIT("HALF_OPEN"),
    };
    return names[state];
}

static BrumeBreakerState state_of(Call *call, const Breaker *breaker)
{
    uint64_t opens_ms = breaker_opens_ms(breaker);
    return (BrumeBreakerState){
        .name = arena_copy(call->arena, breaker->name),
        .state = state_name(breaker->state),
        .failures = (int64_t)breaker->failures,
        .has_failures = true,
        .failure_threshold = (int64_t)breaker->failure_threshold,
        .has_failure_threshold = true,
        .recovery_milliseconds = (int64_t)breaker->recovery_ms,
        .has_recovery_milliseconds = true,
        .opened_at = (int64_t)breaker->opened_ms,
        .has_opened_at = breaker->opened_ms != 0,
        .retry_at = (int64_t)opens_ms,
        .has_retry_at = opens_ms != 0,
    };
}

static BrumeBreakerState *answer(Call *call, const Breaker *breaker)
{
    BrumeBreakerState *state = ARENA_NEW(call->arena, BrumeBreakerState);
    *state = state_of(call, breaker);
    return state;
}

static Breaker breaker_of(const Call *call, Slice name)
{
    return (Breaker){.account = call->actor.account, .region = call->actor.region, .name = name};
}

/* The poller's are told their outcomes by it alone. */
static Error refuse_reserved(Call *call, Slice name)
{
    return slice_starts_with(name, SLICE("mapping/")) ? call_fail(call, &brume_error_reserved_name_exception, NULL)
                                                      : OK;
}

Error brume_enter_circuit_breaker(Call *call, Txn *txn, const EnterCircuitBreakerInput *input,
                                  EnterCircuitBreakerOutput *output)
{
    TRY(refuse_reserved(call, input->name));
    Breaker breaker = breaker_of(call, input->name);
    breaker.failure_threshold = (uint64_t)input->failure_threshold;
    breaker.recovery_ms = (uint64_t)input->recovery_milliseconds;
    TRY(breaker_enter(txn, &breaker, &output->allowed));
    output->has_allowed = true;
    output->breaker = answer(call, &breaker);
    return OK;
}

Error brume_record_circuit_breaker(Call *call, Txn *txn, const RecordCircuitBreakerInput *input,
                                   RecordCircuitBreakerOutput *output)
{
    TRY(refuse_reserved(call, input->name));
    Breaker breaker = breaker_of(call, input->name);
    breaker.failure_threshold = (uint64_t)input->failure_threshold;
    breaker.recovery_ms = (uint64_t)input->recovery_milliseconds;
    TRY(breaker_record(txn, &breaker, input->success));
    output->breaker = answer(call, &breaker);
    return OK;
}

Error brume_describe_circuit_breaker(Call *call, Txn *txn, const DescribeCircuitBreakerInput *input,
                                     DescribeCircuitBreakerOutput *output)
{
    Breaker breaker = breaker_of(call, input->name);
    TRY(breaker_read(txn, &breaker));
    output->breaker = answer(call, &breaker);
    return OK;
}

Error brume_list_circuit_breakers(Call *call, Txn *txn, const ListCircuitBreakersInput *input,
                                  ListCircuitBreakersOutput *output)
{
    Breaker breakers[LIST_MAX];
    size_t count = input->has_max_results ? (size_t)input->max_results : LIST_MAX;
    size_t limit = count;
    TRY(breaker_list(txn, call->actor.account, call->actor.region, input->next_token, breakers, &count));
    output->breakers.items = ARENA_ARRAY(call->arena, BrumeBreakerState, count + 1);
    output->breakers.count = count;
    for (size_t i = 0; i < count; i++)
        output->breakers.items[i] = state_of(call, &breakers[i]);
    if (count == limit)
        output->next_token = output->breakers.items[count - 1].name;
    return OK;
}

Error brume_reset_circuit_breaker(Call *call, Txn *txn, const ResetCircuitBreakerInput *input,
                                  ResetCircuitBreakerOutput *output)
{
    (void)output;
    return breaker_forget(txn, call->actor.account, call->actor.region, input->name);
}
