/* settings.h: what `brume start` was told, by the command line, the environment and the configuration file.
 *
 * One table of options (start_options) defines the three. The command line goes before the environment, that before the
 * file, that before the defaults. Read once, before anything runs. */
#ifndef BRUME_CLI_SETTINGS_H
#define BRUME_CLI_SETTINGS_H

#include "aws/wire/authenticate.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/command.h"
#include "runtime/catalog.h"

enum { THREADS_MAX = 64, ORIGINS_MAX = 16, REACHABLE_MAX = 16, MAPPINGS_MAX = 16, RUNTIMES_MAX = 8 };

typedef struct Settings {
    const char *data;
    const char *listen;
    AuthMode auth;
    bool virtual_clock;
    bool insecure_listen;
    const char *tls_certificate; /* files in PEM form; both or none */
    const char *tls_key;
    unsigned threads; /* event loops */
    uint64_t cache_bytes;
    LogFormat log_format;
    LogLevel log_level;
    const char *log_file; /* NULL: standard error */
    Limits limits;
    Slice origins[ORIGINS_MAX]; /* whose pages may call (aws/wire/wire.h) */
    size_t origin_count;
    Slice root_access_key_id; /* absent: none */
    Slice root_secret;
    /* Functions. */
    Isolation isolation;
    NetworkMode network; /* NETWORK_DEFAULT: by what `listen` is */
    Slice reachable[REACHABLE_MAX];
    size_t reachable_count;
    RuntimeMapping mappings[MAPPINGS_MAX];
    size_t mapping_count;
    Slice runtimes[RUNTIMES_MAX]; /* directories */
    size_t runtimes_count;
    uint64_t prestart;
    const char *function_log; /* NULL: the server's log, "-": standard output */
} Settings;

extern const Option start_options[];

/* Gives false and one line that says what to do. Slices and strings live in the invocation's arena. */
bool settings_read(const CommandLine *invocation, Os *os, Settings *settings, Slice *message);

/* Who can reach the address "HOST:PORT": this machine alone, or others; or it is none (names are not looked up). */
typedef enum AddressReach { ADDRESS_NONE, ADDRESS_LOOPBACK, ADDRESS_OPEN } AddressReach;
AddressReach address_reach(const char *address);

#endif
