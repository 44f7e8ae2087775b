#include "core/permission.h"

#include "core/policy_document.h"
#include "store/key.h"

enum { SCHEMA_PERMISSIONS = 1 };

/* ---- What is allowed ---- */

static bool principal_fits(const Permission *permission, const AccessRequest *request)
{
    switch (permission->kind) {
    case PERMISSION_ANYONE:
        return true;
    case PERMISSION_SERVICE:
        return request->service.data != NULL && slice_equal(permission->principal, request->service);
    case PERMISSION_ACCOUNT:
        return request->account.data != NULL && slice_equal(permission->principal, request->account);
    case PERMISSION_ARN:
        return request->account.data != NULL &&
               (slice_equal(permission->principal, request->principal_arn) ||
                (request->role_arn.data != NULL && slice_equal(permission->principal, request->role_arn)));
    }
    return false;
}

/* Whether a condition of that value holds; an absent one does. */
static bool equals(Slice asked, Slice given)
{
    return asked.data == NULL || (given.data != NULL && slice_equal(asked, given));
}

static bool conditions_hold(const Permission *permission, const AccessRequest *request)
{
    bool source = permission->source_arn.data == NULL ||
                  (request->source_arn.data != NULL &&
                   policy_wildcard_matches(permission->source_arn, request->source_arn, false));
    return source && equals(permission->source_account, request->source_account) &&
           equals(permission->organization, request->organization) &&
           equals(permission->source_token, request->source_token) && equals(permission->url_auth, request->url_auth) &&
           (!permission->has_via_url || permission->via_url == request->via_url);
}

bool permissions_allow(const Permissions *permissions, const AccessRequest *request)
{
    for (size_t i = 0; i < permissions->count; i++) {
        const Permission *permission = &permissions->items[i];
        if (policy_wildcard_matches(permission->action, request->action, true) && principal_fits(permission, request) &&
            conditions_hold(permission, request))
            return true;
    }
    return false;
}

/* ---- Changes ---- */

const Permission *permissions_find(const Permissions *permissions, Slice id)
{
    for (size_t i = 0; i < permissions->count; i++)
        if (slice_equal(permissions->items[i].id, id))
            return &permissions->items[i];
    return NULL;
}

Error permissions_add(Permissions *permissions, const Permission *permission, Arena *arena)
{
    if (permissions_find(permissions, permission->id) != NULL)
        return PERMISSION_EXISTS;
    Permission *items = ARENA_ARRAY(arena, Permission, permissions->count + 1);
    for (size_t i = 0; i < permissions->count; i++)
        items[i] = permissions->items[i];
    items[permissions->count++] = *permission;
    permissions->items = items;
    return OK;
}

Error permissions_remove(Permissions *permissions, Slice id)
{
    size_t kept = 0;
    for (size_t i = 0; i < permissions->count; i++)
        if (!slice_equal(permissions->items[i].id, id))
            permissions->items[kept++] = permissions->items[i];
    if (kept == permissions->count)
        return PERMISSION_NOT_FOUND;
    permissions->count = kept;
    return OK;
}

/* ---- Records ---- */

/* The optional strings of a statement, in their stored order. */
#define OPTIONAL_STRINGS(MEMBER)                                                                                       \
    MEMBER(principal)                                                                                                  \
    MEMBER(source_arn)                                                                                                 \
    MEMBER(source_account)                                                                                             \
    MEMBER(organization)                                                                                               \
    MEMBER(source_token)                                                                                               \
    MEMBER(url_auth)

enum { VIA_URL_ANY = 0, VIA_URL_ONLY = 1, VIA_URL_NEVER = 2 };

void permissions_write(Buffer *value, const Permissions *permissions)
{
    buffer_add_byte(value, SCHEMA_PERMISSIONS);
    value_add_optional(value, permissions->revision_id);
    value_add_uint64(value, permissions->count);
    for (size_t i = 0; i < permissions->count; i++) {
        const Permission *permission = &permissions->items[i];
        value_add_bytes(value, permission->id);
        value_add_bytes(value, permission->action);
        value_add_uint64(value, (uint64_t)permission->kind);
#define WRITE(member) value_add_optional(value, permission->member);
        OPTIONAL_STRINGS(WRITE)
#undef WRITE
        value_add_uint64(value, !permission->has_via_url ? VIA_URL_ANY
                                : permission->via_url    ? VIA_URL_ONLY
                                                         : VIA_URL_NEVER);
    }
}

static Error read_permission(Slice *value, Permission *permission)
{
    uint64_t kind;
    uint64_t via_url;
    TRY(value_take_bytes(value, &permission->id));
    TRY(value_take_bytes(value, &permission->action));
    TRY(value_take_uint64(value, &kind));
#define READ(member) TRY(value_take_optional(value, &permission->member));
    OPTIONAL_STRINGS(READ)
#undef READ
    TRY(value_take_uint64(value, &via_url));
    permission->kind = (PermissionPrincipal)kind;
    permission->has_via_url = via_url != VIA_URL_ANY;
    permission->via_url = via_url == VIA_URL_ONLY;
    return OK;
}

Error permissions_read(Slice value, Permissions *permissions, Arena *arena)
{
    uint8_t schema;
    uint64_t count;
    TRY(value_take_schema(&value, &schema));
    if (schema != SCHEMA_PERMISSIONS)
        return ERROR_FORMAT;
    TRY(value_take_optional(&value, &permissions->revision_id));
    TRY(value_take_uint64(&value, &count));
    if (count > value.size)
        return ERROR_MALFORMED;
    permissions->count = count;
    permissions->items = ARENA_ARRAY(arena, Permission, count);
    for (size_t i = 0; i < count; i++)
        TRY(read_permission(&value, &permissions->items[i]));
    return OK;
}
