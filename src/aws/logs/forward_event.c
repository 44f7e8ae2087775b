#include "aws/logs/forward_event.h"

#include "base/digest.h"
#include "base/gzip.h"
#include "base/json.h"

Slice logs_event_id(const LogPlace *place, Arena *arena)
{
    return arena_format(arena, "%020llu%020llu%016llu", (unsigned long long)place->time_ms,
                        (unsigned long long)place->sequence, (unsigned long long)place->index);
}

static void write_text(JsonWriter *writer, Slice name, Slice value)
{
    json_write_name(writer, name);
    json_write_string(writer, value);
}

static Slice document(const LogForward *forward, Arena *arena)
{
    Buffer out = buffer_make(arena);
    JsonWriter writer = json_writer(&out);
    json_write_object_begin(&writer);
    write_text(&writer, SLICE("messageType"), SLICE("DATA_MESSAGE"));
    write_text(&writer, SLICE("owner"), forward->account);
    write_text(&writer, SLICE("logGroup"), forward->group);
    write_text(&writer, SLICE("logStream"), forward->stream);
    json_write_name(&writer, SLICE("subscriptionFilters"));
    json_write_array_begin(&writer);
    json_write_string(&writer, forward->subscription->name);
    json_write_array_end(&writer);
    json_write_name(&writer, SLICE("logEvents"));
    json_write_array_begin(&writer);
    for (size_t i = 0; i < forward->count; i++) {
        json_write_object_begin(&writer);
        write_text(&writer, SLICE("id"), logs_event_id(&forward->entries[i].place, arena));
        json_write_name(&writer, SLICE("timestamp"));
        json_write_uint64(&writer, forward->entries[i].place.time_ms);
        write_text(&writer, SLICE("message"), forward->entries[i].message);
        json_write_object_end(&writer);
    }
    json_write_array_end(&writer);
    json_write_object_end(&writer);
    return buffer_slice(&out);
}

Slice logs_forward_payload(const LogForward *forward, Arena *arena)
{
    Buffer out = buffer_make(arena);
    JsonWriter writer = json_writer(&out);
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("awslogs"));
    json_write_object_begin(&writer);
    write_text(&writer, SLICE("data"), base64_encode(arena, gzip_pack(arena, document(forward, arena))));
    json_write_object_end(&writer);
    json_write_object_end(&writer);
    return buffer_slice(&out);
}
