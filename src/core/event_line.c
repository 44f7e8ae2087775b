/* event_line.c: one function's events in memory. Read it downwards: they are read, started, they end, and what became of
 * them is settled. */
#include "core/event_line.h"

#include "base/bug.h"
#include "core/event_config.h"

#include <stdlib.h>

enum {
    SETTLE_MAX = 200,               /* events in one transaction */
    SETTLE_BYTES = 4 * 1024 * 1024, /* the same, unless one alone has more */
    SETTLED_PER_OWNER = 1000,       /* then it is kept where the first one stands */
    RUNS_PER_GROWTH = 256,          /* of a window, for each place that it has */
    SLOW_CREDIT = 64,               /* what a run of a slow handler counts */
};

/* ---- Lists ---- */

static void enter(EventFlight *flight, FlightStage stage)
{
    EventLine *line = flight->line;
    line->counts[flight->stage]--;
    list_remove(&flight->in_stage);
    flight->stage = stage;
    line->counts[stage]++;
    list_push_back(&line->stages[stage], &flight->in_stage);
}

static EventFlight *first_of(EventLine *line, FlightStage stage)
{
    ListNode *node = list_first(&line->stages[stage]);
    return node == NULL ? NULL : CONTAINER_OF(node, EventFlight, in_stage);
}

static void note_oldest(EventRunner *runner)
{
    ListNode *node = list_first(&runner->flights);
    uint64_t oldest_ms = node == NULL ? 0 : CONTAINER_OF(node, EventFlight, in_all)->event.accepted_ms;
    atomic_store_explicit(&runner->oldest_ms, oldest_ms, memory_order_relaxed);
    atomic_store_explicit(&runner->held, runner->flight_count, memory_order_relaxed);
}

static void flight_open(EventLine *line, const StoredEvent *event)
{
    EventRunner *runner = line->runner;
    EventFlight *flight = calloc(1, sizeof *flight);
    ASSERT(flight != NULL);
    flight->line = line;
    flight->event = event_copy(event, &flight->arena);
    flight->bytes = event->payload.size + sizeof *flight;
    line->counts[FLIGHT_WAITING]++;
    list_push_back(&line->stages[FLIGHT_WAITING], &flight->in_stage);
    list_push_back(&runner->flights, &flight->in_all);
    line->flights++;
    line->bytes += flight->bytes;
    runner->flight_count++;
    runner->bytes += flight->bytes;
    if (event->kind == EVENT_TO_RUN && event->attempts == 0 && event->setbacks == 0)
        event_add(&runner->taken, 1);
    note_oldest(runner);
}

/* What it took is there for others. */
static void flight_free(EventFlight *flight)
{
    EventLine *line = flight->line;
    EventRunner *runner = line->runner;
    line->counts[flight->stage]--;
    list_remove(&flight->in_stage);
    list_remove(&flight->in_all);
    line->flights--;
    line->bytes -= flight->bytes;
    runner->flight_count--;
    runner->bytes -= flight->bytes;
    arena_free(&flight->arena);
    free(flight);
    note_oldest(runner);
    ListNode *hungry = list_first(&runner->hungry);
    if (hungry != NULL) {
        list_remove(hungry);
        list_push_back(&runner->turn, hungry);
    }
}

/* ---- A line ---- */

static size_t window_max(const EventLine *line)
{
    uint64_t limit = line->runner->options.limits->value[LIMIT_LAMBDA_EVENT_EXECUTIONS];
    return limit > 0 ? limit : 1;
}

EventLine *event_line_of(EventRunner *runner, const EventOwner *owner)
{
    Arena scratch = arena_make();
    Slice key = arena_format(&scratch, "%.*s/%.*s/%ju", SLICE_PRINT(owner->account), SLICE_PRINT(owner->region),
                             (uintmax_t)owner->number);
    EventLine *line = map_get(&runner->lines, key);
    if (line == NULL) {
        line = calloc(1, sizeof *line);
        ASSERT(line != NULL);
        line->runner = runner;
        line->key = arena_copy(&line->arena, key);
        line->owner = (EventOwner){
            .account = arena_copy(&line->arena, owner->account),
            .region = arena_copy(&line->arena, owner->region),
            .name = arena_copy(&line->arena, owner->name),
            .number = owner->number,
        };
        list_init(&line->in_turn);
        for (size_t i = 0; i < FLIGHT_STAGES; i++)
            list_init(&line->stages[i]);
        line->next = (EventPlace){UINT64_MAX, 0};
        line->window = window_max(line) < EVENT_WINDOW_START ? window_max(line) : EVENT_WINDOW_START;
        map_put(&runner->lines, key, line);
    }
    arena_free(&scratch);
    return line;
}

