/* folder.h - a folder that a test works in. */
#ifndef TG_TEST_FOLDER_H
#define TG_TEST_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Makes the folder TEMPLATE (mkdtemp(3)) and goes there; TG_PKI still leads to the test PKI. 0 on
 * success. */
static inline int folder_enter(char *template)
{
    const char *given = getenv("TG_PKI");
    char *pki = realpath(given ? given : "build/pki", NULL);
    int entered = -1;

    umask(022);
    if (pki && setenv("TG_PKI", pki, 1) == 0 && mkdtemp(template))
        entered = chdir(template);
    free(pki);
    return entered;
}

static inline int folder_erase(const char *path, const struct stat *status, int type,
                               struct FTW *at)
{
    (void)status, (void)type, (void)at;
    return remove(path);
}

/* Leaves PATH and removes it with all that is in it. 0 on success. */
static inline int folder_remove(const char *path)
{
    return chdir("/") == 0 ? nftw(path, folder_erase, 8, FTW_PHYS | FTW_DEPTH) : -1;
}

#endif
