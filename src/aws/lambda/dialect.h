/* dialect.h: Lambda's words for core/function.h and its neighbours. For aws/lambda alone.
 *
 * Slices of core live as long as the transaction; what goes into an answer is copied into the call's arena. */
#ifndef BRUME_AWS_LAMBDA_DIALECT_H
#define BRUME_AWS_LAMBDA_DIALECT_H

#include "api/lambda.h"
#include "aws/wire/common_error.h"
#include "core/function.h"
#include "core/package.h"

/* ---- Names (names.c) ---- */

/* What a FunctionName and a Qualifier mean together. */
typedef struct LambdaName {
    Slice account;
    Slice region;
    Slice name;
    Slice qualifier; /* absent: none was given */
} LambdaName;

/* Reads "name", "account:function:name" or an ARN, each with or without a qualifier, which must be `qualifier` when that is
 * given, too (Lambda API reference, GetFunction: FunctionName). InvalidParameterValueException,
 * ResourceNotFoundException: another region's; AccessDeniedException: another account's. */
Error lambda_read_name(Call *call, Slice text, Slice qualifier, LambdaName *name);
/* Sets what the text says; what it does not say stays. */
void lambda_split_name(Slice text, LambdaName *name);
/* function_arn of what was named. */
Slice lambda_arn_of(Call *call, const LambdaName *name);
/* Name and function: the caller's own, or another account's whose policy, that of the qualifier, allows the operation;
 * AccessDeniedException. FUNCTION_NOT_FOUND. */
Error lambda_find(Call *call, Txn *txn, Slice text, Slice qualifier, LambdaName *name, Function *function);
/* The same, with "Function not found: ARN". */
Error lambda_open(Call *call, Txn *txn, Slice text, Slice qualifier, LambdaName *name, Function *function);
/* The version that the name's qualifier means: a number, "$LATEST", an alias's first, or "$LATEST" for none. */
Error lambda_open_version(Call *call, Txn *txn, const LambdaName *name, const Function *function,
                          FunctionVersion *version);

/* ---- Refusals (service.c) ---- */

Error lambda_invalid(Call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
Error lambda_not_found(Call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
Error lambda_conflict(Call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* AccessDeniedException: no policy of the resource lets the caller's account in. */
Error lambda_denied(Call *call, const char *action, Slice arn);
/* 501: "Brume does not implement FEATURE." The feature may say behind a colon what to do instead. */
Error lambda_not_implemented(Call *call, const char *feature);
/* Core's code as a refusal about that function, if it has one there. */
Error lambda_refuse(Call *call, const LambdaName *name, Error error);
/* The same, with "Cannot find alias arn: ARN" of a qualifier that could be an alias's name: a name with a '$' can be none, a
 * number is a version, and AWS tells of a function then. */
Error lambda_refuse_qualified(Call *call, const LambdaName *name, Error error);
/* PreconditionFailedException, unless there is none or it is the one. */
Error lambda_check_revision(Call *call, Slice given, Slice revision_id, const char *operation);

/* Where the zip of a package can be fetched for a while, by whoever has the link; absent: there are no packages here. */
Slice lambda_package_link(Call *call, Slice folder);

/* ---- Configuration ---- */

/* Lists tell less of each than Get does: no state, no runtime version (Lambda API reference, ListFunctions). */
typedef enum LambdaDetail { LAMBDA_LISTED, LAMBDA_FULL } LambdaDetail;
/* `qualified`: the ARN has the version behind it. */
void lambda_configuration_of(Call *call, const FunctionVersion *version, bool qualified, LambdaDetail detail,
                             LambdaFunctionConfiguration *out);
/* The version of a runtime that there is here; AWS names its own by a digest, too. */
Slice lambda_runtime_version_arn(Call *call, Slice region, Slice runtime);

/* What CreateFunction and UpdateFunctionConfiguration both take (settings.c). NULL and absent: not given. */
typedef struct LambdaSettings {
    Slice role;
    Slice handler;
    Slice runtime;
    Slice description;
    bool has_timeout;
    int32_t timeout;
    bool has_memory_size;
    int32_t memory_size;
    const LambdaEnvironment *environment;
    const LambdaDeadLetterConfig *dead_letter;
    const LambdaTracingConfig *tracing;
    const LambdaEphemeralStorage *storage;
    const LambdaSnapStart *snap_start;
    const LambdaLoggingConfig *logging;
    const LambdaLayerList *layers;
} LambdaSettings;

/* Those of either's input: its members have the same names. */
#define LAMBDA_SETTINGS_OF(in)                                                                                         \
    ((LambdaSettings){                                                                                                 \
        .role = (in)->role,                                                                                            \
        .handler = (in)->handler,                                                                                      \
        .runtime = (in)->runtime,                                                                                      \
        .description = (in)->description,                                                                              \
        .has_timeout = (in)->has_timeout,                                                                              \
        .timeout = (in)->timeout,                                                                                      \
        .has_memory_size = (in)->has_memory_size,                                                                      \
        .memory_size = (in)->memory_size,                                                                              \
        .environment = (in)->environment,                                                                              \
        .dead_letter = (in)->dead_letter_config,                                                                       \
        .tracing = (in)->tracing_config,                                                                               \
        .storage = (in)->ephemeral_storage,                                                                            \
        .snap_start = (in)->snap_start,                                                                                \
        .logging = (in)->logging_config,                                                                               \
        .layers = &(in)->layers,                                                                                       \
    })

/* Puts what is given over the version, and checks what comes of it: in a transaction, since the role, layers and targets
 * must be there. */
Error lambda_apply_settings(Call *call, Txn *txn, const LambdaSettings *settings, FunctionVersion *version);
/* Members that AWS has and Brume does not: 501 by name, unless they say nothing. */
Error lambda_check_elsewhere(Call *call, const LambdaVpcConfig *vpc, const LambdaFileSystemConfigList *file_systems,
                             Slice kms_key_arn);
/* That of a document member which Brume does not have. */
Error lambda_check_absent(Call *call, Slice member, const char *name);
Error lambda_read_tags(Call *call, const LambdaTags *tags, Labels *labels);
LambdaTags lambda_tags_of(Call *call, const Labels *labels);
/* Whether functions of that runtime may be made or changed (runtimes.c). */
Error lambda_check_runtime(Call *call, Slice runtime);
bool lambda_runtime_can_snap_start(Slice runtime);
/* The role exists and lets Lambda in, where signatures are verified. */
Error lambda_check_role(Call *call, Txn *txn, Slice role_arn);
/* The layers of a function, in order; none of an empty list. */
Error lambda_read_layers(Call *call, Txn *txn, const LambdaLayerList *arns, FunctionVersion *version);

/* ---- Pages ---- */

enum { LAMBDA_PAGE = 50 }; /* Lambda API reference, ListFunctions: at most 50 items in each answer */
Error lambda_page_start(Call *call, Slice marker, bool has_max_items, int32_t max_items, FunctionPage *page);
/* The Marker is none that the operation gave. */
Error lambda_refuse_marker(Call *call);
/* The marker for the answer; absent: that was all. */
Slice lambda_page_marker(Call *call, const FunctionPage *page);

#endif
