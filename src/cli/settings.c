#include "cli/settings.h"

#include "cli/data_directory.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    CONFIG_MAX = 1024 * 1024,
    CACHE_MB_MAX = 1024 * 1024,
    SOCKET_PATH_MAX = 107,
    KEY_ID_MAX = 128,
    PRESTART_MAX = 64,
    PRESTART = 2
};

/* ---- Reading values ---- */

static bool read_number(const char *text, uint64_t lowest, uint64_t highest, uint64_t *number)
{
    return slice_parse_uint64(slice_of_string(text), number) && *number >= lowest && *number <= highest;
}

static bool read_choice(const char *text, const char *const *choices, size_t count, unsigned *choice)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, choices[i]) == 0) {
            *choice = (unsigned)i;
            return true;
        }
    }
    return false;
}

static bool read_switch(const char *text, bool *on)
{
    static const char *const choices[] = {"false", "true", "0", "1"};
    unsigned choice;
    if (!read_choice(text, choices, 4, &choice))
        return false;
    *on = choice % 2 == 1;
    return true;
}

static bool read_data(void *settings, const char *value)
{
    ((Settings *)settings)->data = value;
    return value[0] != '\0';
}

static bool read_listen(void *settings, const char *value)
{
    const char *colon = strrchr(value, ':');
    uint64_t port;
    ((Settings *)settings)->listen = value;
    return colon != NULL && colon > value && read_number(colon + 1, 0, 65535, &port);
}

static bool read_auth(void *settings, const char *value)
{
    static const char *const choices[] = {[AUTH_OPEN] = "open", [AUTH_SIGNED] = "signed"};
    unsigned choice;
    if (!read_choice(value, choices, 2, &choice))
        return false;
    ((Settings *)settings)->auth = (AuthMode)choice;
    return true;
}

static bool read_virtual_clock(void *settings, const char *value)
{
    return read_switch(value, &((Settings *)settings)->virtual_clock);
}

static bool read_insecure_listen(void *settings, const char *value)
{
    return read_switch(value, &((Settings *)settings)->insecure_listen);
}

static bool read_tls_certificate(void *settings, const char *value)
{
    ((Settings *)settings)->tls_certificate = value;
    return value[0] != '\0';
}

static bool read_tls_key(void *settings, const char *value)
{
    ((Settings *)settings)->tls_key = value;
    return value[0] != '\0';
}

static bool read_threads(void *settings, const char *value)
{
    uint64_t number;
    if (!read_number(value, 1, THREADS_MAX, &number))
        return false;
    ((Settings *)settings)->threads = (unsigned)number;
    return true;
}

static bool read_cache(void *settings, const char *value)
{
    uint64_t number;
    if (!read_number(value, 1, CACHE_MB_MAX, &number))
        return false;
    ((Settings *)settings)->cache_bytes = number << 20;
    return true;
}

static bool read_log_format(void *settings, const char *value)
{
    return log_format_parse(slice_of_string(value), &((Settings *)settings)->log_format);
}

static bool read_log_level(void *settings, const char *value)
{
    return log_level_parse(slice_of_string(value), &((Settings *)settings)->log_level);
}

static bool read_log_file(void *settings, const char *value)
{
    ((Settings *)settings)->log_file = value;
    return value[0] != '\0';
}

/* A scheme, a host, perhaps a port, as browsers write it, or "*". */
static bool is_origin(Slice text)
{
    if (slice_equal(text, SLICE("*")))
        return true;
    size_t scheme = slice_starts_with(text, SLICE("http://"))    ? SLICE("http://").size
                    : slice_starts_with(text, SLICE("https://")) ? SLICE("https://").size
                                                                 : text.size;
    Slice host = slice_skip(text, scheme);
    for (size_t i = 0; i < host.size; i++)
        if (host.data[i] <= ' ' || host.data[i] > '~' || strchr("/?#@,", host.data[i]) != NULL)
            return false;
    return host.size > 0;
}

static bool read_origin(void *settings_, const char *value)
{
    Settings *settings = settings_;
    Slice origin = slice_of_string(value);
    if (!is_origin(origin) || settings->origin_count == ORIGINS_MAX)
        return false;
    settings->origins[settings->origin_count++] = origin;
    return true;
}

