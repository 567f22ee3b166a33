/* folder.h - the end of a folder that a test worked in. */
#ifndef TG_TEST_FOLDER_H
#define TG_TEST_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

static int erase(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status, (void)type, (void)at;
    return remove(path);
}

/* Leaves PATH and removes it with all that is in it. 0 on success. */
static int folder_remove(const char *path)
{
    return chdir("/") == 0 ? nftw(path, erase, 8, FTW_PHYS | FTW_DEPTH) : -1;
}

#endif