void event_line_free(EventLine *line)
{
    for (size_t i = 0; i < FLIGHT_STAGES; i++)
        LIST_FOR_EACH(&line->stages[i], node)
        {
            flight_free(CONTAINER_OF(node, EventFlight, in_stage));
        }
    list_remove(&line->in_turn);
    map_remove(&line->runner->lines, line->key);
    arena_free(&line->read_arena);
    arena_free(&line->settle_arena);
    arena_free(&line->pause_arena);
    arena_free(&line->grow_arena);
    arena_free(&line->linger_arena);
    arena_free(&line->look.arena);
    arena_free(&line->arena);
    free(line);
}

void event_line_note(EventLine *line, EventPlace place)
{
    EventPlace *first = line->is_reading ? &line->come : &line->next;
    if (event_place_compare(place, *first) < 0)
        *first = place;
    line->more = line->more || !line->is_reading;
}

bool event_line_is_idle(const EventLine *line)
{
    return line->flights == 0 && !line->more && !line->is_reading && !line->is_settling && !line->is_paused &&
           !line->is_growing && !line->is_lingering && !list_is_linked(&line->in_turn);
}

/* ---- Waiting on the wall clock ---- */

/* Nobody puts a key there: the end of all marks. */
static Error wait_for(Txn *txn, uint64_t ms)
{
    return txn_timed_out(txn) ? OK : txn_wait(txn, event_mark_range(txn_arena(txn), 'p'), ms);
}

static Error pause_body(Txn *txn, StoreCall *call)
{
    (void)call;
    return wait_for(txn, EVENT_RETRY_MS);
}

static Error grow_body(Txn *txn, StoreCall *call)
{
    (void)call;
    return wait_for(txn, EVENT_GROW_MS);
}

static Error linger_body(Txn *txn, StoreCall *call)
{
    (void)call;
    return wait_for(txn, EVENT_SETTLE_MS);
}

static void paused(StoreCall *call)
{
    EventLine *line = CONTAINER_OF(call, EventLine, pause);
    if (!event_runner_took_back(line->runner, call))
        return;
    line->is_paused = line->is_unsettled = false;
    event_runner_wake(line->runner, line);
}

static void pause_line(EventLine *line)
{
    if (line->is_paused || line->runner->draining)
        return;
    line->is_paused = true;
    line->pause = (StoreCall){.body = pause_body,
                              .done = paused,
                              .arena = &line->pause_arena,
                              .home = function_home(line->owner.account, line->owner.region, line->owner.name),
                              .frees_space = true};
    event_runner_write(line->runner, &line->pause);
}

static void lingered(StoreCall *call)
{
    EventLine *line = CONTAINER_OF(call, EventLine, linger);
    if (!event_runner_took_back(line->runner, call))
        return;
    line->is_lingering = false;
    line->has_lingered = true;
    event_runner_wake(line->runner, line);
}

static void linger(EventLine *line)
{
    line->is_lingering = true;
    line->linger = (StoreCall){.body = linger_body,
                               .done = lingered,
                               .arena = &line->linger_arena,
                               .home = function_home(line->owner.account, line->owner.region, line->owner.name),
                               .frees_space = true};
    event_runner_write(line->runner, &line->linger);
}

/* ---- Reading ---- */

static Error read_body(Txn *txn, StoreCall *call)
{
    EventLine *line = CONTAINER_OF(call, EventLine, read);
    Slice key;
    Slice value;
    Error error;
    size_t bytes = 0;
    line->found = ARENA_ARRAY(call->arena, StoredEvent, line->read_count);
    line->found_count = 0;
    line->found_more = false;
    Cursor *cursor = txn_scan(txn, event_range(txn_arena(txn), &line->owner, line->next, txn_now(txn)), SCAN_FORWARD);
    while ((error = cursor_next(cursor, &key, &value)) == OK && key.data != NULL) {
        StoredEvent event;
        line->found_more =
            line->found_count == line->read_count || (line->found_count > 0 && bytes + value.size > line->read_bytes);
        if (line->found_more || (error = event_read(&line->owner, key, value, &event)) != OK)
            break;
        bytes += value.size;
        line->found[line->found_count++] = event_copy(&event, call->arena);
    }
    cursor_close(cursor);
    return error;
}