/* "NAME=VALUE" */
static bool read_limit(void *settings, const char *value)
{
    const char *equal_sign = strchr(value, '=');
    uint64_t number;
    return equal_sign != NULL && read_number(equal_sign + 1, 0, UINT64_MAX, &number) &&
           limits_set(&((Settings *)settings)->limits, slice_make(value, (size_t)(equal_sign - value)), number);
}

/* ---- Functions ---- */

static bool read_isolation(void *settings, const char *value)
{
    static const char *const choices[] = {[ISOLATION_REQUIRED] = "required", [ISOLATION_AVAILABLE] = "available"};
    unsigned choice;
    if (!read_choice(value, choices, 2, &choice))
        return false;
    ((Settings *)settings)->isolation = (Isolation)choice;
    return true;
}

static bool read_network(void *settings, const char *value)
{
    static const char *const choices[] = {"host", "isolated"};
    static const NetworkMode modes[] = {NETWORK_HOST, NETWORK_ISOLATED};
    unsigned choice;
    if (!read_choice(value, choices, 2, &choice))
        return false;
    ((Settings *)settings)->network = modes[choice];
    return true;
}

static bool read_reachable(void *settings_, const char *value)
{
    Settings *settings = settings_;
    if (address_reach(value) == ADDRESS_NONE || settings->reachable_count == REACHABLE_MAX)
        return false;
    settings->reachable[settings->reachable_count++] = slice_of_string(value);
    return true;
}

/* "nodejs22.x=/path/of/node" */
static bool read_runtime(void *settings_, const char *value)
{
    Settings *settings = settings_;
    Slice text = slice_of_string(value);
    size_t equal_sign = slice_find(text, '=');
    if (equal_sign == 0 || equal_sign + 1 >= text.size || text.data[equal_sign + 1] != '/' ||
        settings->mapping_count == MAPPINGS_MAX)
        return false;
    settings->mappings[settings->mapping_count++] =
        (RuntimeMapping){{text.data, equal_sign}, slice_skip(text, equal_sign + 1)};
    return true;
}

static bool read_runtimes(void *settings_, const char *value)
{
    Settings *settings = settings_;
    if (value[0] != '/' || settings->runtimes_count == RUNTIMES_MAX)
        return false;
    settings->runtimes[settings->runtimes_count++] = slice_of_string(value);
    return true;
}

static bool read_prestart(void *settings, const char *value)
{
    return read_number(value, 0, PRESTART_MAX, &((Settings *)settings)->prestart);
}

static bool read_function_log(void *settings, const char *value)
{
    ((Settings *)settings)->function_log = value;
    return value[0] != '\0';
}

