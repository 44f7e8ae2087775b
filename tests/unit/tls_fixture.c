#include "tls_fixture.h"

#include "base/bug.h"
#include "net/tls_self_signed.h"

#include <dirent.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void tls_files_renew(const TlsFiles *files, const char *name)
{
    Arena arena = arena_make();
    Slice certificate;
    Slice key;
    const char *bad_name;
    TlsSelfSigned wanted = {.names = &name, .name_count = 1, .days = 1};
    ASSERT(tls_self_signed(os_linux(), &wanted, &arena, &certificate, &key, &bad_name) == OK);
    ASSERT(os_write_file(os_linux(), files->certificate, certificate, 0644) == OK);
    ASSERT(os_write_file(os_linux(), files->key, key, 0600) == OK);
    arena_free(&arena);
}

void tls_files_make(TlsFiles *files)
{
    snprintf(files->directory, sizeof files->directory, "/tmp/brume-tls-XXXXXX");
    ASSERT(mkdtemp(files->directory) != NULL);
    snprintf(files->certificate, sizeof files->certificate, "%s/cert.pem", files->directory);
    snprintf(files->key, sizeof files->key, "%s/key.pem", files->directory);
    tls_files_renew(files, "first.test");
}

void tls_files_remove(TlsFiles *files)
{
    DIR *directory = opendir(files->directory);
    ASSERT(directory != NULL);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
    rmdir(files->directory);
}

const char *tls_files_write(const TlsFiles *files, const char *name, Slice content, unsigned mode)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", files->directory, name);
    ASSERT(os_write_file(os_linux(), path, content, mode) == OK);
    return path;
}

TlsContext *tls_files_context(const TlsFiles *files)
{
    Arena arena = arena_make();
    TlsLoad load;
    TlsContext *context = tls_context_make(os_linux(), files->certificate, files->key);
    ASSERT(tls_context_load(context, &arena, &load) && load.warning_count == 0);
    arena_free(&arena);
    return context;
}

SSL_CTX *tls_client_context(int lowest, int highest)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    ASSERT(context != NULL);
    SSL_CTX_set_security_level(context, 0); /* may offer what the server must refuse */
    ASSERT(SSL_CTX_set_min_proto_version(context, lowest) == 1 && SSL_CTX_set_max_proto_version(context, highest) == 1);
    return context;
}

char *tls_client_saw(const SSL *client)
{
    X509 *certificate = SSL_get1_peer_certificate(client);
    char name[128] = "";
    ASSERT(certificate != NULL);
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
    X509_free(certificate);
    return strdup(name);
}
