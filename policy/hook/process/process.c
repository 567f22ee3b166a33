#include "process.h"
#include "knownhosts.h"
#include "load.h"
#include "program.h"
#include "watch.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

/* More versions than these are never in use at once: a reload then waits for a free place. */
#define SNAPSHOTS 8

/* How often the first version is read until it holds still. */
#define READS 5

/* How long the first version waits for an emptied file to be filled, each time it is read. */
#define PAUSE (20 * 1000 * 1000L) /* nanoseconds */

/* How long a broken new version rests before it is read once more, in seconds. */
#define RETRY 5

static struct snapshot {
    struct tg_process process;
    tg_policy *policy; /* owned; taken away when the last user of a replaced one leaves */
    unsigned turn;     /* odd while it holds a policy; no two policies have the same */
    int users;
    bool replaced;
} snapshots[SNAPSHOTS] = {{.replaced = true}};

static struct snapshot *current = &snapshots[0];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool inert;
static time_t next_look; /* in seconds of CLOCK_MONOTONIC */
static pid_t looking;    /* the process of which a thread looks for changes now */
static char *last_problem;

static char *setting, *setting_problem; /* stay for the life of the process */
static char path[PATH_MAX], program[TG_PROGRAM_SIZE];

static struct tg_policy_source at_arrival; /* found when an injector came, else at first use */
static const struct tg_policy_source
    *at_preload; /* found before, by the preload; NULL: not handed over */

__attribute__((constructor)) static void look_at_program(void)
{
    tg_program_self(program);
}

static void look_for_policy(void)
{
    tg_policy_source_look(&at_arrival);
}

/* Whoever links this library itself, and is injected nothing, may set the variable before. */
static void settle(void)
{
    static pthread_once_t once_settled = PTHREAD_ONCE_INIT;

    pthread_once(&once_settled, look_for_policy);
}

void tg_process_came_with(const struct tg_policy_source *source)
{
    settle();
    __atomic_store_n(&at_preload, source, __ATOMIC_RELEASE);
}

/* A policy that was there when the process began stays the one, whatever came after. */
static const struct tg_policy_source *found(void)
{
    const struct tg_policy_source *first = __atomic_load_n(&at_preload, __ATOMIC_ACQUIRE);

    if (first != NULL && first->origin != TG_ORIGIN_NONE)
        return first;
    settle();
    return &at_arrival;
}

bool tg_process_has_origin(void)
{
    return found()->origin != TG_ORIGIN_NONE;
}

void tg_process_configure(const char *policy, const char *problem)
{
    settle();
    if (setting != NULL || setting_problem != NULL)
        return;
    setting = policy != NULL ? strdup(policy) : NULL;
    setting_problem = problem != NULL ? strdup(problem) : NULL;
    if (setting == NULL && setting_problem == NULL && (policy != NULL || problem != NULL))
        setting_problem = "no memory to read the provider's settings";
}

/* Every error is said once; each refused handshake then repeats the first. */
static void complain(enum tg_origin origin, const struct tg_diags *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        const struct tg_diag *diag = &diags->diag[i];
        char *line = diag->severity == TG_ERROR ? tg_diag_line(diag, "error: ") : NULL;

        if (line != NULL)
            tg_log_complain(origin, "%s", line);
        free(line);
    }
}

/*
 * What changes while it is read may have been read in part: such a version is read once more.
 * One that was emptied just now gets a little time to change in.
 * NULL for one that is invalid, or that never held still; DIAGS tells which.
 */
static tg_policy *read_whole(const char *file, struct tg_diags *diags)
{
    for (int i = 0; i < READS; i++) {
        tg_policy *policy = tg_policy_parse(file, diags);

        if (policy != NULL && tg_watch_emptied(policy->watch))
            nanosleep(&(struct timespec){.tv_nsec = PAUSE}, NULL);
        if (policy == NULL || !tg_watch_changed(policy->watch))
            return policy;
        tg_policy_free(policy);
        tg_diags_clear(diags);
    }
    return NULL;
}

static void refuse_all(struct snapshot *first, const struct tg_diags *diags)
{
    complain(first->process.origin, diags);
    last_problem = tg_diags_failed(diags) ? tg_diags_summary(diags)
                                          : strdup("the policy changed each time it was read");
    first->process.problem = last_problem != NULL ? strdup(last_problem) : NULL;
    if (first->process.problem == NULL)
        first->process.problem = "the policy is invalid (no memory to say why)";
}

static void use(struct snapshot *first, tg_policy *policy)
{
    first->policy = policy;
    first->turn = 1;
    first->process.policy = policy;
}

/*
 * Where the system's policy is locked, it is the one. So that a lock can't be lost by an error
 * in it, one that is invalid counts as locked.
 */
