#include "aws/lambda/layers.h"

#include "base/list.h"
#include "base/time_format.h"

/* PublishLayerVersion, GetLayerVersion, GetLayerVersionByArn, ListLayers, ListLayerVersions, DeleteLayerVersion. */

/* ---- Names ---- */

void lambda_read_layer_name(const Call *call, Slice text, LayerName *name)
{
    if (layer_arn_parse(text, &name->account, &name->region, &name->name, NULL))
        return;
    *name = (LayerName){call->actor.account, call->actor.region, text};
}

Error lambda_read_own_layer(Call *call, Slice text, LayerName *name)
{
    lambda_read_layer_name(call, text, name);
    if (slice_equal(name->account, call->actor.account))
        return OK;
    return lambda_denied(call, call->operation->iam_action,
                         layer_arn(call->arena, name->account, name->region, name->name));
}

Error lambda_check_layer_version(Call *call, int64_t number)
{
    return number < 1 ? lambda_invalid(call, "Layer Version Cannot be less than 1") : OK;
}

/* ---- Outputs ---- */

/* What lists tell, too. Slices of the transaction lie in the call's arena. */
static void show(Call *call, const LayerVersion *layer, LambdaLayerVersion *out)
{
    char text[TIME_TEXT_MAX];
    Slice created = time_format_iso_ms((int64_t)layer->created_ms, text);
    *out = (LambdaLayerVersion){
        .layer_version_arn = layer_version_arn(call->arena, layer),
        .description = layer->description,
        .created_date = arena_format(call->arena, "%.*s+0000", (int)created.size - 1, created.data),
        .has_version = true,
        .version = (int64_t)layer->number,
        .compatible_architectures = {layer->architectures, layer->architecture_count},
        .compatible_runtimes = {layer->runtimes, layer->runtime_count},
        .license_info = layer->license,
    };
}

static void show_whole(Call *call, const LayerVersion *layer, LambdaLayerVersion *out)
{
    show(call, layer, out);
    out->layer_arn = layer_arn(call->arena, layer->account, layer->region, layer->name);
    out->content = ARENA_NEW(call->arena, LambdaLayerVersionContentOutput);
    out->content->location = lambda_package_link(call, layer->code);
    out->content->code_sha256 = layer->code_sha256;
    out->content->has_code_size = true;
    out->content->code_size = (int64_t)layer->code_bytes;
}

/* ---- PublishLayerVersion: a package comes in; then a transaction refers to it ---- */

typedef struct Publishing {
    Call *call;
    const PublishLayerVersionInput *input;
    PublishLayerVersionOutput *output;
    LayerName name;
    PackageUpload upload;
    StoreCall store_call;
} Publishing;

static Error publish_body(Txn *txn, StoreCall *store_call)
{
    Publishing *publishing = CONTAINER_OF(store_call, Publishing, store_call);
    const PublishLayerVersionInput *in = publishing->input;
    const PackageUpload *upload = &publishing->upload;
    Call *call = publishing->call;
    LayerVersion layer = {
        .account = publishing->name.account,
        .region = publishing->name.region,
        .name = publishing->name.name,
        .description = in->description.data == NULL ? SLICE("") : in->description,
        .license = in->license_info,
        .runtimes = in->compatible_runtimes.items,
        .runtime_count = in->compatible_runtimes.count,
        .architectures = in->compatible_architectures.items,
        .architecture_count = in->compatible_architectures.count,
        .code = arena_copy(call->arena, upload->folder),
        .code_sha256 = arena_copy(call->arena, upload->sha256),
        .code_bytes = upload->zip.size,
        .unzipped_bytes = upload->unzipped_bytes,
    };
    call->error = NULL;
    TRY(layer_publish(txn, &layer, call->limits->value[LIMIT_LAMBDA_CODE_STORAGE_BYTES]));
    show_whole(call, &layer, publishing->output);
    return OK;
}

static void is_stored(StoreCall *store_call)
{
    Publishing *publishing = CONTAINER_OF(store_call, Publishing, store_call);
    Error result = store_call->result;
    packages_release(&publishing->upload);
    call_finish(publishing->call, result);
}

static void is_unpacked(PackageUpload *upload)
{
    Publishing *publishing = CONTAINER_OF(upload, Publishing, upload);
    if (upload->result == OK) {
        store_write(call_store(publishing->call), &publishing->store_call);
        return;
    }
    Error result = upload->result;
    packages_release(upload);
    call_finish(publishing->call, result);
}

static Error check_content(Call *call, const LambdaLayerVersionContentInput *content)
{
    if (content->s3_bucket.data != NULL || content->s3_key.data != NULL)
        return lambda_not_implemented(call, "layers that come from S3 (S3Bucket, S3Key): send them as ZipFile");
    return content->zip_file.data == NULL ? lambda_invalid(call, "Please provide a source for layer content.") : OK;
}

