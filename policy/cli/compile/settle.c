#include "settle.h"
#include <time.h>
#include <unistd.h>

/* A tick of the slowest clock that stamps files, in nanoseconds. */
#define TICK         20000000L
#define COARSE_TICKS 101 /* two seconds: of a file system without nanoseconds */

static void wait_past(struct timespec newest)
{
    struct timespec now;

    for (int i = 0; i < 2 * COARSE_TICKS; i++) {
        clock_gettime(CLOCK_REALTIME_COARSE, &now);
        if (!tg_image_is_racy(newest, now))
            return;
        nanosleep(&(struct timespec){.tv_nsec = TICK}, NULL);
    }
}

void tg_settle_wait(const char *path)
{
    struct stat status;

    if (stat(path, &status) == 0)
        wait_past(status.st_ctim);
}

enum tg_settle tg_settle(const struct tg_imagefile *out, const struct tg_watch *watch)
{
    struct timespec begun = {(time_t)out->header.begun, (long)out->header.begun_ns};
    struct timespec newest = tg_watch_newest(watch);

    if (!tg_watch_changed(watch) && !tg_image_is_racy(newest, begun))
        return TG_SETTLED;
    wait_past(newest);
    return TG_SETTLE_AGAIN;
}

/* What all may who may read each source. */
struct readers {
    mode_t mode;
    gid_t group;
    bool first, mixed;
};

static void narrow(void *arg, const char *path, const struct tg_watch_mark *mark)
{
    struct readers *readers = arg;
    struct stat status;

    if (mark->is_folder || mark->error != 0)
        return;
    if (stat(path, &status) != 0) {
        readers->mode = 0;
        return;
    }
    readers->mixed = readers->mixed || (!readers->first && status.st_gid != readers->group);
    readers->group = status.st_gid;
    readers->first = false;
    readers->mode &= status.st_mode;
}

mode_t tg_settle_mode(const struct tg_watch *watch, gid_t *group)
{
    struct readers readers = {.mode = S_IRGRP | S_IROTH, .group = getegid(), .first = true};

    tg_watch_marks(watch, narrow, &readers);
    if (readers.mixed && !(readers.mode & S_IROTH))
        readers.mode = 0;
    *group = readers.mixed ? getegid() : readers.group;
    return S_IRUSR | S_IWUSR | readers.mode;
}
