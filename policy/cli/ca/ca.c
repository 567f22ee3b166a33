#include "ca.h"
#include "chain.h"
#include "file.h"
#include "pem.h"
#include "terminal.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char root_name[] = "root.pem", key_name[] = "root.key";

/* Whoever pastes the path into a configuration shouldn't meet surprises there. */
static bool is_plain(const char *path)
{
    size_t left = strlen(path);

    while (left > 0) {
        uint32_t code;
        size_t length = tg_utf8_decode(path, left, &code);

        if (length == 0 || tg_utf8_unsafe(code))
            return false;
        path += length;
        left -= length;
    }
    return true;
}

bool tg_ca_locate(struct tg_ca *ca, const struct tg_options *options)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    struct tg_buf path = {0};
    char here[PATH_MAX] = "";

    if (options->dir != NULL && options->dir[0] != '/' && getcwd(here, sizeof(here)) != NULL)
        tg_buf_printf(&path, "%s/", here);
    if (options->dir != NULL)
        tg_buf_add(&path, options->dir);
    else if (data != NULL && data[0] == '/')
        tg_buf_printf(&path, "%s/trustgraft/ca", data);
    else if (home != NULL && home[0] == '/')
        tg_buf_printf(&path, "%s/.local/share/trustgraft/ca", home);
    while (path.length > 1 && path.text[path.length - 1] == '/')
        path.text[--path.length] = '\0';
    if (path.length > 0 && path.length < PATH_MAX && !path.failed)
        memcpy(ca->folder, path.text, path.length + 1);
    tg_buf_free(&path);
    if (ca->folder[0] == '\0')
        tg_complain("ca: there is no folder for the CA: neither --dir, XDG_DATA_HOME nor HOME");
    else if (!is_plain(ca->folder))
        tg_complain("ca: %s: the path isn't plain UTF-8", ca->folder);
    else
        return true;
    return false;
}

bool tg_ca_path(const struct tg_ca *ca, const char *name, char out[PATH_MAX])
{
    if (snprintf(out, PATH_MAX, "%s/%s", ca->folder, name) < PATH_MAX)
        return true;
    tg_complain("%s/%s: the path is too long", ca->folder, name);
    return false;
}

/* False with a sentence in WHY. A sticky folder won't do, as nobody else has files in this one. */
static bool is_alone(const struct tg_ca *ca, struct tg_buf *why)
{
    struct stat status;

    if (stat(ca->folder, &status) == -1)
        tg_buf_add(why, strerror(errno));
    else if ((status.st_uid != geteuid() && status.st_uid != 0) || (status.st_mode & 022) != 0)
        tg_buf_add(why, "others can change what is in it, and so who this CA is: a folder of your "
                        "own that nobody else can write (chmod go-w)");
    return why->length == 0 && tg_save_place_own(ca->folder, why);
}

bool tg_ca_create(const struct tg_ca *ca)
{
    struct tg_buf key = {0}, root = {0}, why = {0};
    char root_path[PATH_MAX], key_path[PATH_MAX];
    struct tg_save saves[2] = {{.path = key_path, .text = &key, .mode = 0600},
                               {.path = root_path, .text = &root, .mode = 0644}};
    bool made = false;

    if (!tg_ca_path(ca, root_name, root_path) || !tg_ca_path(ca, key_name, key_path))
        return false;
    if (access(key_path, F_OK) == 0 || access(root_path, F_OK) == 0)
        tg_buf_printf(&why,
                      "%s: there is a CA already, which stays as it is: issue from it, or name "
                      "another folder with --dir",
                      ca->folder);
    else if (!tg_pem_add(&key, ca->key, NULL) || !tg_pem_add(&root, NULL, ca->root))
        tg_buf_add(&why, tg_no_memory);
    else
        made = tg_save_folder(ca->folder, 0700, &why) && is_alone(ca, &why) &&
               tg_save_all(saves, sizeof(saves) / sizeof(saves[0]), true, &why);
    if (!made)
        tg_complain_of("ca init", &why);
    if (key.text != NULL)
        OPENSSL_cleanse(key.text, key.length);
    tg_buf_free(&key);
    tg_buf_free(&root);
    tg_buf_free(&why);
    return made;
}

/* ---- reading ------------------------------------------------------------------------------ */

