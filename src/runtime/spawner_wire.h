/* spawner_wire.h: what server, keeper and spawner say to each other, over SOCK_SEQPACKET socket pairs.
 *
 * All three are one program, so numbers go as they lie in memory. A message is one packet: a head, then strings, each
 * with its length before it and a NUL behind it. Files travel beside it. */
#ifndef BRUME_RUNTIME_SPAWNER_WIRE_H
#define BRUME_RUNTIME_SPAWNER_WIRE_H

#include "base/slice.h"

enum {
    WIRE_MESSAGE_MAX = 128 << 10, /* below what a socket holds, whatever wmem_max is */
    WIRE_FILES_MAX = 16,
    WIRE_VARIABLE_MAX = 32 << 10, /* of a name, "=" and a value; Lambda quotas: 4 KB for all of a function's own */
};

typedef enum WireKind {
    /* Keeper to server: a spawner was started; its socket comes along, and a file of its process unless none could be
     * had. The one before is gone, with all its workers. */
    WIRE_SPAWNER = 1,
    /* Spawner to server, first: strings: what the sandbox lacks, why it cannot be at all. */
    WIRE_HELLO,
    /* Server to keeper, first, and nothing after it: strings: the data directory, that of Brume's bootstraps. */
    WIRE_OPTIONS,
    /* Server to spawner. */
    WIRE_ORDER, /* strings as wire_order.c has them */
    WIRE_KILL,
    WIRE_WARM, /* an order of which only what workers that wait ahead are made of counts */
    /* Spawner to server. */
    WIRE_STARTED, /* files: events, answers, output, errors, process, and perhaps the memory peak */
    WIRE_FAILED,  /* string: why */
    WIRE_EXITED,
} WireKind;

/* Of every message; each kind uses its own fields, and the others are 0. */
typedef struct WireHead {
    uint32_t kind;
    uint32_t runtime_kind;
    uint64_t worker;
    uint64_t memory_bytes; /* an order's limit; the peak of one that exited */
    uint64_t tmp_bytes;
    uint64_t processor_permille;
    uint64_t snapshot_of;
    uint32_t layer_count;
    uint32_t environment_count;
    uint32_t reachable_count;
    int32_t status; /* as wait(2) gives it */
    int32_t error;
    uint32_t isolation; /* the keeper's options */
    uint64_t prestart;
    bool isolated_network;
    bool is_template;
    bool has_extensions;
    bool out_of_memory;
    bool has_peak_file;
    bool try_again; /* what failed may not fail again */
} WireHead;

typedef struct WireMessage {
    size_t size;
    size_t at;      /* of the next string to read */
    bool too_large; /* what was added did not fit */
    int files[WIRE_FILES_MAX];
    size_t file_count;
    WireHead head;
    char strings[WIRE_MESSAGE_MAX];
} WireMessage;

/* Begins a message to be sent: an empty one of this kind about a worker. */
void wire_begin(WireMessage *message, WireKind kind, uint64_t worker);
void wire_add_string(WireMessage *message, Slice string);
/* The file stays the caller's. */
void wire_add_file(WireMessage *message, int file);
/* The next string of a received message, with a NUL behind it; absent when there is none. Lives as long as the message. */
Slice wire_next_string(WireMessage *message);

/* 0, or an errno; EAGAIN on a socket that does not block. */
int wire_send(int socket, const WireMessage *message);
/* 1: one came, its files belong to the caller; 0: the other side is gone; -1 with errno: EAGAIN, or a broken one. A process
 * that may open no more files is given the message with none of its files. */
int wire_receive(int socket, WireMessage *message);
void wire_close_files(WireMessage *message);

#endif
