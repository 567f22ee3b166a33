#include "chain.h"
#include "text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGEST = 64 << 20 };

static enum tg_chain_state complain(enum tg_chain_state state, struct tg_buf *why,
                                    const char *sentence)
{
    tg_buf_add(why, sentence);
    return state;
}

int tg_chain_bytes(const char *path, size_t largest, struct tg_buf *data)
{
    char block[16384];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), error = fd == -1 ? errno : 0;
    ssize_t got = 1;

    while (error == 0 && got > 0) {
        got = read(fd, block, sizeof(block));
        if (got > 0)
            tg_buf_addn(data, block, (size_t)got);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got < 0)
            error = errno;
        else if (data->failed)
            error = ENOMEM;
        else if (data->length > largest)
            error = EFBIG;
    }
    if (fd != -1)
        close(fd);
    return error;
}

/* Decodes the LENGTH bytes of DER and nothing behind it, and adds it to CHAIN. */
static enum tg_chain_state add(STACK_OF(X509) *chain, const unsigned char *der, long length,
                               bool trusted, struct tg_buf *why)
{
    const unsigned char *at = der;
    X509 *certificate = trusted ? d2i_X509_AUX(NULL, &at, length) : d2i_X509(NULL, &at, length);
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    if (certificate == NULL || at != der + length) {
        tg_buf_printf(why, "certificate %d can't be parsed: %s", sk_X509_num(chain) + 1,
                      certificate != NULL ? "there are bytes behind it"
                      : reason != NULL    ? reason
                                          : "it is malformed");
        X509_free(certificate);
        return TG_CHAIN_MALFORMED;
    }
    if (sk_X509_push(chain, certificate) > 0)
        return TG_CHAIN_READ;
    X509_free(certificate);
    return complain(TG_CHAIN_UNREADABLE, why, "memory ran out");
}

static bool is_certificate(const char *name)
{
    return strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0 ||
           strcmp(name, PEM_STRING_X509_TRUSTED) == 0;
}

static enum tg_chain_state read_pem(STACK_OF(X509) *chain, BIO *bio, struct tg_buf *why)
{
    enum tg_chain_state state = TG_CHAIN_READ;

    while (state == TG_CHAIN_READ) {
        char *name = NULL, *header = NULL;
        unsigned char *der = NULL;
        long length = 0;

        ERR_clear_error();
        if (!PEM_read_bio(bio, &name, &header, &der, &length)) {
            if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
                break;
            tg_buf_printf(why, "the PEM block behind certificate %d is damaged",
                          sk_X509_num(chain));
            return TG_CHAIN_MALFORMED;
        }
        if (is_certificate(name))
            state = add(chain, der, length, strcmp(name, PEM_STRING_X509_TRUSTED) == 0, why);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    return state;
}

static enum tg_chain_state decode(STACK_OF(X509) *chain, const struct tg_buf *data,
                                  struct tg_buf *why)
{
    enum tg_chain_state state;
    BIO *bio;

    if (data->length > 0 && data->text[0] == 0x30 && /* SEQUENCE: DER */
        memmem(data->text, data->length, "-----BEGIN", 10) == NULL)
        return add(chain, (const unsigned char *)data->text, (long)data->length, false, why);
    bio = BIO_new_mem_buf(data->length > 0 ? data->text : "", (int)data->length);
    if (bio == NULL)
        return complain(TG_CHAIN_UNREADABLE, why, "memory ran out");
    state = read_pem(chain, bio, why);
    BIO_free(bio);
    if (state == TG_CHAIN_READ && sk_X509_num(chain) == 0)
        return complain(TG_CHAIN_UNREADABLE, why,
                        "holds no certificate, neither in PEM nor in DER");
    return state;
}

enum tg_chain_state tg_chain_read(const char *path, STACK_OF(X509) **out, struct tg_buf *why)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    struct tg_buf data = {0};
    int error = tg_chain_bytes(path, LARGEST, &data);
    enum tg_chain_state state;

    if (error != 0)
        state = complain(TG_CHAIN_UNREADABLE, why, strerror(error));
    else if (chain == NULL)
        state = complain(TG_CHAIN_UNREADABLE, why, "memory ran out");
    else
        state = decode(chain, &data, why);
    tg_buf_free(&data);
    ERR_clear_error();
    if (state == TG_CHAIN_READ)
        *out = chain;
    else
        sk_X509_pop_free(chain, X509_free);
    return state;
}

/* ---- the anchors of an application -------------------------------------------------------- */

/* "1a2b3c4d.0", as openssl-rehash(1) makes them. */
static bool is_hashed(const char *name)
{
    return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' && name[9] != '\0' &&
           strspn(name + 9, "0123456789") == strlen(name + 9);
}

static int is_wanted(const struct dirent *entry)
{
    static const char *const suffixes[] = {".pem", ".crt", ".cer", ".der"};
    const char *dot = strrchr(entry->d_name, '.');

    for (size_t i = 0; dot != NULL && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (strcmp(dot, suffixes[i]) == 0)
            return 1;
    return is_hashed(entry->d_name);
}

static bool add_file(X509_STORE *store, const char *path, struct tg_buf *why)
{
    STACK_OF(X509) *certificates = NULL;
    bool added = tg_chain_read(path, &certificates, why) == TG_CHAIN_READ;

    for (int i = 0; added && i < sk_X509_num(certificates); i++)
        if (X509_STORE_add_cert(store, sk_X509_value(certificates, i)) != 1) {
            tg_buf_add(why, "memory ran out");
            added = false;
        }
    sk_X509_pop_free(certificates, X509_free);
    return added;
}

static bool add_directory(X509_STORE *store, const char *path, struct tg_buf *why)
{
    struct dirent **entries = NULL;
    char file[PATH_MAX];
    int count = scandir(path, &entries, is_wanted, alphasort), length;
    bool added = count > 0;

    if (count <= 0)
        tg_buf_add(why, count < 0 ? strerror(errno) : "holds no certificate");
    for (int i = 0; i < count; i++) {
        struct tg_buf reason = {0};

        length = snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
        if (added && (length < 0 || length >= PATH_MAX || !add_file(store, file, &reason))) {
            tg_buf_printf(why, "%s: %s", entries[i]->d_name,
                          reason.length > 0 ? reason.text : "the path is too long");
            added = false;
        }
        tg_buf_free(&reason);
        free(entries[i]);
    }
    free(entries);
    return added;
}

X509_STORE *tg_chain_store(const char *path, struct tg_buf *why)
{
    X509_STORE *store = X509_STORE_new();
    struct stat status;
    bool added;

    if (store == NULL) {
        tg_buf_add(why, "memory ran out");
        return NULL;
    }
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        added = add_directory(store, path, why);
    else
        added = add_file(store, path, why);
    if (added)
        return store;
    X509_STORE_free(store);
    return NULL;
}
