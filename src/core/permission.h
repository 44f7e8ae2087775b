/* permission.h: who else may use a resource, and for what: the statements of its own policy.
 *
 * Statements only ever allow. What they are made of is kept, not the text of a document: whoever asks often (a function's
 * URL) does not read JSON for it; the dialect writes the document. Slices are views; any thread; nothing blocks. */
#ifndef BRUME_CORE_PERMISSION_H
#define BRUME_CORE_PERMISSION_H

#include "base/buffer.h"
#include "core/core_error.h"

typedef enum PermissionPrincipal {
    PERMISSION_ANYONE = '*',
    PERMISSION_SERVICE = 's', /* "s3.amazonaws.com" */
    PERMISSION_ACCOUNT = 'a', /* all principals of it, by its 12 digits */
    PERMISSION_ARN = 'r',     /* one principal */
} PermissionPrincipal;

/* One statement: `kind` and `principal` may do `action`, where all conditions hold. */
typedef struct Permission {
    Slice id;     /* unique among the resource's */
    Slice action; /* "lambda:InvokeFunction"; '*' stands for any characters */
    PermissionPrincipal kind;
    Slice principal; /* absent for anyone */
    /* Conditions; absent: there is none of that kind. */
    Slice source_arn;     /* '*' and '?' as in patterns of files */
    Slice source_account; /* 12 digits */
    Slice organization;   /* "o-…" */
    Slice source_token;
    Slice url_auth; /* of a function's URL: "NONE", "AWS_IAM" */
    bool has_via_url;
    bool via_url; /* whether it must, or must not, come through the function's URL */
} Permission;

typedef struct Permissions {
    Slice revision_id; /* a UUID: another one after each change; absent: nothing was ever allowed */
    Permission *items; /* in the order in which they were added */
    size_t count;
} Permissions;

/* What is asked for. Absent slices: it has none, and a condition on it does not hold. */
typedef struct AccessRequest {
    Slice action;
    Slice service;       /* a service asks; the rest of the principal is absent */
    Slice account;       /* the principal's; absent: nobody has signed */
    Slice principal_arn; /* of a user, root or session */
    Slice role_arn;      /* a session's role: a statement may name that instead */
    Slice source_arn;
    Slice source_account;
    Slice organization;
    Slice source_token;
    Slice url_auth;
    bool via_url;
} AccessRequest;

bool permissions_allow(const Permissions *permissions, const AccessRequest *request);

/* NULL: there is none of that id. */
const Permission *permissions_find(const Permissions *permissions, Slice id);
/* Adds it at the end; PERMISSION_EXISTS. The array grows into `arena`. */
Error permissions_add(Permissions *permissions, const Permission *permission, Arena *arena);
/* PERMISSION_NOT_FOUND. */
Error permissions_remove(Permissions *permissions, Slice id);

/* As a value of the store, and back: views into it, the array in `arena`. */
void permissions_write(Buffer *value, const Permissions *permissions);
Error permissions_read(Slice value, Permissions *permissions, Arena *arena);

#endif