static bool locked(struct snapshot *first)
{
    struct tg_diags diags = {0};
    tg_policy *policy = NULL;
    bool system = false;

    if (first->process.origin == TG_ORIGIN_SYSTEM || !found()->system)
        return false;
    policy = read_whole(TG_SYSTEM_POLICY, &diags);
    system = policy == NULL || policy->locked;
    if (system) {
        first->process.origin = TG_ORIGIN_SYSTEM;
        snprintf(path, sizeof(path), "%s", TG_SYSTEM_POLICY);
    }
    if (policy == NULL)
        refuse_all(first, &diags);
    else if (system)
        use(first, policy);
    else
        tg_policy_free(policy);
    tg_diags_clear(&diags);
    return system;
}

static void load_first(struct snapshot *first)
{
    struct tg_diags diags = {0};
    tg_policy *policy = NULL;

    if (path[0] != '/') {
        first->process.problem =
            path[0] == '\0' ? "TRUSTGRAFT_POLICY is set, but empty or too long: it must be the "
                              "absolute path of a policy, or not set at all"
                            : "TRUSTGRAFT_POLICY and the provider's policy setting must be "
                              "absolute paths: the working directory never decides";
        return;
    }
    policy = read_whole(path, &diags);
    if (policy != NULL)
        use(first, policy);
    else
        refuse_all(first, &diags);
    tg_diags_clear(&diags);
}

/* What has the policy's path under another root directory is another file, or none. */
static bool out_of_sight(struct snapshot *first)
{
    char *problem = NULL;

    if (!tg_policy_source_is_out_of_sight(found()))
        return false;
    if (asprintf(&problem,
                 "%s was in force when this program started, which has changed its root directory "
                 "since, before it used TLS: the policy is out of sight",
                 path) < 0)
        problem = NULL;
    first->process.problem = problem != NULL ? problem : "the policy is out of sight";
    return true;
}

/* The provider's setting comes after the environment and before the rest. */
static enum tg_origin locate(void)
{
    const struct tg_policy_source *source = found();
    bool set =
        setting != NULL && source->origin != TG_ORIGIN_ENVIRONMENT && getauxval(AT_SECURE) == 0;

    (void)snprintf(path, sizeof(path), "%s", set ? setting : source->path);
    return set ? TG_ORIGIN_SETTING : source->origin;
}

static void load(void)
{
    struct snapshot *first = &snapshots[0];

    first->process.origin = locate();
    first->process.path = path;
    if (setting_problem != NULL)
        first->process.problem = setting_problem;
    else if (first->process.origin != TG_ORIGIN_NONE && !out_of_sight(first) && !locked(first))
        load_first(first);
    inert = first->process.origin == TG_ORIGIN_NONE && first->process.problem == NULL;
    first->replaced = false;
}

/*
 * Whoever finds a replaced snapshot without users takes its policy away; only one can. By its
 * turn, as the address of a policy may be that of a later one, which is in force by then.
 */
static void release(struct snapshot *snapshot)
{
    unsigned turn = __atomic_load_n(&snapshot->turn, __ATOMIC_SEQ_CST);
    tg_policy *policy = __atomic_load_n(&snapshot->policy, __ATOMIC_SEQ_CST);

    if (turn % 2 == 1 && __atomic_load_n(&snapshot->replaced, __ATOMIC_SEQ_CST) &&
        __atomic_load_n(&snapshot->users, __ATOMIC_SEQ_CST) == 0 &&
        __atomic_compare_exchange_n(&snapshot->turn, &turn, turn + 1, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST))
        tg_policy_free(policy);
}

static void leave(struct snapshot *snapshot)
{
    __atomic_sub_fetch(&snapshot->users, 1, __ATOMIC_SEQ_CST);
    release(snapshot);
}

static struct snapshot *enter(void)
{
    for (;;) {
        struct snapshot *snapshot = __atomic_load_n(&current, __ATOMIC_SEQ_CST);

        __atomic_add_fetch(&snapshot->users, 1, __ATOMIC_SEQ_CST);
        if (snapshot == __atomic_load_n(&current, __ATOMIC_SEQ_CST))
            return snapshot;
        leave(snapshot);
    }
}

/* A place that nobody has held since it was last in force. */
static struct snapshot *free_place(void)
{
    for (size_t i = 0; i < SNAPSHOTS; i++) {
        struct snapshot *snapshot = &snapshots[i];

        if (snapshot != __atomic_load_n(&current, __ATOMIC_SEQ_CST) &&
            __atomic_load_n(&snapshot->users, __ATOMIC_SEQ_CST) == 0 &&
            __atomic_load_n(&snapshot->turn, __ATOMIC_SEQ_CST) % 2 == 0)
            return snapshot;
    }
    return NULL;
}

