/* credentials.h: the credentials with which workers sign: those of their function's role, kept and made anew in time.
 *
 * On the runtime's loop. Making them is a transaction, so they are asked for and come. */
#ifndef BRUME_RUNTIME_CREDENTIALS_H
#define BRUME_RUNTIME_CREDENTIALS_H

#include "base/list.h"
#include "base/map.h"
#include "core/invoker.h"
#include "core/session.h"

typedef struct Credentials {
    Store *store;
    Mailbox *mailbox; /* the runtime's */
    Os *os;
    bool any_role;
    uint64_t lasting_ms; /* what is given lasts that long at least */
    Map kept;            /* by account, role and function, until that is deleted */
    size_t asking;       /* transactions under way */
} Credentials;

/* Who waits for some. `have` is called once, perhaps before credentials_get returns: OK, and `credentials` are valid
 * during the call; or an error, and `message` says which. */
typedef struct CredentialsRequest CredentialsRequest;
struct CredentialsRequest {
    ListNode waiting;
    void (*have)(CredentialsRequest *request, Error error, const SessionCredentials *credentials, Slice message);
};

void credentials_open(Credentials *credentials, MapSeed seed);
/* After the store has stopped: nothing is under way. Waiting requests are forgotten. */
void credentials_close(Credentials *credentials);
void credentials_get(Credentials *credentials, const WorkerSpec *spec, CredentialsRequest *request);
/* The function is gone: what was kept for it is wiped. One that is made again under its name gets credentials of its own. */
void credentials_forget(Credentials *credentials, const WorkerSpec *spec);
/* No longer wanted; one that has been answered: nothing. */
void credentials_cancel(CredentialsRequest *request);

#endif
