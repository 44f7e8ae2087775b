#include "net/tls_internal.h"

#include "base/bug.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { FILE_MAX_BYTES = 1024 * 1024, NAME_MAX_BYTES = 512 };

/* Whoever gets hold of the key of tickets reads the TLS 1.2 sessions that were resumed by it (RFC 9325, 3.4). */
#define TICKET_KEY_NS (12ull * 3600 * 1000000000)

struct TlsContext {
    Os *os;
    char *certificate_path;
    char *key_path;
    BIO_METHOD *wire;
    pthread_mutex_t lock;
    SSL_CTX *current; /* under the lock; NULL before the first load */
    uint64_t made_ns; /* when it was made, by the monotonic clock */
};

/* ---- What may be agreed on ---- */

/* Forward secrecy and authenticated encryption only (RFC 9325, 4.2), as TLS 1.3 has it anyway; the faster first. */
#define CIPHERS                                                                                                        \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                                       \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE+CHACHA20"
#define CIPHERS_1_3 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
/* The larger curves cost the server more than they cost whoever asks for them. */
#define GROUPS "X25519:P-256:P-384"

static bool set_rules(SSL_CTX *ssl)
{
    static const unsigned char our_sessions[] = "brume";
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    /* Sessions are resumed by tickets: what there is to know of one is with its client. */
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(ssl, tls_session_choose_protocol, NULL);
    return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1 && SSL_CTX_set_cipher_list(ssl, CIPHERS) == 1 &&
           SSL_CTX_set_ciphersuites(ssl, CIPHERS_1_3) == 1 && SSL_CTX_set1_groups_list(ssl, GROUPS) == 1 &&
           SSL_CTX_set_session_id_context(ssl, our_sessions, sizeof our_sessions - 1) == 1;
}

/* ---- Reading the files ---- */

/* One load at work. */
typedef struct Loader {
    const TlsContext *context;
    Arena *arena;
    TlsLoad *load;
    SSL_CTX *ssl;
} Loader;

static bool refuse(const Loader *loader, const char *path, const char *what)
{
    loader->load->problem = arena_format(loader->arena, "%s %s", path, what);
    return false;
}

/* The same with OpenSSL's reason for its last error. */
static bool refuse_with_reason(const Loader *loader, const char *path, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    loader->load->problem =
        arena_format(loader->arena, "%s %s (%s)", path, what, reason == NULL ? "no reason is given" : reason);
    return false;
}

static void warn(const Loader *loader, const char *path, const char *what)
{
    ASSERT(loader->load->warning_count < TLS_WARNINGS);
    loader->load->warnings[loader->load->warning_count++] = arena_format(loader->arena, "%s %s", path, what);
}

/* The file as something to read PEM from; the bytes are in the arena. */
static BIO *open_file(const Loader *loader, const char *path, const char *option, Slice *content)
{
    Error error = os_read_file(loader->context->os, path, loader->arena, FILE_MAX_BYTES, content);
    if (error != OK) {
        loader->load->problem = arena_format(loader->arena, "%s cannot be read (%s): check the path given by %s", path,
                                             error_text(error), option);
        return NULL;
    }
    BIO *file = BIO_new_mem_buf(content->data, (int)content->size);
    ASSERT(file != NULL);
    return file;
}