/* The clock of the machine may have been set back, so that events come before what was read already. */
static bool is_here(const EventLine *line, const StoredEvent *event)
{
    if (event_place_compare(event->place, line->read_end) >= 0)
        return false;
    for (size_t i = 0; i < FLIGHT_STAGES; i++)
        LIST_FOR_EACH(&line->stages[i], node)
        {
            if (event_place_compare(CONTAINER_OF(node, EventFlight, in_stage)->event.place, event->place) == 0)
                return true;
        }
    return false;
}

static void was_read(StoreCall *call)
{
    EventLine *line = CONTAINER_OF(call, EventLine, read);
    EventRunner *runner = line->runner;
    if (!event_runner_took_back(runner, call))
        return;
    line->is_reading = false;
    line->more = call->result != OK || line->found_more || line->come.due_ms != UINT64_MAX;
    if (call->result != OK) {
        LOG(runner->options.log, ERROR, "events_unread", log_error(call->result));
        pause_line(line);
        line->found_count = 0;
    }
    for (size_t i = 0; i < line->found_count; i++) {
        const StoredEvent *event = &line->found[i];
        line->next = (EventPlace){event->place.due_ms, event->place.sequence + 1};
        if (!is_here(line, event))
            flight_open(line, event);
        if (event_place_compare(line->next, line->read_end) > 0)
            line->read_end = line->next;
    }
    if (event_place_compare(line->come, line->next) < 0)
        line->next = line->come;
    line->reads += line->found_count > 0;
    arena_free(&line->read_arena);
    event_runner_wake(runner, line);
}

/* Nobody holds more than is left, so that there is always something for one more; who holds nothing gets one event. */
static bool find_room(EventLine *line)
{
    const EventRunner *runner = line->runner;
    size_t free_flights = runner->flight_count < EVENT_FLIGHTS_MAX ? EVENT_FLIGHTS_MAX - runner->flight_count : 0;
    size_t free_bytes = runner->bytes < EVENT_BYTES_MAX ? EVENT_BYTES_MAX - runner->bytes : 0;
    line->read_count = line->flights < free_flights ? free_flights - line->flights : 0;
    line->read_bytes = line->bytes < free_bytes ? free_bytes - line->bytes : 0;
    if (line->read_count > EVENT_READ_MAX)
        line->read_count = EVENT_READ_MAX;
    if (line->flights == 0 && line->read_count == 0)
        line->read_count = 1;
    return line->read_count > 0 && (line->flights == 0 || line->read_bytes > 0);
}

static void start_read(EventLine *line)
{
    line->is_reading = true;
    line->more = false;
    line->come = (EventPlace){UINT64_MAX, 0};
    line->read = (StoreCall){.body = read_body, .done = was_read, .arena = &line->read_arena, .in_background = true};
    event_runner_read(line->runner, &line->read);
}

/* ---- Running ---- */

static void ended(EventFlight *flight)
{
    EventLine *line = flight->line;
    enter(flight, FLIGHT_ENDED);
    event_runner_wake(line->runner, line);
}

/* It stays stored, and runs when there is a server again. */
static void give_back(EventFlight *flight)
{
    EventLine *line = flight->line;
    flight_free(flight);
    event_runner_wake(line->runner, line);
}

static void decide(EventFlight *flight, EventResult result, uint64_t error_code, Slice error_message)
{
    const EventRunnerOptions *options = &flight->line->runner->options;
    flight->attempt.result = result;
    flight->attempt.error_code = error_code;
    flight->attempt.error_message = error_message;
    event_decide(&flight->event, &flight->settings, &flight->attempt, options->dialect,
                 options->limits->value[LIMIT_LAMBDA_EVENT_BYTES], store_now(options->store), &flight->arena,
                 &flight->outcome);
    ended(flight);
}

