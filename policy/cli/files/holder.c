#include "holder.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { LINE = 256 };

/*
 * The real user, who started the process: the effective one of a set-uid program that inherited the
 * lock is another, and the owner of /proc/PID is root's where nobody may look into it.
 */
static bool may_change(long process, const struct stat *file)
{
    char path[64], line[LINE];
    unsigned long user = 0;
    bool known = false;
    FILE *status;

    snprintf(path, sizeof(path), "/proc/%ld/status", process);
    status = fopen(path, "re");
    if (status == NULL)
        return errno != ENOENT && errno != ESRCH;
    while (!known && fgets(line, sizeof(line), status) != NULL) {
        known = strncmp(line, "Uid:", 4) == 0;
        user = known ? strtoul(line + 4, NULL, 10) : 0;
    }
    fclose(status);
    return !known || user == 0 || user == geteuid() || user == file->st_uid;
}

/* The process that a line of flock(2)'s kind says to hold FILE, before the file's device and inode
 * (proc(5)); 0: it says something else. */
static long holder(const char *line, const struct stat *file)
{
    const char *at = strstr(line, ": FLOCK ");
    unsigned long major, minor;
    long process;
    char *end;

    if (at == NULL)
        return 0;
    at += strcspn(at, "0123456789");
    process = strtol(at, &end, 10);
    major = strtoul(end, &end, 16);
    minor = strtoul(end + (*end == ':'), &end, 16);
    return makedev(major, minor) == file->st_dev &&
                   strtoul(end + (*end == ':'), NULL, 10) == file->st_ino
               ? process
               : 0;
}

bool tg_holder_counts(const struct stat *file)
{
    FILE *locks = fopen("/proc/locks", "re");
    char line[LINE];
    bool found = false, counts = locks == NULL;
    long process;

    while (!counts && fgets(line, sizeof(line), locks) != NULL) {
        process = holder(line, file);
        found = found || process != 0;
        counts = process != 0 && may_change(process, file);
    }
    if (locks != NULL)
        fclose(locks);
    return counts || !found;
}
