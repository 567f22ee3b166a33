#include "anchors.h"
#include "chain.h"
#include "mem.h"
#include "text.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
            tg_buf_add(why, tg_no_memory);
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

X509_STORE *tg_anchors_store(const char *path, struct tg_buf *why)
{
    X509_STORE *store = X509_STORE_new();
    struct stat status;
    bool added;

    if (store == NULL) {
        tg_buf_add(why, tg_no_memory);
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