/* Nobody sits before a server to type a password. */
static int no_password(char *password, int size, int writing, void *asked)
{
    (void)password;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

static EVP_PKEY *read_key(const Loader *loader)
{
    const char *path = loader->context->key_path;
    Slice content;
    bool asked = false;
    BIO *file = open_file(loader, path, "--tls-key", &content);
    if (file == NULL)
        return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(file, NULL, no_password, &asked);
    BIO_free(file);
    OPENSSL_cleanse((char *)content.data, content.size);
    if (key == NULL && asked)
        refuse(loader, path, "is encrypted with a password: write it without one (`openssl pkey -in FILE -out NEW`)");
    else if (key == NULL)
        refuse(loader, path, "holds no private key in PEM form: it begins with -----BEGIN PRIVATE KEY-----");
    return key;
}

/* The certificates behind the first: those that lead to its root. */
static bool read_chain(const Loader *loader, BIO *file)
{
    for (;;) {
        X509 *certificate = PEM_read_bio_X509(file, NULL, NULL, NULL);
        if (certificate == NULL)
            break;
        if (SSL_CTX_add0_chain_cert(loader->ssl, certificate) != 1) {
            X509_free(certificate);
            return refuse_with_reason(loader, loader->context->certificate_path, "has a chain that cannot be used");
        }
    }
    unsigned long end = ERR_peek_last_error();
    if (ERR_GET_LIB(end) != ERR_LIB_PEM || ERR_GET_REASON(end) != PEM_R_NO_START_LINE)
        return refuse_with_reason(loader, loader->context->certificate_path,
                                  "has a damaged certificate behind the first");
    ERR_clear_error();
    return true;
}

static bool use_both(const Loader *loader, X509 *certificate, EVP_PKEY *key)
{
    const TlsContext *context = loader->context;
    if (X509_check_private_key(certificate, key) != 1) {
        loader->load->problem = arena_format(
            loader->arena, "%s is not the key of the first certificate in %s: give the two that were made together",
            context->key_path, context->certificate_path);
        return false;
    }
    /* Refuses keys that are too short, among others. */
    if (SSL_CTX_use_certificate(loader->ssl, certificate) != 1)
        return refuse_with_reason(loader, context->certificate_path, "cannot be used");
    if (SSL_CTX_use_PrivateKey(loader->ssl, key) != 1)
        return refuse_with_reason(loader, context->key_path, "cannot be used");
    return true;
}

/* Whoever reads the key can pose as the server. A group that may read a key of root's was made for that, as Debian's
 * ssl-cert. */
static bool is_open_to_others(const char *key_path)
{
    struct stat status;
    if (stat(key_path, &status) != 0)
        return false;
    mode_t others = status.st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
    return (status.st_mode & others) != 0;
}

/* Tells of the certificate, and of what is wrong with it for a client but does not keep it from being served. */
static void describe(const Loader *loader, X509 *certificate)
{
    const TlsContext *context = loader->context;
    char subject[NAME_MAX_BYTES] = "";
    BIO *name = BIO_new(BIO_s_mem());
    ASSERT(name != NULL);
    X509_NAME_print_ex(name, X509_get_subject_name(certificate), 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
    int size = BIO_read(name, subject, sizeof subject - 1);
    BIO_free(name);
    loader->load->subject = arena_copy(loader->arena, slice_make(subject, size > 0 ? (size_t)size : 0));

    struct tm end = {0};
    time_t now = (time_t)(os_wall_ms(context->os) / 1000);
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1)
        loader->load->expires_ms = (int64_t)timegm(&end) * 1000;
    if (X509_cmp_time(X509_get0_notAfter(certificate), &now) < 0)
        warn(loader, context->certificate_path, "has expired: clients refuse it");
    if (X509_cmp_time(X509_get0_notBefore(certificate), &now) > 0)
        warn(loader, context->certificate_path, "is not valid yet: clients refuse it");
    if (is_open_to_others(context->key_path))
        warn(loader, context->key_path, "can be read or changed by others than its owner: chmod 600 it");
}

static bool read_files(const Loader *loader)
{
    const char *path = loader->context->certificate_path;
    Slice content;
    BIO *file = open_file(loader, path, "--tls-cert", &content);
    if (file == NULL)
        return false;
    bool used = false;
    X509 *certificate = PEM_read_bio_X509(file, NULL, NULL, NULL);
    if (certificate == NULL) {
        refuse(loader, path, "holds no certificate in PEM form: it begins with -----BEGIN CERTIFICATE-----");
    } else {
        EVP_PKEY *key = read_key(loader);
        used = key != NULL && use_both(loader, certificate, key) && read_chain(loader, file);
        EVP_PKEY_free(key);
    }
    if (used)
        describe(loader, certificate);
    X509_free(certificate);
    BIO_free(file);
    return used;
}

/* ---- Contexts ---- */

TlsContext *tls_context_make(Os *os, const char *certificate_path, const char *key_path)
{
    TlsContext *context = calloc(1, sizeof *context);
    ASSERT(context != NULL);
    context->os = os;
    context->certificate_path = strdup(certificate_path);
    context->key_path = strdup(key_path);
    context->wire = tls_session_wire_method();
    ASSERT(context->certificate_path != NULL && context->key_path != NULL);
    ASSERT(pthread_mutex_init(&context->lock, NULL) == 0);
    return context;
}

bool tls_context_load(TlsContext *context, Arena *arena, TlsLoad *load)
{
    *load = (TlsLoad){0};
    ERR_clear_error();
    SSL_CTX *ssl = SSL_CTX_new(TLS_server_method());
    ASSERT(ssl != NULL);
    Loader loader = {.context = context, .arena = arena, .load = load, .ssl = ssl};
    bool loaded = set_rules(ssl) && read_files(&loader);
    ASSERT(loaded || load->problem.size > 0);
    if (loaded) {
        pthread_mutex_lock(&context->lock);
        SSL_CTX *before = context->current;
        context->current = ssl;
        context->made_ns = os_monotonic_ns(context->os);
        pthread_mutex_unlock(&context->lock);
        ssl = before; /* sessions hold it as long as they need it */
    }
    SSL_CTX_free(ssl);
    ERR_clear_error();
    return loaded;
}

void tls_context_free(TlsContext *context)
{
    if (context == NULL)
        return;
    SSL_CTX_free(context->current);
    BIO_meth_free(context->wire);
    pthread_mutex_destroy(&context->lock);
    free(context->certificate_path);
    free(context->key_path);
    free(context);
}

/* The same certificate with a new key of tickets: that is made with an SSL_CTX, and changing it under others' eyes would
 * need a lock at each handshake. */
static void renew_ticket_key(TlsContext *context, uint64_t now_ns)
{
    SSL_CTX *old = context->current;
    SSL_CTX *ssl = SSL_CTX_new(TLS_server_method());
    STACK_OF(X509) *chain = NULL;
    bool made =
        ssl != NULL && set_rules(ssl) && SSL_CTX_get0_chain_certs(old, &chain) == 1 &&
        SSL_CTX_use_cert_and_key(ssl, SSL_CTX_get0_certificate(old), SSL_CTX_get0_privatekey(old), chain, 1) == 1;
    ASSERT(made);
    context->current = ssl;
    context->made_ns = now_ns;
    SSL_CTX_free(old);
}

SSL *tls_context_connection(TlsContext *context)
{
    uint64_t now_ns = os_monotonic_ns(context->os);
    pthread_mutex_lock(&context->lock);
    ASSERT(context->current != NULL);
    if (now_ns > context->made_ns + TICKET_KEY_NS)
        renew_ticket_key(context, now_ns);
    SSL *ssl = SSL_new(context->current);
    pthread_mutex_unlock(&context->lock);
    ASSERT(ssl != NULL);
    return ssl;
}

const BIO_METHOD *tls_context_wire(const TlsContext *context)
{
    return context->wire;
}