/* ---- How many run at a time ----
 * A function begins with a few, so that a burst does not start a worker for each event where a handful is enough, and
 * leaves the processors to others. Those of slow handlers soon become more: with each that ends, and while none does. */

static void may_grow(StoreCall *call)
{
    EventLine *line = CONTAINER_OF(call, EventLine, grow);
    EventRunner *runner = line->runner;
    if (!event_runner_took_back(runner, call))
        return;
    line->is_growing = false;
    const EventFlight *oldest = first_of(line, FLIGHT_RUNNING);
    uint64_t now_ns = os_monotonic_ns(runner->options.os);
    if (oldest != NULL && line->counts[FLIGHT_RUNNING] >= line->window &&
        now_ns - oldest->begun_ns >= EVENT_GROW_MS * 1000000ull)
        line->window = line->window * 2 < window_max(line) ? line->window * 2 : window_max(line);
    event_runner_wake(runner, line);
}

static void watch_growth(EventLine *line)
{
    if (line->is_growing || line->is_paused || line->window >= window_max(line))
        return;
    line->is_growing = true;
    line->grow = (StoreCall){.body = grow_body,
                             .done = may_grow,
                             .arena = &line->grow_arena,
                             .home = function_home(line->owner.account, line->owner.region, line->owner.name),
                             .frees_space = true};
    event_runner_write(line->runner, &line->grow);
}

/* One that ran lets the window grow, unless events are at a good pace already: a quick handler works more than it waits, and
 * what works needs processors, which requests are in need of, too. One that was throttled makes it what there is place for. */
static void note_ran(EventLine *line, uint64_t duration_us)
{
    if (duration_us < line->window * EVENT_PACE_US)
        return;
    line->credit += duration_us >= EVENT_SLOW_US ? SLOW_CREDIT : 1;
    if (line->credit < line->window * RUNS_PER_GROWTH)
        return;
    line->credit = 0;
    if (line->window < window_max(line))
        line->window++;
}

static void note_throttled(EventLine *line)
{
    size_t others = line->counts[FLIGHT_RUNNING] - 1;
    line->credit = 0;
    line->window = others > 0 ? others : 1;
    if (others == 0)
        pause_line(line);
}

static Slice or_text(Slice message, Slice otherwise)
{
    return message.data == NULL ? otherwise : message;
}

static void was_refused(EventFlight *flight)
{
    const Invocation *invocation = &flight->invocation;
    EventLine *line = flight->line;
    switch (invocation->refusal) {
    case INVOKE_FUNCTION_CONCURRENCY:
    case INVOKE_ACCOUNT_CONCURRENCY:
        note_throttled(line);
        decide(flight, EVENT_REFUSED, 429, SLICE("Rate Exceeded."));
        return;
    case INVOKE_STOPPING:
    case INVOKE_GONE:
        give_back(flight);
        return;
    case INVOKE_ROLE:
        decide(flight, EVENT_REFUSED, 403, SLICE("The role defined for the function cannot be assumed."));
        return;
    default:
        decide(flight, EVENT_REFUSED, invocation->refusal == INVOKE_RUNTIME_MISSING ? 502 : 500,
               or_text(invocation->message, SLICE("The function could not be started.")));
    }
}

static void was_run(Invocation *invocation)
{
    EventFlight *flight = CONTAINER_OF(invocation, EventFlight, invocation);
    const EventRunnerOptions *options = &flight->line->runner->options;
    if (invocation->refusal != INVOKE_RAN) {
        was_refused(flight);
        return;
    }
    note_ran(flight->line, invocation->duration_us);
    flight->attempt.version = flight->run.spec.version;
    flight->attempt.answer = invocation->result;
    if (invocation->failed)
        decide(flight, EVENT_FAILED, 200, options->dialect->error_message(invocation->result, &flight->arena));
    else
        decide(flight, EVENT_SUCCEEDED, 0, (Slice){0});
}

static void run(EventFlight *flight)
{
    const EventRunnerOptions *options = &flight->line->runner->options;
    const StoredEvent *event = &flight->event;
    flight->invocation = (Invocation){
        .mailbox = options->mailbox,
        .arena = &flight->arena,
        .request_id = event->request_id,
        .payload = event->payload,
        .client_context = event->client_context,
        .payload_limit = options->limits->value[LIMIT_LAMBDA_RESPONSE_BYTES],
        .done = was_run,
    };
    run_start(options->invoker, &flight->run, &flight->invocation);
}

