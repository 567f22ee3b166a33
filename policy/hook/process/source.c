#include "source.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define FILE_NAME "trustgraft/policy.conf"

/* FOLDER and NAME. What doesn't fit is no path: it must not become another file's. printf(3) would
 * be more than all else that a program without TLS pays. */
static bool put(char path[PATH_MAX], const char *folder, const char *name)
{
    size_t before = strlen(folder), length = before + strlen(name);

    if (length == 0 || length >= PATH_MAX) {
        path[0] = '\0';
        return false;
    }
    memcpy(path, folder, before);
    memcpy(path + before, name, length - before + 1);
    return true;
}

/* A file that can't be looked at may well be there: it counts, and loading it says why not. */
static bool is_unknown(int error)
{
    return error != ENOENT && error != ENOTDIR;
}

/* XDG Base Directory Specification: a relative XDG_CONFIG_HOME is to be ignored. */
static bool user_path(char path[PATH_MAX])
{
    const char *xdg = secure_getenv("XDG_CONFIG_HOME"), *home = secure_getenv("HOME");

    if (xdg != NULL && xdg[0] == '/')
        return put(path, xdg, "/" FILE_NAME);
    return home != NULL && home[0] == '/' && put(path, home, "/.config/" FILE_NAME);
}

/* HOME may still be another user's after a change of user, who may not look into it (EACCES). */
static bool user_present(char path[PATH_MAX])
{
    return user_path(path) && (access(path, F_OK) == 0 || (is_unknown(errno) && errno != EACCES));
}

bool tg_policy_system_present(void)
{
    return access(TG_SYSTEM_POLICY, F_OK) == 0 || is_unknown(errno);
}

static enum tg_origin look(bool system, char path[PATH_MAX])
{
    const char *named = secure_getenv("TRUSTGRAFT_POLICY");

    if (named != NULL) {
        (void)put(path, named, "");
        return TG_ORIGIN_ENVIRONMENT;
    }
    if (getauxval(AT_SECURE) == 0 && user_present(path))
        return TG_ORIGIN_USER;
    (void)put(path, system ? TG_SYSTEM_POLICY : "", "");
    return system ? TG_ORIGIN_SYSTEM : TG_ORIGIN_NONE;
}

void tg_policy_source_look(struct tg_policy_source *source)
{
    struct stat root = {.st_dev = 0};
    int saved = errno;

    (void)stat("/", &root);
    source->root_device = root.st_dev;
    source->root_inode = root.st_ino;
    source->system = tg_policy_system_present();
    source->origin = look(source->system, source->path);
    errno = saved;
}

bool tg_policy_source_is_out_of_sight(const struct tg_policy_source *source)
{
    struct stat root = {.st_dev = 0};
    int saved = errno;

    (void)stat("/", &root);
    errno = saved;
    return root.st_dev != source->root_device || root.st_ino != source->root_inode;
}
