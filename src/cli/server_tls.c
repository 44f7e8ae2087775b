/* The server's certificate: loaded at the start, and again when the operator says so. */
#include "base/time_format.h"
#include "cli/server.h"

/* Tells the log what came of it. */
static void report_load(Server *server, const TlsLoad *load)
{
    for (size_t i = 0; i < load->warning_count; i++)
        LOG(&server->log, WARNING, "tls_certificate", log_text("problem", load->warnings[i]));
    char expires[TIME_TEXT_MAX];
    LOG(&server->log, INFO, "tls_loaded", log_text("subject", load->subject),
        log_text("expires", time_format_iso(load->expires_ms, expires)));
}

bool server_tls_open(Server *server, Slice *message)
{
    const Settings *settings = &server->settings;
    if (settings->tls_certificate == NULL)
        return true;
    TlsLoad load;
    server->tls = tls_context_make(server->os, settings->tls_certificate, settings->tls_key);
    if (tls_context_load(server->tls, &server->arena, &load)) {
        report_load(server, &load);
        return true;
    }
    *message = load.problem;
    tls_context_free(server->tls);
    server->tls = NULL;
    return false;
}

void server_tls_reload(Server *server)
{
    if (server->tls == NULL)
        return;
    Arena arena = arena_make();
    TlsLoad load;
    if (tls_context_load(server->tls, &arena, &load)) {
        report_load(server, &load);
        server_trust_lay_out(server);
    } else {
        LOG(&server->log, ERROR, "tls_kept", log_text("problem", load.problem));
    }
    arena_free(&arena);
}
