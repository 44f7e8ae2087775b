#include "cli/admin_server.h"

#include "core/breaker.h"

/* What `brume breakers` shows, read from the durable state, and resets. */

enum { BREAKER_PAGE = 100 };

Slice admin_breaker_text(BreakerState state)
{
    return state == BREAKER_CLOSED ? SLICE("closed") : state == BREAKER_OPEN ? SLICE("open") : SLICE("half-open");
}

static void write_number(JsonWriter *writer, Slice name, uint64_t number)
{
    json_write_name(writer, name);
    json_write_uint64(writer, number);
}

static void write_text(JsonWriter *writer, Slice name, Slice text)
{
    json_write_name(writer, name);
    json_write_string(writer, text);
}

static void write_breaker(JsonWriter *writer, const Breaker *breaker, uint64_t now_ms)
{
    uint64_t opens_ms = breaker_opens_ms(breaker);
    json_write_object_begin(writer);
    write_text(writer, SLICE("name"), breaker->name);
    write_text(writer, SLICE("region"), breaker->region);
    write_text(writer, SLICE("state"), admin_breaker_text(breaker->state));
    write_number(writer, SLICE("failures"), breaker->failures);
    write_number(writer, SLICE("failure_threshold"), breaker->failure_threshold);
    write_number(writer, SLICE("recovery_ms"), breaker->recovery_ms);
    if (breaker->opened_ms != 0)
        write_number(writer, SLICE("opened_ms"), breaker->opened_ms);
    if (opens_ms > now_ms)
        write_number(writer, SLICE("probe_in_ms"), opens_ms - now_ms);
    json_write_object_end(writer);
}

Error admin_write_breakers(Txn *txn, const AdminQuery *query, JsonWriter *writer)
{
    Slice region;
    Breaker breakers[BREAKER_PAGE];
    size_t count = BREAKER_PAGE;
    TRY(admin_find_region(txn, query, &region));
    if (region.data == NULL)
        count = 0;
    else
        TRY(breaker_list(txn, query->account, region, query->after, breakers, &count));
    json_write_object_begin(writer);
    json_write_name(writer, SLICE("breakers"));
    json_write_array_begin(writer);
    for (size_t i = 0; i < count; i++)
        write_breaker(writer, &breakers[i], txn_now(txn));
    json_write_array_end(writer);
    if (region.data != NULL)
        write_text(writer, SLICE("region"), region);
    if (count == BREAKER_PAGE)
        write_text(writer, SLICE("after"), breakers[count - 1].name);
    json_write_object_end(writer);
    return OK;
}

Error admin_reset_breaker(Txn *txn, Slice account, Slice region, Slice name, JsonWriter *writer)
{
    Breaker breaker = {.account = account, .region = region, .name = name};
    TRY(breaker_read(txn, &breaker));
    TRY(breaker_forget(txn, account, region, name));
    write_breaker(writer, &breaker, txn_now(txn));
    return OK;
}
