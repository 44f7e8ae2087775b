/* CreateFunction and UpdateFunctionCode: a package comes in on a worker of the pool; then a transaction refers to it. */
#include "aws/lambda/dialect.h"

#include "base/failpoint.h"
#include "base/list.h"
#include "core/invoker.h"

/* One call on its way: first the upload has it, then the store. */
typedef struct CodeCall {
    Call *call;
    const void *input;
    LambdaFunctionConfiguration *output;
    LambdaName name;
    PackageUpload upload;
    StoreCall store_call;
} CodeCall;

/* ---- The way in ---- */

static void is_stored(StoreCall *store_call)
{
    CodeCall *code = CONTAINER_OF(store_call, CodeCall, store_call);
    Error result = store_call->result;
    packages_release(&code->upload);
    /* Its first invocation will not wait for what all workers of the runtime share. */
    if (result == OK && call_invoker(code->call) != NULL)
        invoker_warm(call_invoker(code->call), code->output->runtime);
    call_finish(code->call, result);
}

static void is_unpacked(PackageUpload *upload)
{
    CodeCall *code = CONTAINER_OF(upload, CodeCall, upload);
    if (upload->result != OK) {
        Error result = upload->result;
        packages_release(upload);
        call_finish(code->call, result);
        return;
    }
    FAILPOINT("lambda.package_unpacked");
    store_write(call_store(code->call), &code->store_call);
}

/* Starts: from here on the call is ended by is_stored or is_unpacked. */
static Error start(Call *call, const LambdaName *name, Slice zip, TxnBody body, const void *input,
                   LambdaFunctionConfiguration *output)
{
    const uint64_t *limits = call->limits->value;
    CodeCall *code = ARENA_NEW(call->arena, CodeCall);
    code->call = call;
    code->input = input;
    code->output = output;
    code->name = *name;
    code->upload = (PackageUpload){
        .account = name->account,
        .zip = zip,
        .bounds = {.zipped_bytes = limits[LIMIT_LAMBDA_CODE_ZIPPED_BYTES],
                   .unzipped_bytes = limits[LIMIT_LAMBDA_CODE_UNZIPPED_BYTES],
                   .files = limits[LIMIT_LAMBDA_CODE_FILES]},
        .mailbox = call_mailbox(call),
        .done = is_unpacked,
    };
    code->store_call = (StoreCall){
        .body = body,
        .done = is_stored,
        .mailbox = call_mailbox(call),
        .arena = call->arena,
        .home = function_home(name->account, name->region, name->name),
        .refusable = true,
    };
    return packages_add(call_packages(call), &code->upload);
}

/* Of a run of a body: each starts from an empty answer. */
static CodeCall *start_body(StoreCall *store_call)
{
    CodeCall *code = CONTAINER_OF(store_call, CodeCall, store_call);
    code->call->error = NULL;
    *code->output = (LambdaFunctionConfiguration){0};
    return code;
}

static void set_code(const CodeCall *code, FunctionVersion *version)
{
    Arena *arena = code->call->arena;
    version->code = arena_copy(arena, code->upload.folder);
    version->code_sha256 = arena_copy(arena, code->upload.sha256);
    version->code_bytes = code->upload.zip.size;
    version->unzipped_bytes = code->upload.unzipped_bytes;
}

/* Where code may come from. */
static Error check_source(Call *call, Slice zip, Slice bucket, Slice key, Slice image)
{
    if (image.data != NULL)
        return lambda_not_implemented(call, "container images (ImageUri)");
    if (bucket.data != NULL || key.data != NULL)
        return lambda_not_implemented(call, "code that comes from S3 (S3Bucket, S3Key): send it as ZipFile");
    return zip.data == NULL ? lambda_invalid(call, "Please provide a source for function code.") : OK;
}

/* ---- CreateFunction ---- */

static Error check_create(Call *call, const CreateFunctionInput *in)
{
    if (slice_equal(in->package_type, SLICE("Image")))
        return lambda_not_implemented(call, "PackageType Image");
    if (in->code_signing_config_arn.data != NULL)
        return lambda_not_implemented(call, "CodeSigningConfigArn");
    if (in->publish_to.data != NULL)
        return lambda_not_implemented(call, "PublishTo");
    TRY(lambda_check_absent(call, in->image_config, "ImageConfig"));
    TRY(lambda_check_absent(call, in->capacity_provider_config, "CapacityProviderConfig"));
    TRY(lambda_check_absent(call, in->durable_config, "DurableConfig"));
    TRY(lambda_check_absent(call, in->runtime_config, "RuntimeConfig"));
    TRY(lambda_check_absent(call, in->accelerator_config, "AcceleratorConfig"));
    TRY(lambda_check_elsewhere(call, in->vpc_config, &in->file_system_configs, in->kms_key_arn));
    if (in->code->source_kms_key_arn.size > 0)
        return lambda_not_implemented(call, "SourceKMSKeyArn");
    if (in->runtime.size == 0 || in->handler.size == 0)
        return lambda_invalid(call,
                              "Runtime and Handler are mandatory parameters for functions created with deployment "
                              "packages.");
    TRY(lambda_check_runtime(call, in->runtime));
    return check_source(call, in->code->zip_file, in->code->s3_bucket, in->code->s3_key, in->code->image_uri);
}

