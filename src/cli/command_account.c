#include "base/time_format.h"
#include "cli/admin_client.h"
#include "cli/command.h"
#include "cli/data_directory.h"
#include "cli/json_fields.h"

#include <stdio.h>

static const Option account_options[] = {
    OPTION_DATA,
    {.name = "id",
     .argument = "DIGITS",
     .help = "The account's 12 digits. create: chosen when not given; limit, limits: 000000000000."},
    {.name = "name", .argument = "NAME", .help = "create: what to call it."},
    {0},
};

static const Option key_options[] = {
    OPTION_DATA,
    {.name = "account", .argument = "DIGITS", .fallback = "000000000000", .help = "create, list: whose keys."},
    {0},
};

/* What a command asks: {"name":"value",…}, absent values left out. */
static Slice document_of(Arena *arena, const char *const *names, const char *const *values, size_t count)
{
    Buffer out = buffer_make(arena);
    JsonWriter writer = json_writer(&out);
    json_write_object_begin(&writer);
    for (size_t i = 0; i < count; i++) {
        if (values[i] == NULL)
            continue;
        json_write_name(&writer, slice_of_string(names[i]));
        json_write_string(&writer, slice_of_string(values[i]));
    }
    json_write_object_end(&writer);
    return buffer_slice(&out);
}

/* Asks the server; prints what went wrong. */
static bool ask(const CommandLine *invocation, const char *path, const char *const *names, const char *const *values,
                size_t count, Slice *answer)
{
    const char *data = data_directory_of(invocation);
    Slice message;
    for (size_t i = 0; i < count; i++) {
        if (values[i] != NULL && !utf8_is_valid(slice_of_string(values[i]))) {
            command_fail("the %s is not valid UTF-8", names[i]);
            return false;
        }
    }
    if (data == NULL) {
        command_fail("there is no home directory: name the server's data directory with --data DIR");
        return false;
    }
    if (admin_call(data, path, document_of(invocation->arena, names, values, count), invocation->arena, answer,
                   &message))
        return true;
    command_fail("%.*s", SLICE_PRINT(message));
    return false;
}

static int fail_unreadable(void)
{
    return command_fail("the server's answer cannot be read: is it of another version?");
}

static Slice time_of(Slice created_ms, char text[TIME_TEXT_MAX])
{
    uint64_t ms;
    return slice_parse_uint64(created_ms, &ms) ? time_format_iso((int64_t)ms, text) : SLICE("-");
}

/* Calls `print` for each object of the array that the answer holds as its one member. */
static Error each_entry(Slice answer, Arena *arena, JsonField *fields, size_t count,
                        void (*print)(const JsonField *fields))
{
    JsonReader reader = json_reader(answer, arena);
    Slice name;
    bool more;
    TRY(json_begin_object(&reader));
    TRY(json_next_member(&reader, &name));
    TRY(json_begin_array(&reader));
    for (;;) {
        TRY(json_next_element(&reader, &more));
        if (!more)
            return OK;
        TRY(json_read_fields(&reader, fields, count));
        print(fields);
    }
}

/* ---- account ---- */

static int create_account(const CommandLine *invocation)
{
    Slice answer;
    if (!ask(invocation, "/account/create", (const char *[]){"id", "name"},
             (const char *[]){invocation_value(invocation, "id"), invocation_value(invocation, "name")}, 2, &answer))
        return EXIT_FAILED;
    JsonField fields[] = {{.name = SLICE("id")}};
    if (json_read_document(answer, invocation->arena, fields, 1) != OK)
        return fail_unreadable();
    printf("%.*s\n", SLICE_PRINT(fields[0].text));
    return EXIT_OK;
}

static void print_account(const JsonField *fields)
{
    char text[TIME_TEXT_MAX];
    Slice created = time_of(fields[2].text, text);
    printf("%.*s  %-20.*s  %.*s\n", SLICE_PRINT(fields[0].text), SLICE_PRINT(created), SLICE_PRINT(fields[1].text));
}

/* The server lists by pages, each asked for with the last id of the one before. */
static int list_accounts(const CommandLine *invocation)
{
    JsonField fields[] = {{.name = SLICE("id")}, {.name = SLICE("name")}, {.name = SLICE("created_ms")}};
    const char *after = NULL;
    for (;;) {
        Slice answer;
        if (!ask(invocation, "/account/list", (const char *[]){"after"}, &after, 1, &answer))
            return EXIT_FAILED;
        fields[0].text = (Slice){0};
        if (each_entry(answer, invocation->arena, fields, 3, print_account) != OK)
            return fail_unreadable();
        if (fields[0].text.data == NULL)
            return EXIT_OK;
        after = arena_string(invocation->arena, fields[0].text);
    }
}

static int change_limit(const CommandLine *invocation)
{
    if (invocation->word_count < 3)
        return command_misused(invocation->command,
                               "`brume account limit` needs the limit's name and its value, a number or `default`");
    Slice answer;
    return ask(invocation, "/account/limit", (const char *[]){"id", "name", "value"},
               (const char *[]){invocation_value(invocation, "id"), invocation->words[1], invocation->words[2]}, 3,
               &answer)
               ? EXIT_OK
               : EXIT_FAILED;
}

