#include "aws/logs/dialect.h"

#include "base/digest.h"

/* ---- Groups by name and ARN ---- */

Slice logs_group_arn(const Call *call, Slice name, const char *rest)
{
    return arena_format(call->arena, "arn:aws:logs:%.*s:%.*s:log-group:%.*s%s", SLICE_PRINT(call->actor.region),
                        SLICE_PRINT(call->actor.account), SLICE_PRINT(name), rest);
}

bool logs_group_name(const Call *call, Slice identifier, Slice *name)
{
    if (!slice_starts_with(identifier, SLICE("arn:"))) {
        *name = identifier;
        return true;
    }
    Slice own = logs_group_arn(call, SLICE(""), "");
    if (!slice_starts_with(identifier, own))
        return false;
    *name = slice_skip(identifier, own.size);
    if (slice_ends_with(*name, SLICE(":*")))
        name->size -= 2;
    return name->size > 0 && slice_find(*name, ':') == name->size;
}

Error logs_open_group(Call *call, Txn *txn, Slice name, LogGroup *group)
{
    return log_group_open(txn, call->actor.account, call->actor.region, name, group);
}

Error logs_open_identified(Call *call, Txn *txn, Slice name, Slice identifier, LogGroup *group)
{
    if ((name.data == NULL) == (identifier.data == NULL))
        return logs_invalid(call, "Exactly one of logGroupName or logGroupIdentifier must be specified.");
    if (name.data == NULL && !logs_group_name(call, identifier, &name))
        return LOG_GROUP_NOT_FOUND;
    return logs_open_group(call, txn, name, group);
}

Error logs_open_stream(Call *call, Txn *txn, const LogGroup *group, Slice name, LogStream *stream)
{
    (void)call;
    return log_stream_open(txn, group, name, stream);
}

/* ---- Pages ---- */

Error logs_page_start(Call *call, Slice token, bool has_limit, int32_t limit, LogPage *page)
{
    *page = (LogPage){.limit = has_limit ? (size_t)limit : LOGS_PAGE};
    if (token.data == NULL)
        return OK;
    return base64_decode(call->arena, token, &page->after) == OK && page->after.size > 0 ? OK : logs_refuse_token(call);
}

Slice logs_page_token(Call *call, const LogPage *page)
{
    return page->next.data == NULL ? (Slice){0} : base64_encode(call->arena, page->next);
}
