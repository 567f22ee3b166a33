#include "holder.h"
#include <errno.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { LINE = 256 };

/*
 * The real user, who started the process: the effective one of a set-uid program that inherited the
 * lock is another, and the owner of /proc/PID is root's where nobody may look into it.
 */
static bool may_change(int process, const struct stat *file)
{
    char path[64], line[LINE];
    unsigned user = 0;
    bool known = false;
    FILE *status;

    snprintf(path, sizeof(path), "/proc/%d/status", process);
    status = fopen(path, "re");
    if (status == NULL)
        return errno != ENOENT && errno != ESRCH;
    while (!known && fgets(line, sizeof(line), status) != NULL)
        known = sscanf(line, "Uid: %u", &user) == 1;
    fclose(status);
    return !known || user == 0 || user == geteuid() || user == file->st_uid;
}

bool tg_holder_counts(const struct stat *file)
{
    FILE *locks = fopen("/proc/locks", "re");
    unsigned major, minor;
    unsigned long inode;
    char line[LINE];
    bool found = false, counts = locks == NULL;
    int process;

    while (!counts && fgets(line, sizeof(line), locks) != NULL)
        if (sscanf(line, "%*u: FLOCK %*s %*s %d %x:%x:%lu", &process, &major, &minor, &inode) ==
                4 &&
            makedev(major, minor) == file->st_dev && inode == file->st_ino) {
            found = true;
            counts = may_change(process, file);
        }
    if (locks != NULL)
        fclose(locks);
    return counts || !found;
}
