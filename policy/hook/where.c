#include "process.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define FILE_NAME "trustgraft/policy.conf"

static bool fits(int written)
{
    return written > 0 && written < PATH_MAX;
}

/* A file that can't be looked at may well be there: it counts, and loading it says why not. */
static bool present(const char *path)
{
    return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* XDG Base Directory Specification: a relative XDG_CONFIG_HOME is to be ignored. */
static bool user_path(char path[PATH_MAX])
{
    const char *xdg = secure_getenv("XDG_CONFIG_HOME"), *home = secure_getenv("HOME");

    if (xdg != NULL && xdg[0] == '/')
        return fits(snprintf(path, PATH_MAX, "%s/" FILE_NAME, xdg));
    return home != NULL && home[0] == '/' &&
           fits(snprintf(path, PATH_MAX, "%s/.config/" FILE_NAME, home));
}

bool tg_policy_system_present(void)
{
    return present(TG_SYSTEM_POLICY);
}

enum tg_origin tg_policy_locate(const char *setting, char path[PATH_MAX])
{
    const char *named = secure_getenv("TRUSTGRAFT_POLICY");
    bool secure = getauxval(AT_SECURE) != 0;

    if (named != NULL && named[0] != '\0') {
        snprintf(path, PATH_MAX, "%s", named);
        return TG_ORIGIN_ENVIRONMENT;
    }
    if (setting != NULL && !secure) {
        snprintf(path, PATH_MAX, "%s", setting);
        return TG_ORIGIN_SETTING;
    }
    if (!secure && user_path(path) && present(path))
        return TG_ORIGIN_USER;
    snprintf(path, PATH_MAX, "%s", TG_SYSTEM_POLICY);
    if (tg_policy_system_present())
        return TG_ORIGIN_SYSTEM;
    path[0] = '\0';
    return TG_ORIGIN_NONE;
}
