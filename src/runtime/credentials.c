#include "runtime/credentials.h"

#include "base/bug.h"

#include <stdlib.h>

/* One function's role. Lives until the function is deleted, or the runtime ends. */
typedef struct KeptCredentials {
    Credentials *owner;
    StoreCall call;
    Arena arena; /* of the call, while it is under way */
    Arena now;   /* what `credentials` and the names lie in */
    Arena names; /* account, role_arn, function */
    Slice account;
    Slice role_account;
    Slice role_name;
    Slice function;
    SessionCredentials credentials; /* expires_ms 0: none yet */
    SessionCredentials fresh;       /* in `arena` */
    uint64_t expires_ms;
    bool asking;
    bool is_forgotten; /* while it is asked for: freed when that has ended */
    List waiting;
} KeptCredentials;

void credentials_open(Credentials *credentials, MapSeed seed)
{
    credentials->kept = map_make(seed);
}

static void wipe(Slice secret)
{
    if (secret.size > 0)
        explicit_bzero((void *)(uintptr_t)secret.data, secret.size);
}

static void kept_free(KeptCredentials *kept)
{
    wipe(kept->credentials.secret_key);
    arena_free(&kept->arena);
    arena_free(&kept->now);
    arena_free(&kept->names);
    free(kept);
}

void credentials_close(Credentials *credentials)
{
    size_t position = 0;
    for (const MapEntry *entry; (entry = map_next(&credentials->kept, &position)) != NULL;)
        kept_free(entry->value);
    map_free(&credentials->kept);
}

static Slice key_of(const WorkerSpec *spec, Arena *arena)
{
    return arena_format(arena, "%.*s %.*s %.*s", SLICE_PRINT(spec->account), SLICE_PRINT(spec->role_arn),
                        SLICE_PRINT(spec->name));
}

void credentials_forget(Credentials *credentials, const WorkerSpec *spec)
{
    Arena scratch = arena_make();
    KeptCredentials *kept = map_remove(&credentials->kept, key_of(spec, &scratch));
    arena_free(&scratch);
    if (kept != NULL && kept->asking)
        kept->is_forgotten = true;
    else if (kept != NULL)
        kept_free(kept);
}

/* "arn:aws:iam::123456789012:role/some/where/name": the account and the name. */
static bool parse_role(Slice arn, Slice *account, Slice *name)
{
    for (int colons = 0; colons < 4; colons++) {
        size_t colon = slice_find(arn, ':');
        if (colon == arn.size)
            return false;
        arn = slice_skip(arn, colon + 1);
    }
    *account = (Slice){arn.data, slice_find(arn, ':')};
    Slice rest = slice_skip(arn, account->size);
    if (!slice_starts_with(rest, SLICE(":role/")))
        return false;
    for (size_t slash; (slash = slice_find(rest, '/')) < rest.size;)
        rest = slice_skip(rest, slash + 1);
    *name = rest;
    return rest.size > 0;
}

/* The account itself, for mode `open`, where roles need not exist. */
static Error issue_account(Txn *txn, const KeptCredentials *kept, SessionCredentials *credentials)
{
    unsigned char secret[SESSION_SECRET_SIZE];
    Session session = {
        .account = kept->account,
        .principal_arn = arena_format(txn_arena(txn), "arn:aws:iam::%.*s:root", SLICE_PRINT(kept->account)),
        .principal_id = kept->account,
        .expires_ms = kept->expires_ms,
    };
    TRY(session_secret_make(txn, secret));
    Error error = session_issue(txn, secret, &session, credentials);
    explicit_bzero(secret, sizeof secret);
    return error;
}

static Error issue(Txn *txn, StoreCall *call)
{
    KeptCredentials *kept = CONTAINER_OF(call, KeptCredentials, call);
    SessionForRole request = {
        .account = kept->role_account,
        .role_name = kept->role_name,
        .session_name = kept->function,
        .service = SLICE("lambda.amazonaws.com"),
        .expires_ms = kept->expires_ms,
    };
    SessionCredentials given;
    Error error = identity_session_for_role(txn, &request, &given);
    if (error == IDENTITY_NOT_FOUND && kept->owner->any_role)
        error = issue_account(txn, kept, &given);
    TRY(error);
    kept->fresh = (SessionCredentials){
        .access_key_id = arena_copy(call->arena, given.access_key_id),
        .secret_key = arena_copy(call->arena, given.secret_key),
        .token = arena_copy(call->arena, given.token),
        .expires_ms = kept->expires_ms,
    };
    return OK;
}