/* ---- Finding what an event runs ---- */

static Slice kept(Arena *arena, Slice text)
{
    return text.data == NULL ? text : arena_copy(arena, text);
}

static Error read_settings(Txn *txn, EventFlight *flight)
{
    const StoredEvent *event = &flight->event;
    Function function;
    EventConfig config;
    TRY(function_open(txn, event->owner.account, event->owner.region, event->owner.name, &function));
    Slice qualifier = event->qualifier.size > 0 ? event->qualifier : SLICE("$LATEST");
    Error error = event_config_get(txn, &function, qualifier, &config);
    if (error != OK && error != EVENT_CONFIG_NOT_FOUND)
        return error;
    flight->settings = (EventSettings){
        .retries = config.has_retries ? config.retries : EVENT_RETRIES_DEFAULT,
        .age_ms = (config.has_age ? config.age_s : EVENT_AGE_DEFAULT_S) * 1000,
        .on_success = kept(&flight->arena, config.on_success),
        .on_failure = kept(&flight->arena, config.on_failure),
        .dead_letters = flight->run.dead_letter_arn,
    };
    return OK;
}

static RunRequest request_of(const EventFlight *flight)
{
    const EventRunnerOptions *options = &flight->line->runner->options;
    const StoredEvent *event = &flight->event;
    return (RunRequest){
        .account = event->owner.account,
        .region = event->owner.region,
        .name = event->owner.name,
        .qualifier = event->qualifier,
        .tenant_id = event->tenant_id,
        .trace = event->trace,
        .wall_ms = os_wall_ms(options->os),
        .limits = options->account_limits == NULL ? options->limits
                                                  : account_limits_of(options->account_limits, event->owner.account),
    };
}

static Error find_body(Txn *txn, StoreCall *call)
{
    EventFlight *flight = CONTAINER_OF(call, EventFlight, lookup);
    const RunRequest request = request_of(flight);
    TRY(run_find(txn, &request, call->arena, &flight->run));
    return read_settings(txn, flight);
}

static void not_found(EventFlight *flight, Error error)
{
    EventRunner *runner = flight->line->runner;
    flight->settings = (EventSettings){.retries = EVENT_RETRIES_DEFAULT, .age_ms = EVENT_AGE_DEFAULT_S * 1000ull};
    if (error == ERROR_STOPPING || error == ERROR_GONE) {
        give_back(flight);
    } else if (error == FUNCTION_NOT_FOUND || error == FUNCTION_VERSION_NOT_FOUND ||
               error == FUNCTION_ALIAS_NOT_FOUND) {
        LOG(runner->options.log, WARNING, "event_dropped", log_text("function", flight->event.owner.name),
            log_text("request_id", flight->event.request_id), log_error(error));
        decide(flight, EVENT_ORPHANED, 404, (Slice){0});
    } else {
        decide(flight, EVENT_REFUSED, 500, slice_of_string(error_text(error)));
    }
}

static void begin(EventFlight *flight)
{
    const EventRunner *runner = flight->line->runner;
    const StoredEvent *event = &flight->event;
    flight->attempt = (EventAttempt){.function_arn = flight->run.function_arn, .trace = flight->run.trace.header};
    if (event->qualifier.size == 0)
        flight->attempt.function_arn = function_arn(&flight->arena, event->owner.account, event->owner.region,
                                                    event->owner.name, SLICE("$LATEST"));
    if (store_now(runner->options.store) >= event->accepted_ms + flight->settings.age_ms)
        decide(flight, EVENT_EXPIRED, event->error_code, event->error_message);
    else if (flight->run.reserved == 0)
        decide(flight, EVENT_NO_CONCURRENCY, 429, SLICE("Rate Exceeded."));
    else if (flight->run.in_loop)
        decide(flight, EVENT_LOOPED, 400,
               SLICE("The function was invoked in a recursive loop, and its invocation was stopped."));
    else
        run(flight);
}

static EventSettings copy_settings(const EventSettings *settings, Arena *arena)
{
    EventSettings copy = *settings;
    copy.on_success = kept(arena, settings->on_success);
    copy.on_failure = kept(arena, settings->on_failure);
    copy.dead_letters = kept(arena, settings->dead_letters);
    return copy;
}