static void print_limit(const JsonField *fields)
{
    printf("%.*s %.*s\n", SLICE_PRINT(fields[0].text), SLICE_PRINT(fields[1].text));
}

static int list_limits(const CommandLine *invocation)
{
    Slice answer;
    if (!ask(invocation, "/account/limits", (const char *[]){"id"},
             (const char *[]){invocation_value(invocation, "id")}, 1, &answer))
        return EXIT_FAILED;
    JsonField fields[] = {{.name = SLICE("name")}, {.name = SLICE("value")}};
    return each_entry(answer, invocation->arena, fields, 2, print_limit) == OK ? EXIT_OK : fail_unreadable();
}

static int run_account(const CommandLine *invocation)
{
    if (strcmp(invocation->words[0], "limit") == 0)
        return change_limit(invocation);
    if (invocation->word_count > 1)
        return command_misused(invocation->command, "`brume account %s` has no use for '%s'", invocation->words[0],
                               invocation->words[1]);
    if (strcmp(invocation->words[0], "limits") == 0)
        return list_limits(invocation);
    if (strcmp(invocation->words[0], "create") == 0)
        return create_account(invocation);
    if (strcmp(invocation->words[0], "list") == 0)
        return list_accounts(invocation);
    return command_misused(invocation->command, "`brume account` knows create, list, limit and limits, not '%s'",
                           invocation->words[0]);
}

const Command command_account = {
    .name = "account",
    .words = "create | list | limit NAME VALUE | limits",
    .summary = "Makes and lists accounts of a running server, and sets their limits.",
    .details = "Each account is a key space of its own. Account 000000000000 is always there. `create` prints the new "
               "account's 12 digits; `list` prints id, creation time and name. `limit` gives an account a limit of its "
               "own (`brume help start` lists them), or the default again when VALUE is `default`; `limits` prints "
               "those that are not the default.",
    .options = account_options,
    .words_min = 1,
    .words_max = 3,
    .run = run_account,
};

/* ---- key ---- */

static int create_key(const CommandLine *invocation)
{
    Slice answer;
    if (!ask(invocation, "/key/create", (const char *[]){"account"},
             (const char *[]){invocation_value(invocation, "account")}, 1, &answer))
        return EXIT_FAILED;
    JsonField fields[] = {{.name = SLICE("id")}, {.name = SLICE("secret")}};
    if (json_read_document(answer, invocation->arena, fields, 2) != OK)
        return fail_unreadable();
    printf("AWS_ACCESS_KEY_ID=%.*s\nAWS_SECRET_ACCESS_KEY=%.*s\n", SLICE_PRINT(fields[0].text),
           SLICE_PRINT(fields[1].text));
    return EXIT_OK;
}

static void print_key(const JsonField *fields)
{
    char text[TIME_TEXT_MAX];
    Slice created = time_of(fields[1].text, text);
    printf("%.*s  %.*s\n", SLICE_PRINT(fields[0].text), SLICE_PRINT(created));
}

static int list_keys(const CommandLine *invocation)
{
    Slice answer;
    if (!ask(invocation, "/key/list", (const char *[]){"account"},
             (const char *[]){invocation_value(invocation, "account")}, 1, &answer))
        return EXIT_FAILED;
    JsonField fields[] = {{.name = SLICE("id")}, {.name = SLICE("created_ms")}};
    return each_entry(answer, invocation->arena, fields, 2, print_key) == OK ? EXIT_OK : fail_unreadable();
}

static int revoke_key(const CommandLine *invocation)
{
    if (invocation->word_count < 2)
        return command_misused(invocation->command, "`brume key revoke` needs the key's id behind it");
    Slice answer;
    return ask(invocation, "/key/revoke", (const char *[]){"id"}, &invocation->words[1], 1, &answer) ? EXIT_OK
                                                                                                     : EXIT_FAILED;
}

static int run_key(const CommandLine *invocation)
{
    const char *word = invocation->words[0];
    if (strcmp(word, "revoke") == 0)
        return revoke_key(invocation);
    if (invocation->word_count > 1)
        return command_misused(invocation->command, "`brume key %s` has no use for '%s'", word, invocation->words[1]);
    if (strcmp(word, "create") == 0)
        return create_key(invocation);
    if (strcmp(word, "list") == 0)
        return list_keys(invocation);
    return command_misused(invocation->command, "`brume key` knows create, revoke and list, not '%s'", word);
}

const Command command_key = {
    .name = "key",
    .words = "create | revoke ID | list",
    .summary = "Makes, revokes and lists access keys of a running server.",
    .details = "`create` prints the key as the variables that AWS tools read; the secret is shown this once. A revoked "
               "key is refused from the next request on.",
    .options = key_options,
    .words_min = 1,
    .words_max = 2,
    .run = run_key,
};
