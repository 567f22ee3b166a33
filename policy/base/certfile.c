/* certfile.c - certificates and keys out of PEM and DER files and directories of them. */
#include "certfile.h"
#include "collection.h"
#include "hash.h"
#include "spki.h"
#include "twinkey.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#define TG_PKCS7_HINT                                                                              \
    "is PKCS #7 (.p7b): 'openssl pkcs7 -print_certs -in FILE' writes its certificates as PEM"

static bool is_certificate(const char *name)
{
    return strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0 ||
           strcmp(name, PEM_STRING_X509_TRUSTED) == 0;
}

static X509 *decode(const struct tg_block *block)
{
    const unsigned char *at = block->der;
    bool trusted = strcmp(block->name, PEM_STRING_X509_TRUSTED) == 0;
    X509 *certificate =
        trusted ? d2i_X509_AUX(NULL, &at, block->length) : d2i_X509(NULL, &at, block->length);

    if (certificate == NULL || at == block->der + block->length)
        return certificate;
    X509_free(certificate);
    return NULL;
}

/* What often stands where PEM was meant: PKCS #7 (RFC 2315 section 7) and PKCS #12 (RFC 7292
 * section 4), by how they begin. NULL: neither. */
static const char *find_hint(const struct tg_block *block)
{
    static const uint8_t signed_data[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                          0xf7, 0x0d, 0x01, 0x07, 0x02},
                         version_3[] = {0x02, 0x01, 0x03, 0x30};
    const unsigned char *at = block->der;
    long size = 0;
    int tag, class;

    if (strcmp(block->name, PEM_STRING_PKCS7) == 0)
        return TG_PKCS7_HINT;
    if (ASN1_get_object(&at, &size, &tag, &class, block->length) & 0x80)
        return NULL;
    if (size > (long)sizeof(signed_data) && memcmp(at, signed_data, sizeof(signed_data)) == 0)
        return TG_PKCS7_HINT;
    if (size > (long)sizeof(version_3) && memcmp(at, version_3, sizeof(version_3)) == 0)
        return "is PKCS #12 (.p12, .pfx): 'openssl pkcs12 -nokeys -in FILE' writes its "
               "certificates as PEM";
    return NULL;
}

static const char *take_certificate(struct tg_arena *arena, struct tg_block block, void *arg)
{
    const struct tg_certfile_to *to = arg;
    const char *hint = find_hint(&block);
    X509 *certificate;
    bool added;

    if (hint != NULL)
        return hint;
    if (!is_certificate(block.name))
        return tg_arena_sentence(arena, "holds a PEM block \"%s\" where certificates are expected",
                                 block.name);
    certificate = decode(&block);
    if (certificate == NULL)
        return tg_arena_sentence(arena, "certificate %zu doesn't parse", block.number);
    added = to->add(to->arg, certificate);
    X509_free(certificate);
    return added ? NULL : tg_no_memory;
}

static bool take_file(const struct tg_file *file, size_t count, void *arg)
{
    const struct tg_certfile_to *to = arg;

    return to->add_file(to->arg, file, count);
}

/* "1a2b3c4d.0", or "1a2b3c4d.r0" with MARK "r", as openssl-rehash(1) makes them. */
static bool is_hashed(const char *name, const char *mark)
{
    size_t length = strlen(mark);

    return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' &&
           strncmp(name + 9, mark, length) == 0 && name[9 + length] != '\0' &&
           strspn(name + 9 + length, "0123456789") == strlen(name + 9 + length);
}

/* As a shell's *.pem: not what is hidden, as editors and openssl-rehash(1) leave things. */
static bool ends_in(const char *name, const char *const *suffixes)
{
    size_t length = name[0] != '.' ? strlen(name) : 0;

    for (; *suffixes != NULL; suffixes++)
        if (length > 4 && strcmp(name + length - 4, *suffixes) == 0)
            return true;
    return false;
}

static int is_certificate_file(const struct dirent *entry)
{
    static const char *const suffixes[] = {".pem", ".crt", ".cer", ".der", NULL};

    return ends_in(entry->d_name, suffixes) || is_hashed(entry->d_name, "");
}

static int is_crl_file(const struct dirent *entry)
{
    static const char *const suffixes[] = {".pem", ".crl", ".der", NULL};

    return ends_in(entry->d_name, suffixes) || is_hashed(entry->d_name, "r");
}

const char *tg_file_certificates(struct tg_arena *arena, const char *path,
                                 struct tg_certfile_to *to, const struct tg_watching *watching)
{
    static const struct tg_block_kind certificates = {
        .der = PEM_STRING_X509,
        .take = take_certificate,
        .take_all = take_file,
        .none = "holds no certificate, neither in PEM nor in DER",
    };
    static const struct tg_entries files = {
        .wanted = is_certificate_file,
        .none = "holds no file *.pem, *.crt, *.cer, *.der or HASH.N",
    };
    const char *wrong;

    ERR_set_mark();
    wrong = tg_collection_read(
        &(struct tg_collection){arena, path, &certificates, &files, to, watching});
    ERR_pop_to_mark();
    return wrong;
}

