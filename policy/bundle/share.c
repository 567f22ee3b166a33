#include "share.h"
#include "turn.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SIZE_MOST (16u << 20)

/*
 * A file that changed less than so many seconds before it was read may change once more without its
 * times telling: it is nobody else's.
 */
#define SETTLED 3

struct shared {
    struct shared *next;
    struct stat status;
    struct tg_bundle *bundle;
    size_t references;
};

static tg_turn turn;
static struct shared *first;
static const struct tg_bundle *last; /* has a reference */

static bool same_time(const struct timespec *one, const struct timespec *other)
{
    return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

static bool same(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino &&
           one->st_size == other->st_size && same_time(&one->st_mtim, &other->st_mtim) &&
           same_time(&one->st_ctim, &other->st_ctim);
}

static bool is_settled(const struct stat *status)
{
    struct timespec now;

    return clock_gettime(CLOCK_REALTIME, &now) == 0 &&
           now.tv_sec - status->st_mtim.tv_sec >= SETTLED &&
           now.tv_sec - status->st_ctim.tv_sec >= SETTLED;
}

/* Bytes of DESCRIPTOR up to SIZE; fewer where it ends before, or can't be read. */
static size_t read_up_to(int descriptor, char *text, size_t size)
{
    size_t have = 0;

    while (have < size) {
        ssize_t more = read(descriptor, text + have, size - have);

        if (more < 0 && errno == EINTR)
            continue;
        if (more <= 0)
            break;
        have += (size_t)more;
    }
    return have;
}

/* Read and never mapped: a file that is cut short meanwhile would end the process. */
static struct tg_bundle *read_bundle(int descriptor, const struct stat *status)
{
    size_t size = (size_t)status->st_size;
    char *text = malloc(size + 1);
    struct stat after;

    if (text != NULL && read_up_to(descriptor, text, size + 1) == size &&
        fstat(descriptor, &after) == 0 && same(status, &after))
        return tg_bundle_take(text, size);
    free(text);
    return NULL;
}

static struct shared *find(const struct tg_bundle *bundle)
{
    struct shared *shared = first;

    while (shared != NULL && shared->bundle != bundle)
        shared = shared->next;
    return shared;
}

static const struct tg_bundle *find_same(const struct stat *status)
{
    for (struct shared *shared = first; shared != NULL; shared = shared->next)
        if (same(&shared->status, status)) {
            shared->references++;
            return shared->bundle;
        }
    return NULL;
}

/* Takes SHARED out once nobody has it; to be freed then. */
static struct shared *drop(struct shared *shared)
{
    struct shared **at = &first;

    if (shared == NULL || --shared->references > 0)
        return NULL;
    while (*at != shared)
        at = &(*at)->next;
    *at = shared->next;
    return shared;
}

static void free_shared(struct shared *shared)
{
    if (shared == NULL)
        return;
    tg_bundle_free(shared->bundle);
    free(shared);
}

/* BUNDLE (may be NULL) is kept in place of the last one. */
static void keep_last(const struct tg_bundle *bundle)
{
    struct shared *old = NULL;
    bool taken = tg_turn_take(&turn);

    if (bundle != NULL && bundle != last) {
        find(bundle)->references++;
        old = last != NULL ? drop(find(last)) : NULL;
        last = bundle;
    }
    tg_turn_give(&turn, taken);
    free_shared(old);
}

/* Enters it, unless another thread has meanwhile; STATUS NULL: for nobody else. Takes BUNDLE over.
 */
static const struct tg_bundle *enter(struct tg_bundle *bundle, const struct stat *status)
{
    struct shared *shared = calloc(1, sizeof(*shared));
    const struct tg_bundle *other = NULL;
    bool settled = status != NULL && is_settled(status), taken;

    if (shared == NULL) {
        tg_bundle_free(bundle);
        return NULL;
    }
    shared->bundle = bundle;
    shared->references = 1;
    if (settled)
        shared->status = *status;
    taken = tg_turn_take(&turn);
    if (settled)
        other = find_same(status);
    if (other == NULL) {
        shared->next = first;
        tg_turn_step();
        first = shared;
    }
    tg_turn_give(&turn, taken);
    if (other != NULL) {
        free_shared(shared);
        return other;
    }
    if (settled)
        keep_last(bundle);
    return bundle;
}

static bool is_shared(const struct stat *status)
{
    return S_ISREG(status->st_mode) && status->st_size > 0 && status->st_size <= SIZE_MOST;
}

/* What anyone has of it; NULL: nobody has. */
static const struct tg_bundle *take_same(const struct stat *status)
{
    bool taken = tg_turn_take(&turn);
    const struct tg_bundle *found = find_same(status);

    tg_turn_give(&turn, taken);
    keep_last(found);
    return found;
}

static const struct tg_bundle *take(int descriptor)
{
    const struct tg_bundle *found = NULL;
    struct tg_bundle *fresh = NULL;
    struct stat status;

    if (fstat(descriptor, &status) != 0 || !is_shared(&status))
        return NULL;
    found = take_same(&status);
    if (found != NULL)
        return found;
    fresh = read_bundle(descriptor, &status);
    return fresh != NULL ? enter(fresh, &status) : NULL;
}

/* Opened also where it is known: whoever may not read it doesn't get it. */
const struct tg_bundle *tg_share_take(const char *path)
{
    const struct tg_bundle *bundle = NULL;
    int saved = errno, cancel, descriptor = -1;
    struct stat status;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    /* Anything else may take notice of being opened. */
    if (stat(path, &status) == 0 && S_ISREG(status.st_mode))
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor >= 0) {
        bundle = take(descriptor);
        (void)close(descriptor);
    }
    (void)pthread_setcancelstate(cancel, NULL);
    errno = saved;
    return bundle;
}

const struct tg_bundle *tg_share_read(const struct stat *status, const char *text, size_t size)
{
    bool shared = is_shared(status) && (size_t)status->st_size == size;
    const struct tg_bundle *bundle = NULL;
    int saved = errno, cancel;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    if (shared)
        bundle = take_same(status);
    if (bundle == NULL) {
        struct tg_bundle *fresh = tg_bundle_read(text, size);

        if (fresh != NULL)
            bundle = enter(fresh, shared ? status : NULL);
    }
    (void)pthread_setcancelstate(cancel, NULL);
    errno = saved;
    return bundle;
}

void tg_share_again(const struct tg_bundle *bundle)
{
    bool taken = tg_turn_take(&turn);

    find(bundle)->references++;
    tg_turn_give(&turn, taken);
}

void tg_share_give(const struct tg_bundle *bundle)
{
    struct shared *gone = NULL;
    bool taken = tg_turn_take(&turn);

    if (bundle != NULL)
        gone = drop(find(bundle));
    tg_turn_give(&turn, taken);
    free_shared(gone);
}