static EVP_PKEY *parse_key(const struct tg_file *file)
{
    BIO *bio = file->size < INT_MAX ? BIO_new_mem_buf(file->data, (int)file->size) : NULL;
    /* An empty password, so that nothing is asked for where the file is encrypted. */
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"") : NULL;

    BIO_free(bio);
    ERR_clear_error();
    return key;
}

EVP_PKEY *tg_ca_read_key(const char *path, bool *missing)
{
    struct tg_arena *arena = tg_arena_new();
    struct tg_file file = {0};
    struct stat status;
    EVP_PKEY *key = NULL;
    const char *wrong;

    *missing = lstat(path, &status) == -1 && errno == ENOENT;
    wrong = arena == NULL ? tg_no_memory : tg_file_read(arena, path, &file);
    if (wrong == NULL && stat(path, &status) == 0 && (status.st_mode & 077) != 0)
        wrong = "others can read this private key: chmod 600, and think of making a new one";
    if (wrong == NULL && (key = parse_key(&file)) == NULL)
        wrong = "holds no private key in PEM without a password";
    if (wrong != NULL && !*missing)
        tg_complain("%s: %s", path, wrong);
    if (file.data != NULL)
        OPENSSL_cleanse(file.data, file.size);
    tg_file_clear(&file);
    tg_arena_free(arena);
    return key;
}

X509 *tg_ca_read_certificate(const char *path, bool *missing)
{
    STACK_OF(X509) *found = NULL;
    struct tg_buf why = {0};
    X509 *certificate = NULL;

    *missing = access(path, F_OK) == -1 && errno == ENOENT;
    if (*missing)
        return NULL;
    if (tg_chain_read(path, &found, &why) == TG_CHAIN_READ)
        certificate = sk_X509_shift(found);
    else
        tg_complain_of(path, &why);
    sk_X509_pop_free(found, X509_free);
    tg_buf_free(&why);
    return certificate;
}

bool tg_ca_load(struct tg_ca *ca, bool privately)
{
    char root[PATH_MAX], key[PATH_MAX];
    bool no_root = false, no_key = false;

    if (!tg_ca_path(ca, root_name, root) || !tg_ca_path(ca, key_name, key))
        return false;
    ca->root = tg_ca_read_certificate(root, &no_root);
    if (privately)
        ca->key = tg_ca_read_key(key, &no_key);
    if (no_root || no_key)
        tg_complain("ca: %s has no CA, for %s is missing: 'trustgraft ca init' makes one",
                    ca->folder, no_root ? root : key);
    if (ca->root == NULL || (privately && ca->key == NULL))
        return false;
    if (!privately || (X509_check_private_key(ca->root, ca->key) == 1 &&
                       X509_cmp_current_time(X509_get0_notAfter(ca->root)) > 0))
        return true;
    tg_complain("%s: %s", root,
                X509_cmp_current_time(X509_get0_notAfter(ca->root)) > 0
                    ? "isn't the certificate of the key beside it"
                    : "has expired: make a new CA in another folder, with --dir");
    ERR_clear_error();
    return false;
}

/* ---- alone -------------------------------------------------------------------------------- */

static bool lock_file(struct tg_ca *ca, const char *path)
{
    struct stat status;
    const char *wrong = NULL;

    ca->lock = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    ca->locked = ca->lock != -1;
    if (!ca->locked || fstat(ca->lock, &status) == -1)
        wrong = strerror(errno);
    else if (!S_ISREG(status.st_mode))
        wrong = "is no regular file";
    while (wrong == NULL && flock(ca->lock, LOCK_EX) == -1)
        if (errno != EINTR)
            wrong = strerror(errno);
    if (wrong != NULL)
        tg_complain("%s: can't be locked: %s", path, wrong);
    return wrong == NULL;
}

bool tg_ca_lock(struct tg_ca *ca)
{
    char path[PATH_MAX];
    struct tg_buf why = {0};
    bool alone;

    if (!tg_ca_path(ca, "lock", path))
        return false;
    if (access(ca->folder, F_OK) == -1 && errno == ENOENT)
        return true;
    alone = is_alone(ca, &why);
    if (!alone)
        tg_complain_of(ca->folder, &why);
    tg_buf_free(&why);
    return alone && lock_file(ca, path);
}

void tg_ca_clear(struct tg_ca *ca)
{
    X509_free(ca->root);
    EVP_PKEY_free(ca->key);
    if (ca->locked)
        close(ca->lock);
}