const Option start_options[] = {
    {"data", "DIR", "BRUME_DATA", "~/.local/share/brume", "Where the data lies; made when it is not there.", read_data,
     "a directory"},
    {"listen", "ADDRESS", "BRUME_LISTEN", "127.0.0.1:4566", "Where to listen; port 0 takes a free one.", read_listen,
     "HOST:PORT, as 127.0.0.1:4566 or [::1]:4566"},
    {"auth", "open|signed", "BRUME_AUTH", "open",
     "Whether signatures are verified. With `open` every request is let in, and an access key id of 12 digits is the "
     "account.",
     read_auth, "open or signed"},
    {"allow-origin", "ORIGIN", NULL, NULL,
     "With --auth open: lets web pages of this origin call, beside those of localhost, and lets the server be called "
     "by "
     "its host name. `*`: all. May be given several times.",
     read_origin, "an origin as http://console.example:3000, or there are more than 16"},
    {"virtual-clock", NULL, "BRUME_VIRTUAL_CLOCK", NULL, "Lets `brume clock` move the platform's time.",
     read_virtual_clock, "true or false"},
    {"threads", "N", "BRUME_THREADS", "one for two processors, at most 8", "Threads that serve connections.",
     read_threads, "a number from 1 to 64"},
    {"cache-mb", "N", "BRUME_CACHE_MB", "24", "Memory for data read from the disk, in MiB.", read_cache,
     "a number of MiB from 1 on"},
    {"limit", "NAME=VALUE", NULL, NULL,
     "Changes a limit or quota; may be given several times. In the file: `limit.NAME = VALUE`.", read_limit,
     "the NAME=VALUE of a limit that there is, as SQS_IN_FLIGHT=1000"},
    {"log-file", "FILE", "BRUME_LOG_FILE", "standard error",
     "Where log lines go. SIGHUP opens the file anew, so that it can be rotated.", read_log_file, "the path of a file"},
    {"log-format", "text|json", "BRUME_LOG_FORMAT", "text", "How log lines are written.", read_log_format,
     "text or json"},
    {"log-level", "error|warning|info|debug", "BRUME_LOG_LEVEL", "warning",
     "What is logged: this and what is more serious; debug is every request.", read_log_level,
     "error, warning, info or debug"},
    {"tls-cert", "FILE", "BRUME_TLS_CERT", NULL,
     "Speaks TLS at --listen, with this certificate and those between it and its root behind it, in PEM form. Needs "
     "--tls-key. SIGHUP reads both again.",
     read_tls_certificate, "a file"},
    {"tls-key", "FILE", "BRUME_TLS_KEY", NULL,
     "The certificate's private key, in PEM form. `brume tls self-signed` makes both.", read_tls_key, "a file"},
    {"insecure-listen", NULL, NULL, NULL,
     "Allows an address that other machines can reach without TLS. Needs --auth signed.", read_insecure_listen,
     "true or false"},
    {"isolation", "required|available", "BRUME_ISOLATION", "available",
     "How functions are kept apart: `required` refuses to start where this machine cannot give all of it, `available` "
     "takes what there is.",
     read_isolation, "required or available"},
    {"network", "host|isolated", "BRUME_NETWORK", "host where --listen is loopback, isolated elsewhere",
     "What functions reach: all that this machine does, or the server and --reachable alone. The tag `brume:network` "
     "of "
     "a function goes before it.",
     read_network, "host or isolated"},
    {"reachable", "HOST:PORT", NULL, NULL,
     "An address that functions of an isolated network reach besides; may be given several times.", read_reachable,
     "an address as 10.0.0.5:5432, or there are more than 16"},
    {"runtime", "NAME=PATH", NULL, NULL,
     "The program of a runtime, as nodejs22.x=/opt/node/bin/node; may be given several times.", read_runtime,
     "the NAME=PATH of a runtime and its program, or there are more than 16"},
    {"runtimes", "DIR", "BRUME_RUNTIMES", NULL,
     "A directory that `brume runtime install` installs into; may be given several times.", read_runtimes,
     "an absolute path, or there are more than 8"},
    {"prestart", "N", "BRUME_PRESTART", "2",
     "Processes that wait, already started, for each Node.js and Python in use.", read_prestart, "a number up to 64"},
    {"function-log", "FILE", "BRUME_FUNCTION_LOG", NULL,
     "Where what functions log goes, beside their log groups; `-`: standard output.", read_function_log,
     "the path of a file, or -"},
    {"config", "FILE", "BRUME_CONFIG", NULL,
     "Reads these options from a file too: lines of `name = value`, # comments.", NULL, NULL},
    {0},
};

/* ---- Where values come from ---- */

