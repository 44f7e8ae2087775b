#include "cli/command.h"
#include "net/tls_self_signed.h"
#include "os/os.h"

#include <stdio.h>
#include <unistd.h>

enum { DAYS_DEFAULT = 365, DAYS_MAX = 3650 };

static const Option tls_options[] = {
    {.name = "name",
     .argument = "HOST",
     .help = "A name or address that clients use, beside localhost, 127.0.0.1 and ::1. May be given several times."},
    {.name = "days",
     .argument = "N",
     .fallback = "365",
     .help = "How long the certificate is valid, at most 3650 days."},
    {.name = "directory", .argument = "DIR", .fallback = "the current one", .help = "Where cert.pem and key.pem go."},
    {.name = "force", .help = "Writes over files that are there."},
    {0},
};

/* ---- Reading what was typed ---- */

static bool read_days(const CommandLine *invocation, unsigned *days)
{
    const char *text = invocation_value(invocation, "days");
    uint64_t number = DAYS_DEFAULT;
    if (text != NULL && (!slice_parse_uint64(slice_of_string(text), &number) || number < 1 || number > DAYS_MAX))
        return false;
    *days = (unsigned)number;
    return true;
}

static size_t read_names(const CommandLine *invocation, const char *names[GIVEN_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < invocation->given_count; i++)
        if (strcmp(invocation->given[i].option->name, "name") == 0)
            names[count++] = invocation->given[i].value;
    return count;
}

/* ---- Writing the files ---- */

/* The key goes first: a certificate without its key serves nobody. */
static int write_files(const char *certificate_path, Slice certificate, const char *key_path, Slice key)
{
    const struct {
        const char *path;
        Slice content;
        unsigned mode;
    } files[] = {{key_path, key, 0600}, {certificate_path, certificate, 0644}};
    for (size_t i = 0; i < 2; i++) {
        Error error = os_write_file(os_linux(), files[i].path, files[i].content, files[i].mode);
        if (error != OK)
            return command_fail("cannot write %s: %s", files[i].path, error_text(error));
    }
    return EXIT_OK;
}

static void print_advice(const char *certificate_path, const char *key_path, unsigned days)
{
    printf("certificate: %s (valid for %u days; give it to clients)\n"
           "key:         %s (keep it to yourself)\n\n"
           "Start a server with them:\n"
           "  brume start --tls-cert %s --tls-key %s\n\n"
           "Clients trust it with one of:\n"
           "  export AWS_CA_BUNDLE=%s          # AWS CLI, SDK for Python\n"
           "  export NODE_EXTRA_CA_CERTS=%s    # Node.js\n"
           "  boto3.client(..., verify=\"%s\")\n"
           "  curl --cacert %s\n",
           certificate_path, days, key_path, certificate_path, key_path, certificate_path, certificate_path,
           certificate_path, certificate_path);
}

static int make_self_signed(const CommandLine *invocation)
{
    Arena *arena = invocation->arena;
    const char *names[GIVEN_MAX];
    TlsSelfSigned wanted = {.names = names, .name_count = read_names(invocation, names)};
    if (!read_days(invocation, &wanted.days))
        return command_misused(invocation->command, "--days takes a number from 1 to %d", DAYS_MAX);
    const char *directory = invocation_value(invocation, "directory");
    if (directory != NULL) {
        Error error = os_make_directory(os_linux(), directory);
        if (error != OK)
            return command_fail("cannot make the directory %s: %s", directory, error_text(error));
    }
    char current[4096];
    if (directory == NULL && (directory = getcwd(current, sizeof current)) == NULL)
        return command_fail("the current directory is gone: name one with --directory DIR");
    const char *certificate_path = arena_format(arena, "%s/cert.pem", directory).data;
    const char *key_path = arena_format(arena, "%s/key.pem", directory).data;
    bool forced = invocation_value(invocation, "force") != NULL;
    for (int i = 0; i < 2 && !forced; i++) {
        const char *path = i == 0 ? certificate_path : key_path;
        if (access(path, F_OK) == 0)
            return command_fail("%s is there already: add --force to write over it, or choose another --directory",
                                path);
    }
    Slice certificate;
    Slice key;
    const char *bad_name;
    if (tls_self_signed(os_linux(), &wanted, arena, &certificate, &key, &bad_name) != OK)
        return command_misused(invocation->command, "'%s' is no host name and no address", bad_name);
    int code = write_files(certificate_path, certificate, key_path, key);
    if (code == EXIT_OK)
        print_advice(certificate_path, key_path, wanted.days);
    return code;
}

static int run_tls(const CommandLine *invocation)
{
    if (strcmp(invocation->words[0], "self-signed") != 0)
        return command_misused(invocation->command, "`brume tls` knows self-signed, not '%s'", invocation->words[0]);
    return make_self_signed(invocation);
}

const Command command_tls = {
    .name = "tls",
    .words = "self-signed",
    .summary = "Makes a certificate and a key, for a server whose clients you know.",
    .details =
        "Writes cert.pem and key.pem, for `brume start --tls-cert cert.pem --tls-key key.pem`. Clients must be told "
        "to trust cert.pem. For a server that others use, take a certificate of an authority that they trust.",
    .options = tls_options,
    .words_min = 1,
    .words_max = 1,
    .run = run_tls,
};
