/* tls_self_signed.h: certificates for servers that only their own users know. Any thread; no I/O. */
#ifndef BRUME_NET_TLS_SELF_SIGNED_H
#define BRUME_NET_TLS_SELF_SIGNED_H

#include "base/arena.h"
#include "base/error.h"
#include "os/os.h"

typedef struct TlsSelfSigned {
    const char *const *names; /* host names ("*.example.test" too) and addresses, beside localhost, 127.0.0.1 and ::1 */
    size_t name_count;
    unsigned days; /* valid for so long, from an hour ago on, as clocks differ */
} TlsSelfSigned;

/* Makes a key (ECDSA on P-256) and a certificate for it that it has signed itself (RFC 5280), both in PEM form in the
 * arena. The certificate is of a server and no authority: who trusts it trusts that one server.
 * ERROR_MALFORMED: `*bad_name` is neither a host name nor an address. */
Error tls_self_signed(Os *os, const TlsSelfSigned *wanted, Arena *arena, Slice *certificate, Slice *key,
                      const char **bad_name);

#endif
