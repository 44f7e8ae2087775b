/* admin_code.c: code that comes from a folder which its developer works on (`brume function watch`): it is checked and
 * unpacked as any package, and then it is what the next invocation runs, whether an earlier change has settled or not. */
#include "cli/admin_server.h"

#include "base/digest.h"
#include "base/list.h"
#include "core/account.h"
#include "core/function.h"

/* One change; lives in its request's arena. */
typedef struct AdminCode {
    const AdminOptions *options;
    HttpRequest *request;
    AdminCodeChange change;
    const Limits *limits;
    PackageUpload upload;
    bool has_upload;
    StoreCall call;
    Slice runtime;
} AdminCode;

/* What was changed is the version that the next invocation finds, and that other changes build upon. */
static Error change_body(Txn *txn, StoreCall *call)
{
    AdminCode *code = CONTAINER_OF(call, AdminCode, call);
    const AdminCodeChange *change = &code->change;
    Function function;
    FunctionVersion latest;
    TRY(function_open(txn, change->account, change->region, change->name, &function));
    TRY(function_version_get(txn, &function, SLICE("$LATEST"), &latest));
    code->runtime = arena_copy(call->arena, latest.runtime);
    if (!code->has_upload)
        return OK;
    latest.code = code->upload.folder;
    latest.code_sha256 = code->upload.sha256;
    latest.code_bytes = code->upload.zip.size;
    latest.unzipped_bytes = code->upload.unzipped_bytes;
    return function_latest_replace(txn, &function, &latest, code->limits->value[LIMIT_LAMBDA_CODE_STORAGE_BYTES]);
}

static void is_changed(StoreCall *call)
{
    AdminCode *code = CONTAINER_OF(call, AdminCode, call);
    Arena *arena = code->request->arena;
    if (code->has_upload)
        packages_release(&code->upload);
    if (call->result != OK) {
        admin_refuse_error(code->request, call->result);
        return;
    }
    Buffer out = buffer_make(arena);
    JsonWriter writer = json_writer(&out);
    json_write_object_begin(&writer);
    json_write_name(&writer, SLICE("runtime"));
    json_write_string(&writer, code->runtime);
    json_write_object_end(&writer);
    static const HttpHeader json[] = {{SLICE_INIT("content-type"), SLICE_INIT("application/json")}};
    http_respond(code->request,
                 &(HttpResponse){.status = 200, .headers = json, .header_count = 1, .body = buffer_slice(&out)});
}

static void run_body(AdminCode *code)
{
    const AdminCodeChange *change = &code->change;
    code->call = (StoreCall){
        .body = change_body,
        .done = is_changed,
        .mailbox = loop_mailbox(code->options->loop),
        .arena = code->request->arena,
        .home = function_home(change->account, change->region, change->name),
    };
    if (code->has_upload)
        store_write(code->options->store, &code->call);
    else
        store_read(code->options->store, &code->call);
}

static void is_unpacked(PackageUpload *upload)
{
    AdminCode *code = CONTAINER_OF(upload, AdminCode, upload);
    if (upload->result == OK) {
        run_body(code);
        return;
    }
    Error result = upload->result;
    packages_release(upload);
    admin_refuse_error(code->request, result);
}

static Error start_upload(AdminCode *code, Slice zip)
{
    const uint64_t *limits = code->limits->value;
    code->has_upload = true;
    code->upload = (PackageUpload){
        .account = code->change.account,
        .zip = zip,
        .bounds = {.zipped_bytes = limits[LIMIT_LAMBDA_CODE_ZIPPED_BYTES],
                   .unzipped_bytes = limits[LIMIT_LAMBDA_CODE_UNZIPPED_BYTES],
                   .files = limits[LIMIT_LAMBDA_CODE_FILES]},
        .mailbox = loop_mailbox(code->options->loop),
        .done = is_unpacked,
    };
    return packages_add(code->options->packages, &code->upload);
}

void admin_change_code(const AdminOptions *options, HttpRequest *request, const AdminCodeChange *change)
{
    Slice zip;
    if (!account_id_is_valid(change->account) || change->region.size == 0 || change->name.size == 0) {
        admin_refuse(request, 400, SLICE("an account of 12 digits, a region and a function's name are needed"));
        return;
    }
    AdminCode *code = ARENA_NEW(request->arena, AdminCode);
    *code = (AdminCode){
        .options = options,
        .request = request,
        .change = *change,
        .limits = account_limits_of(options->account_limits, change->account),
    };
    if (change->zip.data == NULL) {
        run_body(code);
        return;
    }
    if (base64_decode(request->arena, change->zip, &zip) != OK) {
        admin_refuse(request, 400, SLICE("the package is no base64"));
        return;
    }
    Error error = start_upload(code, zip);
    if (error != OK)
        admin_refuse_error(request, error);
}