static Slice problem_of(const KeptCredentials *kept, Error error, Arena *arena)
{
    switch (error) {
    case OK:
        return (Slice){0};
    case IDENTITY_NOT_FOUND:
        return arena_format(arena, "there is no role %.*s in account %.*s", SLICE_PRINT(kept->role_name),
                            SLICE_PRINT(kept->role_account));
    case ERROR_DENIED: /* Lambda developer guide, "Troubleshoot deployment issues" */
        return SLICE("The role defined for the function cannot be assumed by Lambda.");
    default:
        return arena_format(arena, "the credentials of role %.*s cannot be had: %s", SLICE_PRINT(kept->role_name),
                            error < 0 ? error_text(error) : "refused");
    }
}

static void answer_all(KeptCredentials *kept, Error error, Slice message)
{
    List waiting;
    list_init(&waiting);
    while (!list_is_empty(&kept->waiting)) /* those that ask again meanwhile have their own turn */
        list_push_back(&waiting, list_pop_front(&kept->waiting));
    for (ListNode *node; (node = list_pop_front(&waiting)) != NULL;) {
        CredentialsRequest *request = CONTAINER_OF(node, CredentialsRequest, waiting);
        request->have(request, error, &kept->credentials, message);
    }
}

static void issued(StoreCall *call)
{
    KeptCredentials *kept = CONTAINER_OF(call, KeptCredentials, call);
    kept->asking = false;
    kept->owner->asking--;
    if (call->result == OK) {
        arena_free(&kept->now);
        kept->now = kept->arena;
        kept->arena = arena_make();
        kept->credentials = kept->fresh;
    }
    Slice message = problem_of(kept, call->result, &kept->arena);
    answer_all(kept, call->result, message);
    if (kept->asking)
        return;
    arena_free(&kept->arena);
    if (kept->is_forgotten)
        kept_free(kept);
}

static KeptCredentials *keep(Credentials *credentials, Slice key, const WorkerSpec *spec)
{
    KeptCredentials *kept = calloc(1, sizeof *kept);
    ASSERT(kept != NULL);
    kept->owner = credentials;
    kept->account = arena_copy(&kept->names, spec->account);
    kept->function = arena_copy(&kept->names, spec->name);
    Slice arn = arena_copy(&kept->names, spec->role_arn);
    if (!parse_role(arn, &kept->role_account, &kept->role_name)) {
        kept->role_account = kept->account;
        kept->role_name = arn;
    }
    list_init(&kept->waiting);
    map_put(&credentials->kept, key, kept);
    return kept;
}

static void ask(KeptCredentials *kept)
{
    Credentials *owner = kept->owner;
    kept->asking = true;
    owner->asking++;
    /* Twice as long as they must last: so they are made once in that time. */
    kept->expires_ms = os_wall_ms(owner->os) + 2 * owner->lasting_ms;
    kept->call = (StoreCall){
        .body = issue,
        .done = issued,
        .mailbox = owner->mailbox,
        .arena = &kept->arena,
        .home = identity_home(kept->role_account),
    };
    store_write(owner->store, &kept->call);
}

void credentials_get(Credentials *credentials, const WorkerSpec *spec, CredentialsRequest *request)
{
    Arena scratch = arena_make();
    Slice key = key_of(spec, &scratch);
    KeptCredentials *kept = map_get(&credentials->kept, key);
    if (kept == NULL)
        kept = keep(credentials, key, spec);
    arena_free(&scratch);
    list_init(&request->waiting);
    if (kept->credentials.expires_ms >= os_wall_ms(credentials->os) + credentials->lasting_ms) {
        request->have(request, OK, &kept->credentials, (Slice){0});
        return;
    }
    list_push_back(&kept->waiting, &request->waiting);
    if (!kept->asking)
        ask(kept);
}

void credentials_cancel(CredentialsRequest *request)
{
    if (list_is_linked(&request->waiting))
        list_remove(&request->waiting);
}