/* `where` names the place: "--threads", "$BRUME_THREADS", "brume.conf:3: threads". */
static bool apply(const Option *option, const char *value, const char *where, Settings *settings, Arena *arena,
                  Slice *message)
{
    if (option->read == NULL || option->read(settings, value))
        return true;
    *message = arena_format(arena, "%s: '%s' is not %s; see `brume help start`", where, value, option->expects);
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static Slice trim(Slice text)
{
    while (text.size > 0 && is_blank(text.data[0]))
        text = slice_skip(text, 1);
    while (text.size > 0 && is_blank(text.data[text.size - 1]))
        text.size--;
    return text;
}

/* Gives the option of a key of the file and the text that it reads; limit.NAME stands for limit with NAME=VALUE. */
static const Option *find_key(Slice key, Slice value, Arena *arena, const char **text)
{
    Slice limit = SLICE("limit.");
    *text = arena_string(arena, value);
    if (slice_starts_with(key, limit)) {
        Slice name = slice_skip(key, limit.size);
        *text = arena_format(arena, "%.*s=%s", SLICE_PRINT(name), *text).data;
        key = SLICE("limit");
    }
    for (const Option *option = start_options; option->name != NULL; option++)
        if (option->read != NULL && slice_equal(key, slice_of_string(option->name)))
            return option;
    return NULL;
}

static bool apply_file(const char *path, Slice content, Settings *settings, Arena *arena, Slice *message)
{
    for (int number = 1; content.size > 0; number++) {
        size_t end = slice_find(content, '\n');
        Slice line = trim((Slice){content.data, end});
        content = slice_skip(content, end < content.size ? end + 1 : end);
        if (line.size == 0 || line.data[0] == '#')
            continue;
        size_t equal_sign = slice_find(line, '=');
        if (equal_sign == line.size || memchr(line.data, '\0', line.size) != NULL) {
            *message = arena_format(arena, "%s:%d: expected `name = value`", path, number);
            return false;
        }
        Slice key = trim((Slice){line.data, equal_sign});
        const char *text;
        const Option *option = find_key(key, trim(slice_skip(line, equal_sign + 1)), arena, &text);
        if (option == NULL) {
            *message = arena_format(arena, "%s:%d: there is no setting '%.*s'; see `brume help start`", path, number,
                                    SLICE_PRINT(key));
            return false;
        }
        const char *where = arena_format(arena, "%s:%d: %.*s", path, number, SLICE_PRINT(key)).data;
        if (!apply(option, text, where, settings, arena, message))
            return false;
    }
    return true;
}

static bool read_file(const char *path, Os *os, Settings *settings, Arena *arena, Slice *message)
{
    Slice content;
    Error error = os_read_file(os, path, arena, CONFIG_MAX, &content);
    if (error != OK) {
        *message = arena_format(arena, "cannot read the configuration %s: %s; check the path given by --config", path,
                                error_text(error));
        return false;
    }
    return apply_file(path, content, settings, arena, message);
}

static bool apply_environment(Settings *settings, Arena *arena, Slice *message)
{
    for (const Option *option = start_options; option->name != NULL; option++) {
        const char *value = option->environment == NULL ? NULL : getenv(option->environment);
        if (value == NULL || value[0] == '\0')
            continue;
        if (!apply(option, value, arena_format(arena, "$%s", option->environment).data, settings, arena, message))
            return false;
    }
    return true;
}

static bool apply_command_line(const CommandLine *invocation, Settings *settings, Slice *message)
{
    for (size_t i = 0; i < invocation->given_count; i++) {
        const Given *given = &invocation->given[i];
        if (!apply(given->option, given->value, arena_format(invocation->arena, "--%s", given->option->name).data,
                   settings, invocation->arena, message))
            return false;
    }
    return true;
}

/* ---- What fits together ---- */

AddressReach address_reach(const char *address)
{
    const char *colon = strrchr(address, ':');
    char host[INET6_ADDRSTRLEN + 2];
    struct in_addr v4;
    struct in6_addr v6;
    if (colon == NULL || (size_t)(colon - address) >= sizeof host)
        return ADDRESS_NONE;
    size_t size = (size_t)(colon - address);
    memcpy(host, address, size);
    host[size] = '\0';
    if (inet_pton(AF_INET, host, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127 ? ADDRESS_LOOPBACK : ADDRESS_OPEN;
    if (size < 2 || host[0] != '[' || host[size - 1] != ']')
        return ADDRESS_NONE;
    host[size - 1] = '\0';
    if (inet_pton(AF_INET6, host + 1, &v6) != 1)
        return ADDRESS_NONE;
    return IN6_IS_ADDR_LOOPBACK(&v6) ? ADDRESS_LOOPBACK : ADDRESS_OPEN;
}

/* "localhost:4566" is what people write; it has two addresses, of which clients take either. */
static void replace_localhost(Settings *settings, Arena *arena)
{
    Slice name = SLICE("localhost:");
    Slice listen = slice_of_string(settings->listen);
    if (slice_starts_with(listen, name))
        settings->listen = arena_format(arena, "127.0.0.1:%s", settings->listen + name.size).data;
}

/* What no client can name in a signature is a slip of whoever set it (IAM API reference, AccessKey: AccessKeyId). */
static bool is_key_id(Slice id)
{
    for (size_t i = 0; i < id.size; i++) {
        char c = id.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return id.size <= KEY_ID_MAX;
}

static bool read_root_key(Settings *settings, Slice *message)
{
    const char *id = getenv("BRUME_ACCESS_KEY_ID");
    const char *secret = getenv("BRUME_SECRET_ACCESS_KEY");
    bool has_id = id != NULL && id[0] != '\0';
    bool has_secret = secret != NULL && secret[0] != '\0';
    if (has_id != has_secret) {
        *message = SLICE("BRUME_ACCESS_KEY_ID and BRUME_SECRET_ACCESS_KEY go together: set both, or neither");
        return false;
    }
    if (has_id && !is_key_id(slice_of_string(id))) {
        *message = SLICE("BRUME_ACCESS_KEY_ID may have letters, digits and underscores only, and 128 of them at most");
        return false;
    }
    if (has_id) {
        settings->root_access_key_id = slice_of_string(id);
        settings->root_secret = slice_of_string(secret);
    }
    return true;
}

static bool check(const Settings *settings, Arena *arena, Slice *message)
{
    if (settings->data == NULL) {
        *message = SLICE("there is no home directory for the data: name one with --data DIR");
        return false;
    }
    if (strlen(settings->data) + sizeof DATA_SOCKET > SOCKET_PATH_MAX) {
        *message = arena_format(arena,
                                "the path of the data directory is too long for the socket in it (at most %zu "
                                "bytes): choose another with --data DIR",
                                SOCKET_PATH_MAX - sizeof DATA_SOCKET);
        return false;
    }
    if ((settings->tls_certificate == NULL) != (settings->tls_key == NULL)) {
        *message = SLICE("--tls-cert and --tls-key go together: give both, or neither");
        return false;
    }
    AddressReach reach = address_reach(settings->listen);
    if (reach == ADDRESS_NONE) {
        *message = arena_format(arena, "%s is no address: write it as 127.0.0.1:4566 or [::1]:4566, without a name",
                                settings->listen);
        return false;
    }
    if (reach == ADDRESS_LOOPBACK)
        return true;
    if (settings->tls_certificate == NULL && !settings->insecure_listen) {
        *message = arena_format(arena,
                                "other machines could reach %s without TLS: listen on 127.0.0.1, give --tls-cert and "
                                "--tls-key (`brume help tls`), or add --insecure-listen and --auth signed",
                                settings->listen);
        return false;
    }
    if (settings->auth != AUTH_SIGNED) {
        *message = arena_format(arena, "other machines could reach %s without a signature: add --auth signed",
                                settings->listen);
        return false;
    }
    return true;
}

bool settings_read(const CommandLine *invocation, Os *os, Settings *settings, Slice *message)
{
    Arena *arena = invocation->arena;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    *settings = (Settings){
        .data = data_directory_default(arena),
        .listen = "127.0.0.1:4566",
        /* The writer and the syncing thread want processors too: a second loop on two of them slows all by 10 %. */
        .threads = processors < 4    ? 1
                   : processors > 16 ? 8
                                     : (unsigned)processors / 2,
        .cache_bytes = 24u << 20,
        .log_level = LOG_LEVEL_WARNING,
        .limits = limits_default,
        .isolation = ISOLATION_AVAILABLE,
        .prestart = PRESTART,
    };
    const char *config = invocation_value(invocation, "config");
    if (config != NULL && !read_file(config, os, settings, arena, message))
        return false;
    if (!apply_environment(settings, arena, message) || !apply_command_line(invocation, settings, message) ||
        !read_root_key(settings, message))
        return false;
    replace_localhost(settings, arena);
    return check(settings, arena, message);
}
