/* certfile.c - certificates and keys out of PEM and DER files and directories of them. */
#include "certfile.h"
#include "file.h"
#include "hash.h"
#include "parents.h"
#include "text.h"
#include "twin.h"
#include "unique.h"
#include <dirent.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One PEM block, or the whole of a DER file as the certificate it must be. */
struct block {
    const char *name;
    const unsigned char *der;
    long length;
    size_t number; /* in the file, from 1 */
};

typedef const char *take_block(struct tg_arena *arena, struct block block, void *arg);

/* What a file is read for. */
struct kind {
    const char *der; /* the PEM name of what a DER file holds */
    take_block *take;
    int (*wanted)(const struct dirent *); /* which entries of a directory */
    const char *none, *none_below;        /* what is said where there is nothing of the kind */
};

static bool is_certificate(const char *name)
{
    return strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0 ||
           strcmp(name, PEM_STRING_X509_TRUSTED) == 0;
}

static size_t count_begins(const struct tg_file *file)
{
    static const char begin[] = "-----BEGIN ";
    const char *at = file->data, *end = file->data + file->size;
    size_t count = 0;

    while ((at = memmem(at, (size_t)(end - at), begin, sizeof(begin) - 1)) != NULL) {
        at += sizeof(begin) - 1;
        count++;
    }
    return count;
}

static const char *take_pem(struct tg_arena *arena, BIO *bio, size_t number, take_block *take,
                            void *arg, bool *end)
{
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    struct block block = {.number = number};
    const char *wrong;

    if (PEM_read_bio(bio, &name, &header, &der, &block.length)) {
        block.name = name;
        block.der = der;
        wrong = *header ? "holds an encrypted PEM block" : take(arena, block, arg);
    } else if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) {
        *end = true;
        wrong = NULL;
    } else {
        wrong = tg_arena_sentence(arena, "PEM block %zu is malformed or cut off", number);
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    return wrong;
}

/* PEM_read_bio passes over what doesn't begin as it should; nothing may go by unseen. */
static const char *each_pem(struct tg_arena *arena, const struct tg_file *file, size_t begins,
                            take_block *take, void *arg)
{
    BIO *bio = BIO_new_mem_buf(file->data, (int)file->size);
    const char *wrong = bio != NULL ? NULL : tg_no_memory;
    size_t blocks = 0;
    bool end = false;

    while (wrong == NULL) {
        wrong = take_pem(arena, bio, blocks + 1, take, arg, &end);
        if (end)
            break;
        blocks++;
    }
    BIO_free(bio);
    if (wrong == NULL && blocks != begins)
        wrong =
            tg_arena_sentence(arena, "begins %zu PEM blocks but %zu can be read", begins, blocks);
    return wrong;
}

static const char *each_block(struct tg_arena *arena, const struct tg_file *file,
                              const struct kind *kind, void *arg)
{
    size_t begins = count_begins(file);
    struct block whole = {kind->der, (const unsigned char *)file->data, (long)file->size, 1};

    if (file->size == 0)
        return "is empty";
    if (begins == 0 && file->data[0] == 0x30) /* SEQUENCE: DER */
        return kind->take(arena, whole, arg);
    if (begins == 0)
        return kind->none;
    if (memchr(file->data, '\0', file->size) != NULL)
        return "holds a NUL byte among its PEM";
    return each_pem(arena, file, begins, kind->take, arg);
}

static X509 *decode(const struct block *block)
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

static const char *take_certificate(struct tg_arena *arena, struct block block, void *arg)
{
    STACK_OF(X509) *out = arg;
    X509 *certificate;

    if (!is_certificate(block.name))
        return tg_arena_sentence(arena, "holds a PEM block \"%s\" where certificates are expected",
                                 block.name);
    certificate = decode(&block);
    if (certificate == NULL)
        return tg_arena_sentence(arena, "certificate %zu doesn't parse", block.number);
    if (sk_X509_push(out, certificate) > 0)
        return NULL;
    X509_free(certificate);
    return tg_no_memory;
}

/* One file or directory to read, and where what it holds goes. */
struct reading {
    struct tg_arena *arena;
    const char *path;
    const struct kind *kind;
    void *out;
    const struct tg_watching *watching;
};

/* The file of READING's path, which is NAME below DIRECTORY. */
static const char *read_file(const struct reading *reading, int directory, const char *name)
{
    struct tg_file file = {0};
    const char *wrong = tg_file_read_at(reading->arena, directory, name, &file);

    if (wrong == NULL && !tg_watch_opened(reading->watching, reading->path, &file.status))
        wrong = tg_no_memory;
    if (wrong == NULL)
        wrong = each_block(reading->arena, &file, reading->kind, reading->out);
    tg_file_clear(&file);
    return wrong;
}

/* "1a2b3c4d.0", or "1a2b3c4d.r0" with MARK "r", as openssl-rehash(1) makes them. */
static bool is_hashed(const char *name, const char *mark)
{
    size_t length = strlen(mark);

    return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' &&
           strncmp(name + 9, mark, length) == 0 && name[9 + length] != '\0' &&
           strspn(name + 9 + length, "0123456789") == strlen(name + 9 + length);
}