static bool may_share(const StoredEvent *event)
{
    return event->qualifier.data == NULL && event->tenant_id.data == NULL;
}

static void share(const EventFlight *flight)
{
    EventLook *look = &flight->line->look;
    const RunRequest request = request_of(flight);
    Os *os = flight->line->runner->options.os;
    arena_free(&look->arena);
    run_find_again(&flight->run, &request, os, &look->arena, &look->run);
    look->settings = copy_settings(&flight->settings, &look->arena);
    look->reads = flight->reads;
    look->until_ns = flight->begun_ns + EVENT_LOOK_US * 1000ull;
}

/* Whether what it runs is known. */
static bool find_shared(EventFlight *flight)
{
    const EventLook *look = &flight->line->look;
    if (!may_share(&flight->event) || look->reads != flight->line->reads || flight->begun_ns >= look->until_ns)
        return false;
    const RunRequest request = request_of(flight);
    run_find_again(&look->run, &request, flight->line->runner->options.os, &flight->arena, &flight->run);
    flight->settings = copy_settings(&look->settings, &flight->arena);
    return true;
}

static void was_found(StoreCall *call)
{
    EventFlight *flight = CONTAINER_OF(call, EventFlight, lookup);
    if (!event_runner_took_back(flight->line->runner, call))
        return;
    Error error = call->result;
    if (error == OK && flight->run.function_number != flight->event.owner.number)
        error = FUNCTION_NOT_FOUND; /* one of its name was made since */
    if (error != OK) {
        not_found(flight, error);
        return;
    }
    if (may_share(&flight->event))
        share(flight);
    begin(flight);
}

static void start_one(EventLine *line)
{
    EventFlight *flight = first_of(line, FLIGHT_WAITING);
    enter(flight, FLIGHT_RUNNING);
    flight->begun_ns = os_monotonic_ns(line->runner->options.os);
    if (flight->event.kind != EVENT_TO_RUN) {
        event_decide_delivery(&flight->event, &flight->outcome);
        ended(flight);
        return;
    }
    if (find_shared(flight)) {
        begin(flight);
        return;
    }
    flight->reads = line->reads;
    flight->lookup = (StoreCall){.body = find_body, .done = was_found, .arena = &flight->arena, .in_background = true};
    event_runner_read(line->runner, &flight->lookup);
}

/* ---- Settling ---- */

static Error settle_body(Txn *txn, StoreCall *call)
{
    EventLine *line = CONTAINER_OF(call, EventLine, settle);
    LIST_FOR_EACH(&line->stages[FLIGHT_SETTLING], node)
    {
        EventFlight *flight = CONTAINER_OF(node, EventFlight, in_stage);
        TRY(event_settle(txn, &flight->event, line->runner->options.dialect, &flight->outcome));
    }
    return line->settles_owner ? event_owner_settle(txn, &line->owner) : OK;
}

static void count_delivery(EventFlight *flight, size_t i)
{
    EventRunner *runner = flight->line->runner;
    const EventOutcome *outcome = &flight->outcome;
    const StoredEvent *delivery = &outcome->deliveries[i];
    bool is_record = delivery->kind == EVENT_RECORD;
    if (outcome->delivered[i] == EVENT_DELIVERED) {
        event_add(is_record ? &runner->records : &runner->dead_letters, 1);
        return;
    }
    event_add(is_record ? &runner->destination_failures : &runner->dead_letter_errors, 1);
    if (outcome->delivered[i] == EVENT_PUT_OFF)
        return;
    event_add(&runner->undeliverable, 1);
    LOG(runner->options.log, ERROR, "event_undeliverable", log_text("function", delivery->owner.name),
        log_text("request_id", delivery->request_id), log_text("target", delivery->target),
        log_error(outcome->reasons[i]));
}