/* A name of its own has 64 characters; the declared limit is that of ARNs. */
static Error check_name(Call *call, const LambdaName *name)
{
    if (name->name.size <= 64)
        return OK;
    return lambda_invalid(call,
                          "1 validation error detected: Value '%.*s' at 'functionName' failed to satisfy constraint: "
                          "Member must have length less than or equal to 64",
                          SLICE_PRINT(name->name));
}

/* What a function is when nothing is said (Lambda API reference, CreateFunction). */
static FunctionVersion default_version(const CodeCall *code, const CreateFunctionInput *in)
{
    const LambdaName *name = &code->name;
    return (FunctionVersion){
        .account = name->account,
        .region = name->region,
        .name = name->name,
        .description = SLICE(""),
        .architecture = in->architectures.count > 0 ? in->architectures.items[0] : SLICE("x86_64"),
        .timeout_s = 3,
        .memory_mb = 128,
        .tmp_mb = 512,
        .tenant_isolated = in->tenancy_config != NULL,
        .log_format = SLICE("Text"),
        .log_group = arena_format(code->call->arena, "/aws/lambda/%.*s", SLICE_PRINT(name->name)),
        .trace_mode = SLICE("PassThrough"),
    };
}

static Error create_body(Txn *txn, StoreCall *store_call)
{
    CodeCall *code = start_body(store_call);
    Call *call = code->call;
    const CreateFunctionInput *in = code->input;
    uint64_t code_limit = call->limits->value[LIMIT_LAMBDA_CODE_STORAGE_BYTES];
    Function function = {.account = code->name.account, .region = code->name.region, .name = code->name.name};
    FunctionVersion version = default_version(code, in);
    LambdaSettings settings = LAMBDA_SETTINGS_OF(in);
    set_code(code, &version);
    TRY(lambda_read_tags(call, &in->tags, &function.tags));
    TRY(lambda_apply_settings(call, txn, &settings, &version));
    TRY(lambda_refuse(call, &code->name, function_create(txn, &function, &version, code_limit)));
    if (in->publish)
        TRY(function_publish(txn, &function, (Slice){0}, code_limit, &version));
    lambda_configuration_of(call, &version, in->publish, LAMBDA_FULL, code->output);
    return OK;
}

Error lambda_create_function(Call *call, Txn *txn, const CreateFunctionInput *in, CreateFunctionOutput *out)
{
    (void)txn;
    LambdaName name;
    TRY(lambda_read_name(call, in->function_name, (Slice){0}, &name));
    TRY(check_name(call, &name));
    TRY(check_create(call, in));
    name.qualifier = (Slice){0};
    return start(call, &name, in->code->zip_file, create_body, in, out);
}

/* ---- UpdateFunctionCode ---- */

static Error update_body(Txn *txn, StoreCall *store_call)
{
    CodeCall *code = start_body(store_call);
    Call *call = code->call;
    const UpdateFunctionCodeInput *in = code->input;
    uint64_t code_limit = call->limits->value[LIMIT_LAMBDA_CODE_STORAGE_BYTES];
    const LambdaName *name = &code->name;
    Function function;
    FunctionVersion version;
    LambdaSettings settings = {0};
    TRY(lambda_refuse(call, name, function_open(txn, name->account, name->region, name->name, &function)));
    TRY(function_version_get(txn, &function, SLICE("$LATEST"), &version));
    TRY(lambda_check_revision(call, in->revision_id, version.revision_id, "GetFunction/GetAlias"));
    set_code(code, &version);
    if (in->architectures.count > 0)
        version.architecture = in->architectures.items[0];
    TRY(lambda_apply_settings(call, txn, &settings, &version));
    if (!in->dry_run)
        TRY(lambda_refuse(call, name, function_latest_put(txn, &function, &version, code_limit)));
    if (in->publish && !in->dry_run)
        TRY(function_publish(txn, &function, (Slice){0}, code_limit, &version));
    lambda_configuration_of(call, &version, in->publish && !in->dry_run, LAMBDA_FULL, code->output);
    return OK;
}

Error lambda_update_function_code(Call *call, Txn *txn, const UpdateFunctionCodeInput *in,
                                  UpdateFunctionCodeOutput *out)
{
    (void)txn;
    LambdaName name;
    TRY(lambda_read_name(call, in->function_name, (Slice){0}, &name));
    if (in->publish_to.data != NULL)
        return lambda_not_implemented(call, "PublishTo");
    if (in->source_kms_key_arn.size > 0)
        return lambda_not_implemented(call, "SourceKMSKeyArn");
    TRY(check_source(call, in->zip_file, in->s3_bucket, in->s3_key, in->image_uri));
    name.qualifier = (Slice){0};
    return start(call, &name, in->zip_file, update_body, in, out);
}
