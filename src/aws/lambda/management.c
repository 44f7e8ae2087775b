#include "aws/lambda/dialect.h"

#include "base/json.h"

/* Get- and PutRuntimeManagementConfig, Get- and PutFunctionRecursionConfig. */

/* ---- Which version of its runtime a function has: here there is one ---- */

typedef struct Management {
    Slice update_on; /* "Auto", "FunctionUpdate", "Manual" */
    Slice version_arn;
} Management;

/* A version's documents are this alone. */
static Slice write_management(Arena *arena, const Management *management)
{
    Buffer json = buffer_make(arena);
    JsonWriter writer = json_writer(&json);
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("UpdateRuntimeOn"));
    json_write_string(&writer, management->update_on);
    if (management->version_arn.data != NULL) {
        json_write_name(&writer, SLICE("RuntimeVersionArn"));
        json_write_string(&writer, management->version_arn);
    }
    json_write_object_end(&writer);
    return buffer_slice(&json);
}

static Error read_management(Arena *arena, Slice documents, Management *management)
{
    Slice name;
    *management = (Management){.update_on = SLICE("Auto")};
    if (documents.size == 0)
        return OK;
    JsonReader reader = json_reader(documents, arena);
    TRY(json_begin_object(&reader));
    for (;;) {
        TRY(json_next_member(&reader, &name));
        if (name.data == NULL)
            return OK;
        Slice *value = slice_equal(name, SLICE("UpdateRuntimeOn")) ? &management->update_on : &management->version_arn;
        TRY(json_read_string(&reader, value));
    }
}

static Error open_managed(Call *call, Txn *txn, Slice text, Slice qualifier, LambdaName *name, Function *function,
                          FunctionVersion *version)
{
    FunctionAlias alias;
    TRY(lambda_open(call, txn, text, qualifier, name, function));
    if (name->qualifier.data != NULL && function_alias_get(txn, function, name->qualifier, &alias) == OK)
        return lambda_invalid(call, "The provided function name %.*s is invalid. Aliases are not allowed.",
                              SLICE_PRINT(lambda_arn_of(call, name)));
    TRY(lambda_open_version(call, txn, name, function, version));
    name->qualifier = arena_copy(call->arena, version->version);
    return OK;
}

Error lambda_get_runtime_management_config(Call *call, Txn *txn, const GetRuntimeManagementConfigInput *in,
                                           GetRuntimeManagementConfigOutput *out)
{
    LambdaName name;
    Function function;
    FunctionVersion version = {0};
    Management management;
    TRY(open_managed(call, txn, in->function_name, in->qualifier, &name, &function, &version));
    TRY(read_management(call->arena, arena_copy(call->arena, version.documents), &management));
    out->function_arn = lambda_arn_of(call, &name);
    out->update_runtime_on = management.update_on;
    out->runtime_version_arn = management.version_arn;
    return OK;
}

static Error check_management(Call *call, const FunctionVersion *version, const PutRuntimeManagementConfigInput *in)
{
    bool manual = slice_equal(in->update_runtime_on, SLICE("Manual"));
    if (!manual && in->runtime_version_arn.data != NULL)
        return lambda_invalid(call, "RuntimeVersionArn can be given when UpdateRuntimeOn is Manual.");
    if (!manual)
        return OK;
    Slice ours = lambda_runtime_version_arn(call, version->region, version->runtime);
    if (slice_equal(in->runtime_version_arn, ours))
        return OK;
    return lambda_invalid(call,
                          "With UpdateRuntimeOn Manual, RuntimeVersionArn is that of the version that there is: %.*s",
                          SLICE_PRINT(ours));
}

Error lambda_put_runtime_management_config(Call *call, Txn *txn, const PutRuntimeManagementConfigInput *in,
                                           PutRuntimeManagementConfigOutput *out)
{
    LambdaName name;
    Function function;
    FunctionVersion version;
    TRY(open_managed(call, txn, in->function_name, in->qualifier, &name, &function, &version));
    TRY(check_management(call, &version, in));
    Management management = {in->update_runtime_on, in->runtime_version_arn};
    version.documents = write_management(call->arena, &management);
    function_version_put_documents(txn, &function, &version);
    out->function_arn = lambda_arn_of(call, &name);
    out->update_runtime_on = management.update_on;
    out->runtime_version_arn = management.version_arn;
    return OK;
}

/* ---- Whether a function may call itself, by way of others, without end ---- */

static Slice loop_word(const Function *function)
{
    return function->may_recurse ? SLICE("Allow") : SLICE("Terminate");
}

Error lambda_get_function_recursion_config(Call *call, Txn *txn, const GetFunctionRecursionConfigInput *in,
                                           GetFunctionRecursionConfigOutput *out)
{
    LambdaName name;
    Function function;
    TRY(lambda_open(call, txn, in->function_name, (Slice){0}, &name, &function));
    out->recursive_loop = loop_word(&function);
    return OK;
}

Error lambda_put_function_recursion_config(Call *call, Txn *txn, const PutFunctionRecursionConfigInput *in,
                                           PutFunctionRecursionConfigOutput *out)
{
    LambdaName name;
    Function function;
    TRY(lambda_open(call, txn, in->function_name, (Slice){0}, &name, &function));
    function.may_recurse = slice_equal(in->recursive_loop, SLICE("Allow"));
    function_put(txn, &function);
    out->recursive_loop = loop_word(&function);
    return OK;
}
