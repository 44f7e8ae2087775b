/* key.h: order-preserving tuples as keys, and the framing of values.
 *
 * memcmp order of the bytes is the order of the elements. Elements: unsigned integers (a byte that tells their length,
 * then big-endian), strings (bytes with 00 written as 00 FF, ended by 00 01; so a prefix sorts first), one-byte tags.
 * Every key of a service stands under (account, region, kind, resource number). Values begin with a schema byte. */
#ifndef BRUME_STORE_KEY_H
#define BRUME_STORE_KEY_H

#include "base/buffer.h"
#include "base/error.h"
#include "store/store.h"

/* What the third element of a key may be; the numbers are part of the format. */
typedef enum KeyKind {
    KIND_META = 1,     /* the store's own: format, clock, numbers */
    KIND_TIMER = 2,    /* timers */
    KIND_ACCOUNT = 3,  /* accounts and access keys */
    KIND_IDENTITY = 4, /* roles, users, groups, their policies, sessions' secret */
    KIND_QUEUE_NAME = 16,
    KIND_QUEUE = 17,
    KIND_QUEUE_SOURCE = 18, /* which queues name a queue as their dead-letter queue */
    KIND_QUEUE_MOVING = 19, /* queues with a running move task */
    KIND_FUNCTION_NAME = 24,
    KIND_FUNCTION = 25,
    KIND_FUNCTION_USAGE = 26,
    KIND_PACKAGE = 27,         /* who refers to a package of code */
    KIND_PACKAGE_DROPPED = 28, /* packages that lost a reference */
    KIND_LAYER = 29,
    KIND_FUNCTION_URL = 30, /* whose a URL is, by its id */
    KIND_PROVISIONED = 31,  /* which functions have provisioned executions */
    KIND_EVENT = 33,        /* events that wait for their function */
    KIND_EVENT_READY = 34,  /* which functions have some */
    KIND_MAPPING = 35,      /* event source mappings */
    KIND_MAPPING_CHANGED = 36,
    KIND_BREAKER = 37,
    KIND_LOG_GROUP = 40,
    KIND_LOG_STREAM = 41,
    KIND_LOG_EVENTS = 42,
    KIND_LOG_FILTER = 43, /* subscription filters */
    KIND_LOG_METRIC = 44, /* metric filters */
    KIND_LOG_POLICY = 45, /* resource policies of logs */
} KeyKind;

/* ---- Writing ---- */
void key_add_uint64(Buffer *key, uint64_t value);
void key_add_string(Buffer *key, Slice string);
static inline void key_add_tag(Buffer *key, char tag)
{
    buffer_add_byte(key, tag);
}
/* Starts a key: (account, region, kind). */
Buffer key_start(Arena *arena, Slice account, Slice region, KeyKind kind);

/* ---- Reading: each takes its element off the front of `key`; ERROR_MALFORMED ---- */
Error key_take_uint64(Slice *key, uint64_t *value);
Error key_take_string(Slice *key, Arena *arena, Slice *string);
Error key_take_tag(Slice *key, char *tag);

/* Every key that begins with `prefix`. */
KeyRange key_range_of_prefix(Arena *arena, Slice prefix);
/* Those of them that come behind the one that goes on with `after`; empty: every one. */
KeyRange key_range_after(Arena *arena, Slice prefix, Slice after);

/* ---- Values: a schema byte, then little-endian varints and length-prefixed byte strings ---- */
Buffer value_start(Arena *arena, uint8_t schema);
void value_add_uint64(Buffer *value, uint64_t number);
void value_add_bytes(Buffer *value, Slice bytes);
/* Absent (data == NULL) and empty stay apart. */
void value_add_optional(Buffer *value, Slice bytes);

Error value_take_schema(Slice *value, uint8_t *schema);
Error value_take_uint64(Slice *value, uint64_t *number);
/* A view into `value`. */
Error value_take_bytes(Slice *value, Slice *bytes);
Error value_take_optional(Slice *value, Slice *bytes);

#endif