static const char *take_crl(struct tg_arena *arena, struct tg_block block, void *arg)
{
    STACK_OF(X509_CRL) *out = arg;
    const unsigned char *at = block.der;
    X509_CRL *crl;

    if (strcmp(block.name, PEM_STRING_X509_CRL) != 0)
        return tg_arena_sentence(arena, "holds a PEM block \"%s\" where CRLs are expected",
                                 block.name);
    crl = d2i_X509_CRL(NULL, &at, block.length);
    if (crl == NULL || at != block.der + block.length) {
        X509_CRL_free(crl);
        return tg_arena_sentence(arena, "CRL %zu doesn't parse", block.number);
    }
    if (sk_X509_CRL_push(out, crl) > 0)
        return NULL;
    X509_CRL_free(crl);
    return tg_no_memory;
}

const char *tg_file_crls(struct tg_arena *arena, const char *path, STACK_OF(X509_CRL) *out,
                         const struct tg_watching *watching)
{
    static const struct tg_block_kind crls = {
        .der = PEM_STRING_X509_CRL,
        .take = take_crl,
        .none = "holds no CRL, neither in PEM nor in DER",
    };
    static const struct tg_entries files = {
        .wanted = is_crl_file,
        .none = "holds no file *.pem, *.crl, *.der or HASH.rN",
    };
    const char *wrong;

    ERR_set_mark();
    wrong = tg_collection_read(&(struct tg_collection){arena, path, &crls, &files, out, watching});
    ERR_pop_to_mark();
    return wrong;
}

/* A key's digest, by MAKE of its SubjectPublicKeyInfo. */
struct spki {
    bool (*make)(const X509_PUBKEY *key, unsigned char out[TG_SHA256_SIZE]);
    unsigned char digest[TG_SHA256_SIZE];
    EVP_PKEY *key; /* a reference; NULL: one that libcrypto can't use */
    size_t count;
};

static bool keep_key(struct spki *spki, const X509_PUBKEY *key)
{
    EVP_PKEY_free(spki->key);
    spki->key = X509_PUBKEY_get0(key);
    return (spki->key == NULL || EVP_PKEY_up_ref(spki->key)) && spki->make(key, spki->digest);
}

static bool digest_key(const struct tg_block *block, struct spki *spki)
{
    const unsigned char *at = block->der;
    X509_PUBKEY *key = d2i_X509_PUBKEY(NULL, &at, block->length);
    bool done = key != NULL && at == block->der + block->length && keep_key(spki, key);

    X509_PUBKEY_free(key);
    return done;
}

static bool digest_certificate(const struct tg_block *block, struct spki *spki)
{
    const unsigned char *key = NULL;
    size_t size = 0;
    X509 *certificate = NULL;
    bool done;

    if (spki->make == tg_hash_pubkey && strcmp(block->name, PEM_STRING_X509_TRUSTED) != 0 &&
        tg_spki_find(block->der, (size_t)block->length, &key, &size))
        return EVP_Digest(key, size, spki->digest, NULL, tg_hash_sha256(), NULL) == 1;
    certificate = decode(block);
    done = certificate != NULL && keep_key(spki, X509_get_X509_PUBKEY(certificate));

    X509_free(certificate);
    return done;
}

static const char *take_key(struct tg_arena *arena, struct tg_block block, void *arg)
{
    struct spki *spki = arg;
    bool certificate = is_certificate(block.name);

    if (!certificate && strcmp(block.name, PEM_STRING_PUBLIC) != 0)
        return tg_arena_sentence(
            arena, "holds a PEM block \"%s\" where a certificate or public key is expected",
            block.name);
    if (!(certificate ? digest_certificate(&block, spki) : digest_key(&block, spki)))
        return tg_arena_sentence(arena, "its %s doesn't parse",
                                 certificate ? "certificate" : "public key");
    spki->count++;
    return NULL;
}

static const char *read_key(struct tg_arena *arena, const char *path, struct spki *spki,
                            const struct tg_watching *watching)
{
    static const struct tg_block_kind key = {
        .der = PEM_STRING_X509,
        .take = take_key,
        .none = "holds no certificate or public key",
    };
    const char *wrong;

    ERR_set_mark();
    wrong = tg_collection_read(&(struct tg_collection){arena, path, &key, NULL, spki, watching});
    ERR_pop_to_mark();
    if (wrong == NULL && spki->count != 1)
        wrong = tg_arena_sentence(arena, "holds %zu certificates or keys, where one is expected",
                                  spki->count);
    return wrong;
}

const char *tg_file_spki(struct tg_arena *arena, const char *path, uint8_t out[TG_SHA256_SIZE],
                         const struct tg_watching *watching)
{
    struct spki spki = {.make = tg_hash_pubkey};
    const char *wrong = read_key(arena, path, &spki, watching);

    EVP_PKEY_free(spki.key);
    if (wrong == NULL)
        memcpy(out, spki.digest, TG_SHA256_SIZE);
    return wrong;
}

const char *tg_file_key(struct tg_arena *arena, const char *path, uint8_t out[TG_SHA256_SIZE],
                        EVP_PKEY **key, const struct tg_watching *watching)
{
    struct spki spki = {.make = tg_twin_key};
    const char *wrong = read_key(arena, path, &spki, watching);

    if (wrong != NULL) {
        EVP_PKEY_free(spki.key);
        return wrong;
    }
    memcpy(out, spki.digest, TG_SHA256_SIZE);
    *key = spki.key;
    return NULL;
}
