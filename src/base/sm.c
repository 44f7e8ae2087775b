#include "base/sm.h"

#include "base/bug.h"

void sm_nothing(void *subject, void *detail)
{
    (void)subject;
    (void)detail;
}

void sm_never(void *subject, void *detail)
{
    (void)subject;
    (void)detail;
    UNREACHABLE();
}

void sm_check(const SmTable *table)
{
    for (unsigned i = 0; i < table->state_count * table->event_count; i++) {
        ASSERT(table->steps[i].action != NULL);
        ASSERT(table->steps[i].next < table->state_count);
    }
}

void sm_step(const SmTable *table, Log *log, uint64_t id, unsigned *state, unsigned event, void *subject, void *detail)
{
    ASSERT(*state < table->state_count && event < table->event_count);
    const SmStep *step = &table->steps[*state * table->event_count + event];
    const LogField fields[] = {
        log_string("machine", table->name),
        log_uint("id", id),
        log_string("state", table->states[*state]),
        log_string("input", table->events[event]),
        log_string("next", table->states[step->next]),
        {0},
    };
    if (step->action == sm_never || step->action == NULL) {
        log_line(log, LOG_LEVEL_ERROR, "impossible transition", fields);
        UNREACHABLE();
    }
    log_line(log, LOG_LEVEL_DEBUG, "transition", fields);
    *state = step->next;
    step->action(subject, detail);
}
