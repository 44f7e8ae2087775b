/* scripted_spawner.h: a spawner whose workers are played by the test: it says when one starts, what it sends, and how it
 * ends. Linked instead of the real one, behind the same functions. */
#ifndef BRUME_TESTS_UNIT_SCRIPTED_SPAWNER_H
#define BRUME_TESTS_UNIT_SCRIPTED_SPAWNER_H

#include "runtime/catalog.h"
#include "runtime/channel.h"
#include "store_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACTORS_MAX = 512, ACTOR_FRAME_MAX = 16 * 1024 * 1024 };

/* One worker. */
typedef struct Actor {
    uint64_t id;
    SpawnOrder *order; /* until it was answered */
    bool is_template;
    uint64_t snapshot_of;
    size_t environment_count; /* of its order: it has to be executed with them */
    int channel;              /* the worker's end */
    int output;
    int errors;
    bool alive;
    bool killed;
    char *unread; /* of its channel */
    size_t unread_size;
} Actor;

struct Spawner {
    SpawnerEvents events;
    Actor actors[ACTORS_MAX];
    size_t count;
    bool holds;   /* orders wait for actor_start */
    bool refuses; /* orders fail */
    uint64_t memory_peak;
    size_t warmed;
};

static Spawner stage;

Error spawner_open(Spawner *spawner, Loop *loop, const SpawnerEvents *events, Log *log)
{
    (void)loop;
    (void)log;
    spawner->events = *events;
    return OK;
}

static inline void actor_start(Actor *actor)
{
    int channel[2], output[2], errors[2];
    SpawnOrder *order = actor->order;
    actor->order = NULL;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, channel), 0);
    assert_int_equal(pipe2(output, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(pipe2(errors, O_NONBLOCK | O_CLOEXEC), 0);
    actor->channel = channel[1];
    actor->output = output[1];
    actor->errors = errors[1];
    actor->alive = true;
    order->worker = actor->id;
    order->events = channel[0]; /* an actor has one socket for both directions */
    order->answers = fcntl(channel[0], F_DUPFD_CLOEXEC, 0);
    assert_true(order->answers >= 0);
    order->output = output[0];
    order->errors = errors[0];
    order->process = -1;
    order->done(order, OK);
}

void spawner_spawn(Spawner *spawner, SpawnOrder *order)
{
    if (spawner->refuses) {
        order->message = SLICE("the stage is closed");
        order->done(order, ERROR_DENIED);
        return;
    }
    assert_true(spawner->count < ACTORS_MAX);
    Actor *actor = &spawner->actors[spawner->count++];
    *actor = (Actor){.id = spawner->count,
                     .order = order,
                     .snapshot_of = order->snapshot_of,
                     .environment_count = order->environment_count,
                     .channel = -1};
    if (!spawner->holds)
        actor_start(actor);
}

void spawner_warm(Spawner *spawner, const SpawnOrder *order)
{
    assert_true(slice_equal(order->program, SLICE("/usr/bin/python3.11")));
    spawner->warmed++;
}

void spawner_kill(Spawner *spawner, uint64_t worker)
{
    assert_true(worker >= 1 && worker <= spawner->count);
    spawner->actors[worker - 1].killed = true;
}

uint64_t spawner_memory_peak(Spawner *spawner, uint64_t worker)
{
    (void)worker;
    return spawner->memory_peak;
}

static inline void actor_leave(Actor *actor)
{
    if (actor->channel >= 0) {
        close(actor->channel);
        close(actor->output);
        close(actor->errors);
    }
    free(actor->unread);
    actor->unread = NULL;
    actor->unread_size = 0;
    actor->channel = -1;
    actor->alive = false;
}

void spawner_close(Spawner *spawner)
{
    for (size_t i = 0; i < spawner->count; i++)
        actor_leave(&spawner->actors[i]);
    spawner->count = 0;
}

RuntimeState catalog_find(const CatalogOptions *catalog, Slice name, Arena *arena, RuntimeEntry *entry, Slice *message)
{
    (void)catalog;
    if (!slice_equal(name, SLICE("python3.11"))) {
        *message = arena_format(arena, "%.*s is not here", SLICE_PRINT(name));
        return RUNTIME_MISSING;
    }
    *entry = (RuntimeEntry){RUNTIME_PYTHON, SLICE("/usr/bin/python3.11"), {0}};
    return RUNTIME_FOUND;
}

/* ---- What actors do ---- */

/* Its process ends, as wait(2) would tell. */
static inline void actor_exit(Actor *actor, int status, bool out_of_memory)
{
    if (!actor->alive)
        return;
    actor_leave(actor);
    WorkerExit exit = {actor->id, status, out_of_memory, 64 << 20};
    stage.events.on_exit(stage.events.user, &exit);
}

static inline void actor_send(Actor *actor, FrameKind kind, Slice content)
{
    char header[CHANNEL_HEADER_SIZE] = {(char)kind};
    uint32_t size = (uint32_t)content.size;
    memcpy(header + 4, &size, sizeof size);
    assert_int_equal(write(actor->channel, header, sizeof header), sizeof header);
    if (content.size > 0)
        assert_int_equal(write(actor->channel, content.data, content.size), content.size);
}

static inline void actor_read(Actor *actor)
{
    char bytes[65536];
    ssize_t count;
    while (actor->channel >= 0 && (count = read(actor->channel, bytes, sizeof bytes)) > 0) {
        actor->unread = realloc(actor->unread, actor->unread_size + (size_t)count);
        assert_non_null(actor->unread);
        memcpy(actor->unread + actor->unread_size, bytes, (size_t)count);
        actor->unread_size += (size_t)count;
    }
}

/* Takes the next frame that was sent to it. False: none has come. `content`, unless NULL, is copied into the arena. */
static inline bool actor_take(Actor *actor, FrameKind *kind, Arena *arena, Slice *content)
{
    uint32_t size;
    actor_read(actor);
    if (actor->unread_size < CHANNEL_HEADER_SIZE)
        return false;
    memcpy(&size, actor->unread + 4, sizeof size);
    if (actor->unread_size < CHANNEL_HEADER_SIZE + size)
        return false;
    *kind = (FrameKind)actor->unread[0];
    if (content != NULL)
        *content = arena_copy(arena, slice_make(actor->unread + CHANNEL_HEADER_SIZE, size));
    actor->unread_size -= CHANNEL_HEADER_SIZE + size;
    memmove(actor->unread, actor->unread + CHANNEL_HEADER_SIZE + size, actor->unread_size);
    return true;
}

/* The next frame is of that kind. */
static inline Slice actor_expect(Actor *actor, FrameKind expected, Arena *arena)
{
    FrameKind kind;
    Slice content;
    assert_true(actor_take(actor, &kind, arena, &content));
    assert_int_equal(kind, expected);
    return content;
}

/* The payload of an event. */
static inline Slice payload_of(Slice event)
{
    uint32_t size;
    assert_true(event.size >= sizeof size);
    memcpy(&size, event.data, sizeof size);
    return slice_skip(event, sizeof size + size);
}

/* Those that were killed have ended. */
static inline size_t bury_killed(void)
{
    size_t buried = 0;
    for (size_t i = 0; i < stage.count; i++) {
        if (stage.actors[i].killed && stage.actors[i].alive) {
            actor_exit(&stage.actors[i], SIGKILL, false);
            buried++;
        }
    }
    return buried;
}

#endif
