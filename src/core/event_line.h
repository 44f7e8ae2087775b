/* event_line.h: what the two files of the runner of events share: events in memory, in a line for each function.
 *
 * A flight is one event from when it is read until what became of it is durable: WAITING, RUNNING, ENDED, SETTLING, each a
 * list of its line. All of it is the runner's loop's; while a line's calls are the store's, so are the lists that their
 * bodies read. */
#ifndef BRUME_CORE_EVENT_LINE_H
#define BRUME_CORE_EVENT_LINE_H

#include "base/list.h"
#include "base/map.h"
#include "core/agent.h"
#include "core/event_runner.h"
#include "core/run.h"

#include <stdatomic.h>

enum {
    EVENT_READ_MAX = 64,                /* events of a line in one read */
    EVENT_AHEAD = 16,                   /* more are read when fewer wait */
    EVENT_FLIGHTS_MAX = 1024,           /* events in memory */
    EVENT_BYTES_MAX = 64 * 1024 * 1024, /* the same */
    EVENT_RETRY_MS = 1000,              /* after what failed or was throttled, on the wall clock */
    EVENT_WINDOW_START = 4, /* events of a function that run at a time, before it is known how long they take */
    EVENT_GROW_MS = 500,    /* of handlers that take longer, twice as many run at a time */
    EVENT_SLOW_US = 10000,  /* a handler that takes longer waits for others more than it works */
    EVENT_PACE_US =
        250, /* one each so often is much for a function: more at a time would only take processors from others */
    EVENT_LOOK_US = 2000, /* for that long what was found of a function is good for its next events */
    EVENT_SETTLE_MS = 4,  /* for that long what has ended waits for others, so that one transaction settles many … */
    EVENT_SETTLE_MANY = 64, /* … up to that many, and while others of its function wait */
};

typedef enum FlightStage { FLIGHT_WAITING, FLIGHT_RUNNING, FLIGHT_ENDED, FLIGHT_SETTLING, FLIGHT_STAGES } FlightStage;

typedef struct EventLine EventLine;

typedef struct EventFlight {
    ListNode in_stage; /* of its line */
    ListNode in_all;   /* of the runner's, in the order in which they were read */
    EventLine *line;
    FlightStage stage;
    Arena arena;
    StoredEvent event;
    size_t bytes;
    EventSettings settings;
    uint64_t begun_ns; /* on the monotonic clock */
    StoreCall lookup;
    uint64_t reads; /* of the line, when the lookup began */
    Run run;
    Invocation invocation;
    EventAttempt attempt;
    EventOutcome outcome;
} EventFlight;

/* What a function's events without a qualifier and a tenant run, as it was found for one of them. It is good for a moment,
 * and for no event that was read since: that one may have been accepted after a change of the function. */
typedef struct EventLook {
    Arena arena;
    Run run;
    EventSettings settings;
    uint64_t reads;    /* of the line, when it was looked */
    uint64_t until_ns; /* on the monotonic clock; 0: nothing is known */
} EventLook;

struct EventLine {
    EventRunner *runner;
    ListNode in_turn; /* of the lines that may have something to do, or of those that wait for memory */
    Arena arena;
    Slice key; /* in the runner's map */
    EventOwner owner;
    List stages[FLIGHT_STAGES];
    size_t counts[FLIGHT_STAGES];
    size_t flights;
    size_t bytes;
    /* Reading. */
    bool more;           /* there may be events that are due from `next` on */
    EventPlace next;     /* where the next read begins */
    EventPlace come;     /* the first one that came while events were read */
    EventPlace read_end; /* behind the last one that was ever read */
    bool is_reading;
    StoreCall read;
    Arena read_arena;
    size_t read_count; /* that the read may bring */
    size_t read_bytes; /* after which it ends */
    StoredEvent *found;
    size_t found_count;
    bool found_more;
    uint64_t reads; /* that brought events */
    /* Running. */
    EventLook look;
    size_t window; /* events that may run at a time */
    size_t credit; /* that went well since it last grew */
    bool is_growing;
    StoreCall grow;
    Arena grow_arena;
    /* Settling. */
    bool is_lingering; /* for more that end */
    bool has_lingered; /* it has been waited for long enough */
    StoreCall linger;
    Arena linger_arena;
    bool is_settling;
    bool is_unsettled;  /* it failed: not before the pause is over */
    bool settles_owner; /* and with them what is kept of the owner */
    size_t settled;     /* since that was last done */
    StoreCall settle;
    Arena settle_arena;
    /* A pause: nothing is read or started. */
    bool is_paused;
    StoreCall pause;
    Arena pause_arena;
};

struct EventRunner {
    EventRunnerOptions options;
    Map lines;
    List turn;   /* lines that may have something to do */
    List hungry; /* lines that could read, were there memory */
    List flights;
    size_t flight_count;
    size_t bytes;
    size_t calls; /* that the store has, and one of the agent */
    bool is_pumping;
    bool draining;           /* nothing is begun any more */
    bool stopped;            /* the store takes nothing any more */
    bool closed;             /* it is freed as soon as all calls are back */
    Agent agent;             /* looks for lines */
    struct FoundLine *found; /* left by its transaction */
    size_t found_count;
    /* Read by other threads. */
    _Atomic uint64_t oldest_ms; /* when the first of `flights` was accepted; 0: there is none */
    _Atomic uint64_t held;
    _Atomic uint64_t taken, succeeded, retried, failed, dropped, dead_letters, records, dead_letter_errors,
        destination_failures, undeliverable;
};

static inline void event_add(_Atomic uint64_t *count, uint64_t more)
{
    atomic_fetch_add_explicit(count, more, memory_order_relaxed);
}

/* ---- Lines (event_line.c) ---- */

EventLine *event_line_of(EventRunner *runner, const EventOwner *owner);
void event_line_free(EventLine *line);
/* There may be something new from that place on. */
void event_line_note(EventLine *line, EventPlace place);
/* Does what there is to do of it, one event at most; whether there may be more at once. */
bool event_line_step(EventLine *line);
bool event_line_is_idle(const EventLine *line);

/* ---- The runner (event_runner.c) ---- */

/* The line may have something to do: it is in turn. Ends with everyone who has doing it. */
void event_runner_wake(EventRunner *runner, EventLine *line);
/* Gives a call to the store, and takes one back: false: it was the last thing that a closed runner waited for. */
void event_runner_write(EventRunner *runner, StoreCall *call);
void event_runner_read(EventRunner *runner, StoreCall *call);
bool event_runner_took_back(EventRunner *runner, const StoreCall *call);

#endif
