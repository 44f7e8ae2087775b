/* admin_code.c: another code of a function, as `brume function watch` sends it: in effect when it is answered. */
#include "cli/admin_server.h"

#include "base/digest.h"
#include "core/function.h"

/* One package on its way: first the upload has it, then the store. Lives in its request's arena. */
typedef struct AdminUpload {
    const AdminOptions *options;
    HttpRequest *request;
    AdminCode wanted;
    PackageUpload upload;
    StoreCall call;
    uint64_t code_limit;
    FunctionVersion version;
    bool has_code;
    bool is_changed;
} AdminUpload;

static void write_text(JsonWriter *writer, Slice name, Slice value)
{
    json_write_name(writer, name);
    json_write_string(writer, value);
}

static void answer(AdminUpload *upload)
{
    Buffer out = buffer_make(upload->request->arena);
    JsonWriter writer = json_writer(&out);
    json_write_object_begin(&writer);
    write_text(&writer, SLICE("runtime"), upload->version.runtime);
    write_text(&writer, SLICE("changed"), upload->is_changed ? SLICE("true") : SLICE("false"));
    json_write_object_end(&writer);
    static const HttpHeader json[] = {{SLICE_INIT("content-type"), SLICE_INIT("application/json")}};
    http_respond(upload->request,
                 &(HttpResponse){.status = 200, .headers = json, .header_count = 1, .body = buffer_slice(&out)});
}

static void refuse(AdminUpload *upload, Error error)
{
    admin_refuse_function(upload->request,
                          &(AdminFunction){upload->wanted.account, upload->wanted.region, upload->wanted.name}, error);
}

/* What is the same is left as it is, and so are its workers. */
static Error replace_body(Txn *txn, StoreCall *call)
{
    AdminUpload *upload = CONTAINER_OF(call, AdminUpload, call);
    const AdminCode *wanted = &upload->wanted;
    Function function;
    FunctionVersion *latest = &upload->version;
    TRY(function_open(txn, wanted->account, wanted->region, wanted->name, &function));
    TRY(function_version_get(txn, &function, SLICE("$LATEST"), latest));
    latest->runtime = arena_copy(call->arena, latest->runtime);
    upload->is_changed = upload->has_code && !slice_equal(latest->code_sha256, upload->upload.sha256);
    if (!upload->is_changed)
        return OK;
    latest->code = upload->upload.folder;
    latest->code_sha256 = upload->upload.sha256;
    latest->code_bytes = upload->upload.zip.size;
    latest->unzipped_bytes = upload->upload.unzipped_bytes;
    return function_code_replace(txn, &function, latest, upload->code_limit);
}

static void is_stored(StoreCall *call)
{
    AdminUpload *upload = CONTAINER_OF(call, AdminUpload, call);
    if (upload->has_code)
        packages_release(&upload->upload);
    if (call->result == OK)
        answer(upload);
    else
        refuse(upload, call->result);
}

static void is_unpacked(PackageUpload *package)
{
    AdminUpload *upload = CONTAINER_OF(package, AdminUpload, upload);
    if (package->result == OK) {
        store_write(upload->options->store, &upload->call);
        return;
    }
    Error error = package->result;
    packages_release(package);
    refuse(upload, error);
}

static Error start(AdminUpload *upload, const Limits *limits)
{
    upload->call = (StoreCall){
        .body = replace_body,
        .done = is_stored,
        .mailbox = loop_mailbox(upload->options->loop),
        .arena = upload->request->arena,
        .home = function_home(upload->wanted.account, upload->wanted.region, upload->wanted.name),
        .refusable = true,
    };
    upload->has_code = upload->wanted.zip.data != NULL;
    if (!upload->has_code) {
        store_read(upload->options->store, &upload->call);
        return OK;
    }
    upload->upload = (PackageUpload){
        .account = upload->wanted.account,
        .bounds = {.zipped_bytes = limits->value[LIMIT_LAMBDA_CODE_ZIPPED_BYTES],
                   .unzipped_bytes = limits->value[LIMIT_LAMBDA_CODE_UNZIPPED_BYTES],
                   .files = limits->value[LIMIT_LAMBDA_CODE_FILES]},
        .mailbox = loop_mailbox(upload->options->loop),
        .done = is_unpacked,
    };
    TRY(base64_decode(upload->request->arena, upload->wanted.zip, &upload->upload.zip));
    return packages_add(upload->options->packages, &upload->upload);
}

void admin_code(const AdminOptions *options, HttpRequest *request, const AdminCode *code)
{
    const Limits *limits = account_limits_of(options->account_limits, code->account);
    if (!account_id_is_valid(code->account) || code->region.size == 0 || code->name.size == 0) {
        admin_refuse(request, 400, SLICE("an account of 12 digits, a region and a function's name are needed"));
        return;
    }
    AdminUpload *upload = ARENA_NEW(request->arena, AdminUpload);
    upload->options = options;
    upload->request = request;
    upload->wanted = *code;
    upload->code_limit = limits->value[LIMIT_LAMBDA_CODE_STORAGE_BYTES];
    Error error = start(upload, limits);
    if (error == ERROR_MALFORMED)
        admin_refuse(request, 400, SLICE("the package is not in base64"));
    else if (error != OK)
        refuse(upload, error);
}