static bool ends_in(const char *name, const char *const *suffixes)
{
    size_t length = strlen(name);

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

static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static const char *read_entry(const struct reading *directory, int fd, const char *name)
{
    struct reading entry = *directory;
    struct tg_buf path = {0};
    struct stat status;
    const char *wrong;

    tg_buf_printf(&path, "%s/%s", directory->path, name);
    entry.path = path.text;
    wrong = path.failed ? tg_no_memory : NULL;
    if (wrong == NULL && fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISLNK(status.st_mode))
        wrong = tg_parents_check(entry.arena, entry.path, entry.watching);
    if (wrong == NULL)
        wrong = read_file(&entry, fd, name);
    tg_buf_free(&path);
    return wrong != NULL ? tg_arena_sentence(directory->arena, "%s: %s", name, wrong) : NULL;
}

static const char *read_entries(const struct reading *directory, int fd)
{
    struct dirent **entries = NULL;
    int count = scandirat(fd, ".", &entries, directory->kind->wanted, compare_names);
    const char *wrong = NULL;

    if (count < 0)
        wrong = tg_arena_sentence(directory->arena, "can't be listed: %m");
    else if (count == 0)
        wrong = directory->kind->none_below;
    for (int i = 0; i < count; i++) {
        if (wrong == NULL)
            wrong = read_entry(directory, fd, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return wrong;
}

static const char *read_directory(const struct reading *directory)
{
    struct stat status;
    int fd = -1;
    const char *wrong =
        tg_file_open(directory->arena, AT_FDCWD, directory->path, S_IFDIR, &fd, &status);

    if (wrong != NULL)
        return wrong;
    wrong = tg_watch_opened(directory->watching, directory->path, &status)
                ? read_entries(directory, fd)
                : tg_no_memory;
    close(fd);
    return wrong;
}

static const char *read_path(const struct reading *reading)
{
    struct stat status;
    bool directory = stat(reading->path, &status) == 0 && S_ISDIR(status.st_mode);
    const char *wrong = tg_parents_check(reading->arena, reading->path, reading->watching);

    if (wrong != NULL)
        return wrong;
    return directory ? read_directory(reading) : read_file(reading, AT_FDCWD, reading->path);
}

static const struct kind certificates = {PEM_STRING_X509, take_certificate, is_certificate_file,
                                         "holds no certificate, neither in PEM nor in DER",
                                         "holds no file *.pem, *.crt, *.cer, *.der or HASH.N"};

const char *tg_file_certificates(struct tg_arena *arena, const char *path, STACK_OF(X509) *out,
                                 const struct tg_watching *watching)
{
    const char *wrong;

    ERR_set_mark();
    wrong = read_path(&(struct reading){arena, path, &certificates, out, watching});
    if (wrong == NULL)
        wrong = tg_certificates_unique(out);
    ERR_pop_to_mark();
    return wrong;
}

static const char *take_crl(struct tg_arena *arena, struct block block, void *arg)
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

static const struct kind crls = {PEM_STRING_X509_CRL, take_crl, is_crl_file,
                                 "holds no CRL, neither in PEM nor in DER",
                                 "holds no file *.pem, *.crl, *.der or HASH.rN"};

const char *tg_file_crls(struct tg_arena *arena, const char *path, STACK_OF(X509_CRL) *out,
                         const struct tg_watching *watching)
{
    const char *wrong;

    ERR_set_mark();
    wrong = read_path(&(struct reading){arena, path, &crls, out, watching});
    ERR_pop_to_mark();
    return wrong;
}

/* A key's digest, by MAKE of its SubjectPublicKeyInfo. */
struct spki {
    bool (*make)(const X509_PUBKEY *key, unsigned char out[TG_SHA256_SIZE]);
    unsigned char digest[TG_SHA256_SIZE];
    size_t count;
};

static bool digest_key(const struct block *block, struct spki *spki)
{
    const unsigned char *at = block->der;
    X509_PUBKEY *key = d2i_X509_PUBKEY(NULL, &at, block->length);
    bool done = key != NULL && at == block->der + block->length && spki->make(key, spki->digest);

    X509_PUBKEY_free(key);
    return done;
}

static bool digest_certificate(const struct block *block, struct spki *spki)
{
    X509 *certificate = decode(block);
    bool done = certificate != NULL && spki->make(X509_get_X509_PUBKEY(certificate), spki->digest);

    X509_free(certificate);
    return done;
}

static const char *take_key(struct tg_arena *arena, struct block block, void *arg)
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

static const struct kind key = {PEM_STRING_X509, take_key, NULL,
                                "holds no certificate or public key", NULL};

static const char *read_key(struct tg_arena *arena, const char *path, struct spki *spki,
                            const struct tg_watching *watching)
{
    const struct reading reading = {arena, path, &key, spki, watching};
    const char *wrong;

    ERR_set_mark();
    wrong = tg_parents_check(arena, path, watching);
    if (wrong == NULL)
        wrong = read_file(&reading, AT_FDCWD, path);
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

    if (wrong == NULL)
        memcpy(out, spki.digest, TG_SHA256_SIZE);
    return wrong;
}

const char *tg_file_key(struct tg_arena *arena, const char *path, uint8_t out[TG_SHA256_SIZE],
                        const struct tg_watching *watching)
{
    struct spki spki = {.make = tg_twin_key};
    const char *wrong = read_key(arena, path, &spki, watching);

    if (wrong == NULL)
        memcpy(out, spki.digest, TG_SHA256_SIZE);
    return wrong;
}
