#include "process.h"
#include "compiled.h"
#include "policy.h"
#include "version.h"
#include "watch.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

/* How long a broken new version rests before it is read once more, in seconds. */
#define RETRY 5

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool inert;
static _Atomic time_t next_look; /* in seconds of CLOCK_MONOTONIC */
static _Atomic pid_t looking;    /* the process of which a thread looks for changes now */

/* True for one caller a second: that one looks, whoever else comes by goes on. */
static bool is_due(time_t *now)
{
    struct timespec time;
    time_t due = atomic_load(&next_look);

    if (clock_gettime(CLOCK_MONOTONIC_COARSE, &time) != 0 || time.tv_sec < due)
        return false;
    *now = time.tv_sec;
    return atomic_compare_exchange_strong(&next_look, &due, *now + 1);
}

static void load(void)
{
    time_t now;
    struct tg_process first = {.policy = NULL};
    tg_policy *policy = tg_version_first(&first);

    inert = first.origin == TG_ORIGIN_NONE && first.problem == NULL;
    (void)is_due(&now); /* this was the look of this second */
    tg_snapshot_begin(&first, policy);
}

static void reload(const struct tg_process *process, time_t now)
{
    struct tg_snapshot *place = tg_snapshot_place();
    tg_policy *policy = NULL;
    bool broken = false;

    if (place == NULL)
        return;
    policy = tg_version_next(process, &broken);
    if (policy != NULL)
        tg_snapshot_replace(place, process, policy);
    if (broken)
        atomic_store(&next_look, now + RETRY);
}

/*
 * A policy that was broken from the start has no list of files to look at. What is seen under
 * another root directory are no versions of the policy.
 */
static bool has_changed(const struct tg_process *process)
{
    bool differs = process->policy != NULL
                       ? tg_watch_changed(process->policy->watch)
                       : process->problem != tg_arrival_problem() && process->path[0] == '/';

    return differs && !tg_policy_source_is_out_of_sight(tg_arrival_source());
}

static bool follows_files(const struct tg_process *process)
{
    return !inert && (process->policy == NULL || process->policy->reload);
}

/* What was made of an image goes with it: a process that met very many hosts begins anew. */
static bool is_full(const struct tg_process *process)
{
    return process->policy != NULL && tg_policy_is_full(process->policy);
}

/* It is, and the same can be opened once more. */
static bool can_be_renewed(const struct tg_process *process)
{
    return is_full(process) && !tg_watch_changed(process->policy->watch) &&
           !tg_policy_source_is_out_of_sight(tg_arrival_source());
}

/* Only one thread of this process looks; one that was at it in the parent isn't here. */
static void look(const struct tg_process *process, time_t now)
{
    pid_t self = getpid(), last = atomic_load(&looking);

    if (last == self || !atomic_compare_exchange_strong(&looking, &last, self))
        return;
    if ((follows_files(process) && has_changed(process)) || can_be_renewed(process))
        reload(process, now);
    atomic_store(&looking, 0);
}

const struct tg_process *tg_process_enter(int *cancel)
{
    const struct tg_process *process = NULL;
    int saved = errno;
    time_t now;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, cancel);
    pthread_once(&once, load);
    process = tg_snapshot_enter();
    if ((follows_files(process) || is_full(process)) && is_due(&now)) {
        look(process, now);
        tg_snapshot_leave(process);
        process = tg_snapshot_enter();
    }
    errno = saved;
    return process;
}

void tg_process_leave(const struct tg_process *process, int cancel)
{
    tg_snapshot_leave(process);
    (void)pthread_setcancelstate(cancel, NULL);
}

bool tg_process_inert(void)
{
    pthread_once(&once, load);
    return inert;
}
