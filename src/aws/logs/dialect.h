/* dialect.h: CloudWatch Logs' words for core/log.h. For aws/logs alone.
 *
 * Slices of core live as long as the transaction; what goes into an answer is copied into the call's arena. */
#ifndef BRUME_AWS_LOGS_DIALECT_H
#define BRUME_AWS_LOGS_DIALECT_H

#include "api/logs.h"
#include "aws/wire/call.h"
#include "aws/wire/common_error.h"
#include "core/log.h"
#include "core/log_pattern.h"

/* ---- Refusals (service.c) ---- */

/* InvalidParameterException. */
Error logs_invalid(Call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* 501: "Brume does not implement … yet." */
Error logs_not_implemented(Call *call, const char *feature);
Error logs_refuse_token(Call *call);

/* ---- Names (names.c) ---- */

/* "arn:aws:logs:us-east-1:123456789012:log-group:name"; `rest` is put behind it. */
Slice logs_group_arn(const Call *call, Slice name, const char *rest);
/* The name of a group that may be given by its ARN, with or without ":*"; false: it is an ARN of something else, or of another
 * account or region. */
bool logs_group_name(const Call *call, Slice identifier, Slice *name);
/* The group of the two members, exactly one of which says which it is. InvalidParameterException,
 * ResourceNotFoundException. */
Error logs_open_identified(Call *call, Txn *txn, Slice name, Slice identifier, LogGroup *group);
/* ResourceNotFoundException. */
Error logs_open_group(Call *call, Txn *txn, Slice name, LogGroup *group);
Error logs_open_stream(Call *call, Txn *txn, const LogGroup *group, Slice name, LogStream *stream);

/* ---- Pages (names.c) ---- */

enum { LOGS_PAGE = 50 }; /* CloudWatch Logs API reference, DescribeLogGroups: limit */
/* InvalidParameterException: no page gave that token. */
Error logs_page_start(Call *call, Slice token, bool has_limit, int32_t limit, LogPage *page);
/* Absent: that was all. */
Slice logs_page_token(Call *call, const LogPage *page);

/* ---- Events (events.c) ---- */

/* A pattern of a request, in the transaction's arena or the call's. InvalidParameterException. */
Error logs_read_pattern(Call *call, Slice text, Arena *arena, LogPattern **pattern);

/* ---- Tags (tags.c) ---- */

Error logs_read_tags(Call *call, const LogsTags *tags, Labels *labels);

#endif
