#include "cli/admin_list.h"

#include "base/json.h"
#include "cli/admin_client.h"
#include "cli/data_directory.h"

/* Where the next page begins. */
typedef struct Place {
    Slice region;       /* absent: the first behind `after_region` */
    Slice after_region; /* "" at first */
    Slice after;        /* absent: from the first one */
} Place;

static void write_text(JsonWriter *writer, Slice name, Slice value)
{
    if (value.data == NULL)
        return;
    json_write_name(writer, name);
    json_write_string(writer, value);
}

static Slice document_of(Arena *arena, const AdminList *list, const Place *place)
{
    Buffer out = buffer_make(arena);
    JsonWriter writer = json_writer(&out);
    json_write_object_begin(&writer);
    write_text(&writer, SLICE("account"), list->account);
    write_text(&writer, SLICE("region"), place->region);
    write_text(&writer, SLICE("after_region"), place->after_region);
    write_text(&writer, SLICE("after"), place->after);
    json_write_object_end(&writer);
    return buffer_slice(&out);
}

static Error take_all(JsonReader *reader, const AdminList *list)
{
    TRY(json_begin_array(reader));
    for (bool more;;) {
        Slice document;
        TRY(json_next_element(reader, &more));
        if (!more)
            return OK;
        TRY(json_read_any(reader, &document));
        TRY(list->take(list->user, document));
    }
}

/* `region` and `after` are the answer's. */
static Error read_page(Arena *arena, const AdminList *list, Slice answer, Slice *region, Slice *after)
{
    JsonReader reader = json_reader(answer, arena);
    *region = *after = (Slice){0};
    TRY(json_begin_object(&reader));
    for (;;) {
        Slice name;
        TRY(json_next_member(&reader, &name));
        if (name.data == NULL)
            return json_read_end(&reader);
        if (slice_equal(name, list->members))
            TRY(take_all(&reader, list));
        else
            TRY(json_read_string(&reader, slice_equal(name, SLICE("region")) ? region : after));
    }
}

int admin_list_all(const CommandLine *invocation, const char *data_directory, const AdminList *list)
{
    Place place = {.region = list->region, .after_region = SLICE("")};
    for (;;) {
        Slice answer;
        Slice message;
        Slice region;
        if (!admin_call(data_directory, list->path, document_of(invocation->arena, list, &place), invocation->arena,
                        &answer, &message))
            return command_fail("%.*s", SLICE_PRINT(message));
        if (read_page(invocation->arena, list, answer, &region, &place.after) != OK)
            return command_fail("the server's answer cannot be read: is it of another version?");
        if (place.after.data != NULL) {
            place.region = region;
            continue;
        }
        if (list->region.data != NULL || region.data == NULL)
            return EXIT_OK;
        place.region = (Slice){0};
        place.after_region = region;
    }
}

static Slice option_of(const CommandLine *invocation, const char *name)
{
    const char *value = invocation_value(invocation, name);
    return value == NULL ? (Slice){0} : slice_of_string(value);
}

bool admin_list_options(const CommandLine *invocation, AdminList *list, const char **data_directory, int *code)
{
    list->account = option_of(invocation, "account");
    list->region = option_of(invocation, "region");
    *data_directory = data_directory_of(invocation);
    *code = EXIT_OK;
    if (*data_directory == NULL)
        *code = command_fail("there is no home directory: name the server's data directory with --data DIR");
    else if (!utf8_is_valid(list->region) || !utf8_is_valid(list->account))
        *code = command_misused(invocation->command, "the account or the region is not valid UTF-8");
    return *code == EXIT_OK;
}