static void count_settled(EventFlight *flight)
{
    EventRunner *runner = flight->line->runner;
    const EventOutcome *outcome = &flight->outcome;
    for (size_t i = 0; i < outcome->delivery_count; i++)
        count_delivery(flight, i);
    if (flight->event.kind != EVENT_TO_RUN)
        return;
    if (outcome->again) {
        event_add(&runner->retried, 1);
    } else if (flight->attempt.result == EVENT_SUCCEEDED) {
        event_add(&runner->succeeded, 1);
    } else {
        event_add(&runner->failed, 1);
        event_add(&runner->dropped, outcome->delivery_count == 0);
        if (outcome->delivery_count == 0 && flight->attempt.result != EVENT_ORPHANED)
            LOG(runner->options.log, WARNING, "event_dropped", log_text("function", flight->event.owner.name),
                log_text("request_id", flight->event.request_id), log_uint("attempts", flight->event.attempts + 1),
                log_text("error", flight->attempt.error_message));
    }
}

static void was_settled(StoreCall *call)
{
    EventLine *line = CONTAINER_OF(call, EventLine, settle);
    EventRunner *runner = line->runner;
    if (!event_runner_took_back(runner, call))
        return;
    line->is_settling = false;
    /* When the server stops, what could not be settled runs again under the next one. */
    bool stays = call->result != OK && !runner->draining;
    LIST_FOR_EACH(&line->stages[FLIGHT_SETTLING], node)
    {
        EventFlight *flight = CONTAINER_OF(node, EventFlight, in_stage);
        if (stays) {
            enter(flight, FLIGHT_ENDED);
            continue;
        }
        if (call->result == OK)
            count_settled(flight);
        flight_free(flight);
    }
    if (stays) {
        LOG(runner->options.log, ERROR, "events_unsettled", log_text("function", line->owner.name),
            log_error(call->result));
        line->is_unsettled = true;
        pause_line(line);
    } else if (line->settles_owner) {
        line->settled = 0;
    }
    arena_free(&line->settle_arena);
    event_runner_wake(runner, line);
}

static void start_settle(EventLine *line)
{
    size_t bytes = 0;
    bool deletes = true;
    for (EventFlight *flight; (flight = first_of(line, FLIGHT_ENDED)) != NULL;) {
        size_t more = event_settle_bytes(&flight->outcome);
        if (line->counts[FLIGHT_SETTLING] == SETTLE_MAX || (bytes > 0 && bytes + more > SETTLE_BYTES))
            break;
        bytes += more;
        deletes = deletes && !flight->outcome.again && flight->outcome.delivery_count == 0;
        enter(flight, FLIGHT_SETTLING);
    }
    line->settled += line->counts[FLIGHT_SETTLING];
    line->settles_owner = line->settled >= SETTLED_PER_OWNER ||
                          (line->flights == line->counts[FLIGHT_SETTLING] && !line->more && !line->is_reading);
    line->is_settling = true;
    line->has_lingered = false;
    line->settle = (StoreCall){.body = settle_body,
                               .done = was_settled,
                               .arena = &line->settle_arena,
                               .home = function_home(line->owner.account, line->owner.region, line->owner.name),
                               .frees_space = deletes};
    event_runner_write(line->runner, &line->settle);
}

/* Where there is more to come, what has ended waits for it: many are settled at the cost of one. */
static bool settles_now(const EventLine *line)
{
    return line->has_lingered || line->runner->draining || line->counts[FLIGHT_WAITING] == 0 ||
           line->counts[FLIGHT_ENDED] >= EVENT_SETTLE_MANY;
}

/* ---- The next thing to do ---- */

bool event_line_step(EventLine *line)
{
    EventRunner *runner = line->runner;
    if (runner->stopped)
        return false;
    if (!line->is_settling && !line->is_unsettled && line->counts[FLIGHT_ENDED] > 0) {
        if (settles_now(line))
            start_settle(line);
        else if (!line->is_lingering)
            linger(line);
    }
    if (line->is_paused || runner->draining)
        return false;
    if (line->more && !line->is_reading && line->counts[FLIGHT_WAITING] < EVENT_AHEAD) {
        if (find_room(line)) {
            start_read(line);
        } else if (!list_is_linked(&line->in_turn)) {
            list_push_back(&runner->hungry, &line->in_turn);
        }
    }
    if (line->counts[FLIGHT_WAITING] == 0)
        return false;
    if (line->counts[FLIGHT_RUNNING] >= line->window) {
        watch_growth(line);
        return false;
    }
    start_one(line);
    return line->counts[FLIGHT_WAITING] > 0;
}
