#include "net/tls_self_signed.h"

#include "base/bug.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { SERIAL_BYTES = 16, HOST_NAME_MAX_BYTES = 253, LABEL_MAX_BYTES = 63, SECONDS_A_DAY = 86400, CLOCK_SKEW_S = 3600 };

/* OpenSSL's functions here fail for want of memory only, or for a mistake of ours. */
#define MUST(call) ASSERT((call) > 0)

/* ---- Names ---- */

/* RFC 1123, 2.1, and underscores, which names of containers have; "*." may stand in front (RFC 9525, 6.3). */
static bool is_host_name(const char *name)
{
    size_t label = 0;
    if (strncmp(name, "*.", 2) == 0)
        name += 2;
    if (strlen(name) > HOST_NAME_MAX_BYTES)
        return false;
    for (const char *at = name; *at != '\0'; at++) {
        bool is_letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        if (*at == '.' ? label == 0 : !is_letter && *at != '_' && (*at != '-' || label == 0))
            return false;
        label = *at == '.' ? 0 : label + 1;
        if (label > LABEL_MAX_BYTES)
            return false;
    }
    return label > 0;
}

/* Adds a name of the kind that it is; false when it is none. */
static bool add_name(GENERAL_NAMES *names, const char *name)
{
    unsigned char address[sizeof(struct in6_addr)];
    int size = inet_pton(AF_INET, name, address) == 1    ? (int)sizeof(struct in_addr)
               : inet_pton(AF_INET6, name, address) == 1 ? (int)sizeof(struct in6_addr)
                                                         : 0;
    if (size == 0 && !is_host_name(name))
        return false;
    ASN1_STRING *text = size > 0 ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    GENERAL_NAME *entry = GENERAL_NAME_new();
    ASSERT(text != NULL && entry != NULL);
    MUST(size > 0 ? ASN1_STRING_set(text, address, size) : ASN1_STRING_set(text, name, -1));
    GENERAL_NAME_set0_value(entry, size > 0 ? GEN_IPADD : GEN_DNS, text);
    MUST(sk_GENERAL_NAME_push(names, entry));
    return true;
}

static Error add_names(X509 *certificate, const TlsSelfSigned *wanted, const char **bad_name)
{
    static const char *const own[] = {"localhost", "127.0.0.1", "::1"};
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    ASSERT(names != NULL);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        ASSERT(add_name(names, own[i]));
    Error error = OK;
    for (size_t i = 0; i < wanted->name_count && error == OK; i++) {
        if (!add_name(names, wanted->names[i])) {
            *bad_name = wanted->names[i];
            error = ERROR_MALFORMED;
        }
    }
    if (error == OK)
        MUST(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT));
    GENERAL_NAMES_free(names);
    return error;
}

/* ---- The certificate ---- */

static void set_serial(X509 *certificate, Os *os)
{
    unsigned char bytes[SERIAL_BYTES];
    os_random(os, bytes, sizeof bytes);
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, and of full length (RFC 5280, 4.1.2.2) */
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    ASSERT(number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL);
    BN_free(number);
}

static void set_subject(X509 *certificate, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    const unsigned char organization[] = "Brume, self-signed";
    MUST(X509_NAME_add_entry_by_NID(subject, NID_organizationName, MBSTRING_UTF8, organization, -1, -1, 0));
    /* A common name has 64 bytes at most; clients look at the alternative names only (RFC 9525, 2). */
    if (strlen(name) <= 64)
        MUST(
            X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0));
    MUST(X509_set_issuer_name(certificate, subject));
}

static void add_extension(X509 *certificate, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    ASSERT(extension != NULL);
    MUST(X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
}

static Error fill(X509 *certificate, EVP_PKEY *key, Os *os, const TlsSelfSigned *wanted, const char **bad_name)
{
    time_t now = (time_t)(os_wall_ms(os) / 1000);
    MUST(X509_set_version(certificate, X509_VERSION_3));
    set_serial(certificate, os);
    set_subject(certificate, wanted->name_count > 0 ? wanted->names[0] : "localhost");
    ASSERT(X509_time_adj_ex(X509_getm_notBefore(certificate), 0, -CLOCK_SKEW_S, &now) != NULL);
    ASSERT(X509_time_adj_ex(X509_getm_notAfter(certificate), (int)wanted->days, 0, &now) != NULL);
    MUST(X509_set_pubkey(certificate, key));
    add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(certificate, NID_key_usage, "critical,digitalSignature");
    add_extension(certificate, NID_ext_key_usage, "serverAuth");
    add_extension(certificate, NID_subject_key_identifier, "hash");
    add_extension(certificate, NID_authority_key_identifier, "keyid:always");
    return add_names(certificate, wanted, bad_name);
}

static Slice take_text(BIO *file, Arena *arena)
{
    char *text;
    long size = BIO_get_mem_data(file, &text);
    return arena_copy(arena, slice_make(text, (size_t)size));
}

Error tls_self_signed(Os *os, const TlsSelfSigned *wanted, Arena *arena, Slice *certificate_text, Slice *key_text,
                      const char **bad_name)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    ASSERT(key != NULL && certificate != NULL);
    Error error = fill(certificate, key, os, wanted, bad_name);
    if (error == OK) {
        MUST(X509_sign(certificate, key, EVP_sha256()));
        BIO *certificate_file = BIO_new(BIO_s_mem());
        BIO *key_file = BIO_new(BIO_s_secmem());
        MUST(PEM_write_bio_X509(certificate_file, certificate));
        MUST(PEM_write_bio_PrivateKey(key_file, key, NULL, NULL, 0, NULL, NULL));
        *certificate_text = take_text(certificate_file, arena);
        *key_text = take_text(key_file, arena);
        BIO_free(certificate_file);
        BIO_free(key_file);
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    return error;
}