Error lambda_publish_layer_version(Call *call, Txn *txn, const PublishLayerVersionInput *in,
                                   PublishLayerVersionOutput *out)
{
    (void)txn;
    const uint64_t *limits = call->limits->value;
    LayerName name;
    TRY(lambda_read_own_layer(call, in->layer_name, &name));
    TRY(check_content(call, in->content));
    Publishing *publishing = ARENA_NEW(call->arena, Publishing);
    *publishing = (Publishing){.call = call, .input = in, .output = out, .name = name};
    publishing->upload = (PackageUpload){
        .account = name.account,
        .zip = in->content->zip_file,
        .bounds = {.zipped_bytes = limits[LIMIT_LAMBDA_CODE_ZIPPED_BYTES],
                   .unzipped_bytes = limits[LIMIT_LAMBDA_CODE_UNZIPPED_BYTES],
                   .files = limits[LIMIT_LAMBDA_CODE_FILES]},
        .mailbox = call_mailbox(call),
        .done = is_unpacked,
    };
    publishing->store_call = (StoreCall){
        .body = publish_body,
        .done = is_stored,
        .mailbox = call_mailbox(call),
        .arena = call->arena,
        .home = layer_home(name.account, name.region, name.name),
        .refusable = true,
    };
    return packages_add(call_packages(call), &publishing->upload);
}

/* ---- Getting ---- */

static Error get_version(Call *call, Txn *txn, Slice arn, LambdaLayerVersion *out)
{
    LayerVersion layer;
    Error error = layer_use(txn, call->actor.account, arn, &layer);
    if (error == LAYER_DENIED)
        return lambda_denied(call, call->operation->iam_action, arn);
    if (error == LAYER_NOT_FOUND)
        return lambda_not_found(call, "The resource you requested does not exist.");
    TRY(error);
    show_whole(call, &layer, out);
    return OK;
}

Error lambda_get_layer_version(Call *call, Txn *txn, const GetLayerVersionInput *in, GetLayerVersionOutput *out)
{
    LayerName name;
    TRY(lambda_check_layer_version(call, in->version_number));
    lambda_read_layer_name(call, in->layer_name, &name);
    Slice layer = layer_arn(call->arena, name.account, name.region, name.name);
    Slice arn = arena_format(call->arena, "%.*s:%jd", SLICE_PRINT(layer), (intmax_t)in->version_number);
    return get_version(call, txn, arn, out);
}

Error lambda_get_layer_version_by_arn(Call *call, Txn *txn, const GetLayerVersionByArnInput *in,
                                      GetLayerVersionByArnOutput *out)
{
    return get_version(call, txn, in->arn, out);
}

/* ---- Lists ---- */

Error lambda_list_layer_versions(Call *call, Txn *txn, const ListLayerVersionsInput *in, ListLayerVersionsOutput *out)
{
    LayerName name;
    FunctionPage page;
    LayerVersion *layers;
    size_t count;
    LayerFilter filter = {in->compatible_runtime, in->compatible_architecture};
    TRY(lambda_read_own_layer(call, in->layer_name, &name));
    TRY(lambda_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(layer_list_versions(txn, name.account, name.region, name.name, &filter, &page, &layers, &count));
    out->layer_versions = (LambdaLayerVersionsList){ARENA_ARRAY(call->arena, LambdaLayerVersion, count + 1), count};
    for (size_t i = 0; i < count; i++)
        show(call, &layers[i], &out->layer_versions.items[i]);
    out->next_marker = lambda_page_marker(call, &page);
    return OK;
}

Error lambda_list_layers(Call *call, Txn *txn, const ListLayersInput *in, ListLayersOutput *out)
{
    FunctionPage page;
    LayerVersion *layers;
    size_t count;
    LayerFilter filter = {in->compatible_runtime, in->compatible_architecture};
    TRY(lambda_page_start(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(layer_list(txn, call->actor.account, call->actor.region, &filter, &page, &layers, &count));
    out->layers = (LambdaLayersList){ARENA_ARRAY(call->arena, LambdaLayersListItem, count + 1), count};
    for (size_t i = 0; i < count; i++) {
        LambdaLayersListItem *item = &out->layers.items[i];
        item->layer_name = layers[i].name;
        item->layer_arn = layer_arn(call->arena, layers[i].account, layers[i].region, layers[i].name);
        item->latest_matching_version = ARENA_NEW(call->arena, LambdaLayerVersion);
        show(call, &layers[i], item->latest_matching_version);
    }
    out->next_marker = lambda_page_marker(call, &page);
    return OK;
}

/* ---- Deleting ---- */

Error lambda_delete_layer_version(Call *call, Txn *txn, const DeleteLayerVersionInput *in,
                                  DeleteLayerVersionOutput *out)
{
    (void)out;
    LayerName name;
    TRY(lambda_check_layer_version(call, in->version_number));
    TRY(lambda_read_own_layer(call, in->layer_name, &name));
    return layer_delete(txn, name.account, name.region, name.name, (uint64_t)in->version_number);
}
