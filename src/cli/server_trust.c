/* Whom functions trust: their endpoint may have a certificate that no authority has signed. Beside the bootstraps, which
 * workers see, stands a file of the system's certificates and the server's own, and their environment names it. */
#include "cli/data_directory.h"
#include "cli/server.h"
#include "runtime/environment.h"

enum { FILE_BYTES_MAX = 4 << 20 };

/* Where distributions keep the certificates that programs trust: Debian and Alpine, Fedora, SUSE. */
static const char *const system_files[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

static size_t find(Slice text, Slice words)
{
    const char *place = memmem(text.data, text.size, words.data, words.size);
    return place == NULL ? text.size : (size_t)(place - text.data);
}

/* The certificates of a file in PEM form, and nothing else that may stand in it: a key, for one. */
static void add_certificates(Buffer *out, Slice text)
{
    Slice begin = SLICE("-----BEGIN CERTIFICATE-----");
    Slice end = SLICE("-----END CERTIFICATE-----");
    for (;;) {
        text = slice_skip(text, find(text, begin));
        size_t size = find(text, end);
        if (size == text.size)
            return;
        buffer_add(out, slice_make(text.data, size + end.size));
        buffer_add_byte(out, '\n');
        text = slice_skip(text, size + end.size);
    }
}

static bool add_file(Server *server, Buffer *out, const char *path)
{
    Slice text;
    if (os_read_file(server->os, path, out->arena, FILE_BYTES_MAX, &text) != OK)
        return false;
    add_certificates(out, text);
    return true;
}

static Error write_bundle(Server *server, const char *path, Arena *arena)
{
    Buffer out = buffer_make(arena);
    if (!add_file(server, &out, server->settings.tls_certificate))
        return OK; /* whoever loads it says why */
    bool has_system = false;
    for (size_t i = 0; i < sizeof system_files / sizeof *system_files && !has_system; i++)
        has_system = add_file(server, &out, system_files[i]);
    return os_write_file(server->os, path, buffer_slice(&out), 0644);
}

void server_trust_lay_out(Server *server)
{
    Arena arena = arena_make();
    const char *path = arena_format(&arena, "%s/" DATA_BOOTSTRAPS "/" TRUST_FILE, server->settings.data).data;
    Error error = OK;
    if (server->settings.tls_certificate != NULL)
        error = write_bundle(server, path, &arena);
    else if (os_remove_file(server->os, path) == ERROR_IO)
        error = ERROR_IO; /* it may as well not be there */
    if (error != OK)
        LOG(&server->log, ERROR, "trust_not_written", log_string("path", path),
            log_string("reason", error_text(error)));
    arena_free(&arena);
}