static void put_in_force(struct snapshot *fresh, struct snapshot *old, tg_policy *policy)
{
    fresh->process = old->process;
    fresh->process.policy = policy;
    fresh->process.problem = NULL;
    __atomic_store_n(&fresh->replaced, false, __ATOMIC_SEQ_CST);
    __atomic_store_n(&fresh->policy, policy, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&fresh->turn, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&current, fresh, __ATOMIC_SEQ_CST);
    __atomic_store_n(&old->replaced, true, __ATOMIC_SEQ_CST);
}

/* A broken version is said once, not at each look; the last good one stays in force. */
static void keep_last_good(const struct tg_process *process, const struct tg_diags *diags)
{
    char *problem = tg_diags_summary(diags);

    if (problem == NULL || last_problem == NULL || strcmp(problem, last_problem) != 0) {
        complain(process->origin, diags);
        if (process->policy != NULL)
            tg_log_complain(process->origin,
                            "%s: the new version is not used; the last good one stays", path);
        free(last_problem);
        last_problem = problem;
    } else {
        free(problem);
    }
}

/*
 * Reads the policy again. What changes while it is read may have been read in part, and what
 * was emptied just now is about to be written: such a version isn't used, and the next look
 * reads it once more.
 */
static void reload(struct snapshot *old, time_t now)
{
    struct snapshot *fresh = free_place();
    struct tg_diags diags = {0};
    tg_policy *policy = NULL;

    if (fresh == NULL)
        return;
    policy = tg_policy_parse(path, &diags);
    if (policy != NULL && old->process.policy != NULL &&
        !tg_known_files_follow(policy, old->process.policy, &diags)) {
        tg_policy_free(policy);
        policy = NULL;
    }
    if (policy == NULL) {
        keep_last_good(&old->process, &diags);
        __atomic_store_n(&next_look, now + RETRY, __ATOMIC_SEQ_CST);
    } else if (tg_watch_changed(policy->watch) || tg_watch_emptied(policy->watch)) {
        tg_policy_free(policy);
    } else {
        put_in_force(fresh, old, policy);
        free(last_problem);
        last_problem = NULL;
    }
    tg_diags_clear(&diags);
}

/* True for one caller a second: that one looks, whoever else comes by goes on. */
static bool my_turn(time_t *now)
{
    struct timespec time;
    time_t due = __atomic_load_n(&next_look, __ATOMIC_SEQ_CST);

    if (clock_gettime(CLOCK_MONOTONIC_COARSE, &time) != 0 || time.tv_sec < due)
        return false;
    *now = time.tv_sec;
    return __atomic_compare_exchange_n(&next_look, &due, *now + 1, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

/*
 * A policy that was broken from the start has no list of files to look at. What is seen under
 * another root directory are no versions of the policy.
 */
static bool changed(const struct snapshot *snapshot)
{
    bool differs = snapshot->process.policy != NULL
                       ? tg_watch_changed(snapshot->process.policy->watch)
                       : snapshot->process.problem != setting_problem && path[0] == '/';

    return differs && !tg_policy_source_is_out_of_sight(found());
}

static bool looks(const struct snapshot *snapshot)
{
    return !inert && (snapshot->process.policy == NULL || snapshot->process.policy->reload);
}

/* Only one thread of this process looks; one that was at it in the parent isn't here. */
static void look(struct snapshot *snapshot, time_t now)
{
    pid_t self = getpid(), last = __atomic_load_n(&looking, __ATOMIC_SEQ_CST);

    if (last == self || !__atomic_compare_exchange_n(&looking, &last, self, false, __ATOMIC_SEQ_CST,
                                                     __ATOMIC_SEQ_CST))
        return;
    if (changed(snapshot))
        reload(snapshot, now);
    __atomic_store_n(&looking, 0, __ATOMIC_SEQ_CST);
}

const struct tg_process *tg_process_enter(int *cancel)
{
    struct snapshot *snapshot = NULL;
    int saved = errno;
    time_t now;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, cancel);
    pthread_once(&once, load);
    snapshot = enter();
    if (looks(snapshot) && my_turn(&now)) {
        look(snapshot, now);
        leave(snapshot);
        snapshot = enter();
    }
    errno = saved;
    return &snapshot->process;
}

void tg_process_leave(const struct tg_process *process, int cancel)
{
    leave((struct snapshot *)process); /* its first member */
    (void)pthread_setcancelstate(cancel, NULL);
}

bool tg_process_inert(void)
{
    pthread_once(&once, load);
    return inert;
}

const char *tg_process_program(void)
{
    return program;
}
