#include "version.h"
#include "arrival.h"
#include "compiled.h"
#include "diag.h"
#include "knownhosts.h"
#include "log.h"
#include "policy.h"
#include "watch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How often the first version is read until it holds still. */
#define READS 5

/* How long the first version waits for an emptied file to be filled, each time it is read. */
#define PAUSE (20 * 1000 * 1000L) /* nanoseconds */

static char path[PATH_MAX];
static char *last_problem; /* what was said last of a broken version; NULL: none is */

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

/* ---- the first version --------------------------------------------------------------------- */

/*
 * What changes while it is read may have been read in part: such a version is read once more.
 * One that was emptied just now gets a little time to change in.
 * NULL for one that is invalid, or that never held still; DIAGS tells which.
 */
static tg_policy *read_whole(enum tg_origin origin, const char *file, struct tg_diags *diags)
{
    for (int i = 0; i < READS; i++) {
        char *note;
        tg_policy *policy = tg_policy_open(file, diags, &note);

        if (note != NULL)
            tg_log_complain(origin, "%s", note);
        free(note);

        if (policy != NULL && tg_watch_emptied(policy->watch))
            nanosleep(&(struct timespec){.tv_nsec = PAUSE}, NULL);
        if (policy == NULL || !tg_watch_changed(policy->watch))
            return policy;
        tg_policy_free(policy);
        tg_diags_clear(diags);
    }
    return NULL;
}

static void refuse_all(struct tg_process *process, const struct tg_diags *diags)
{
    complain(process->origin, diags);
    last_problem = tg_diags_failed(diags) ? tg_diags_summary(diags)
                                          : strdup("the policy changed each time it was read");
    process->problem = last_problem != NULL ? strdup(last_problem) : NULL;
    if (process->problem == NULL)
        process->problem = "the policy is invalid (no memory to say why)";
}

/*
 * Where the system's policy is locked, it is the one: true then. So that a lock can't be lost by
 * an error in it, one that is invalid counts as locked: *POLICY stays NULL.
 */
static bool read_locked(struct tg_process *process, tg_policy **policy)
{
    struct tg_diags diags = {0};
    tg_policy *system = NULL;
    bool locked = false;

    if (process->origin == TG_ORIGIN_SYSTEM || !tg_arrival_source()->system)
        return false;
    system = read_whole(TG_ORIGIN_SYSTEM, TG_SYSTEM_POLICY, &diags);
    locked = system == NULL || system->locked;
    if (locked) {
        process->origin = TG_ORIGIN_SYSTEM;
        (void)snprintf(path, sizeof(path), "%s", TG_SYSTEM_POLICY);
    }
    if (system == NULL)
        refuse_all(process, &diags);
    else if (locked)
        *policy = system;
    else
        tg_policy_free(system);
    tg_diags_clear(&diags);
    return locked;
}

static tg_policy *read_first(struct tg_process *process)
{
    struct tg_diags diags = {0};
    tg_policy *policy = NULL;

    if (path[0] != '/') {
        process->problem = path[0] == '\0'
                               ? "TRUSTGRAFT_POLICY is set, but empty or too long: it must be the "
                                 "absolute path of a policy, or not set at all"
                               : "TRUSTGRAFT_POLICY and the provider's policy setting must be "
                                 "absolute paths: the working directory never decides";
        return NULL;
    }
    policy = read_whole(process->origin, path, &diags);
    if (policy == NULL)
        refuse_all(process, &diags);
    tg_diags_clear(&diags);
    return policy;
}

/* What has the policy's path under another root directory is another file, or none. */
static bool is_out_of_sight(struct tg_process *process)
{
    char *problem = NULL;

    if (!tg_policy_source_is_out_of_sight(tg_arrival_source()))
        return false;
    if (asprintf(&problem,
                 "%s was in force when this program started, which has changed its root directory "
                 "since, before it used TLS: the policy is out of sight",
                 path) < 0)
        problem = NULL;
    process->problem = problem != NULL ? problem : "the policy is out of sight";
    return true;
}

tg_policy *tg_version_first(struct tg_process *process)
{
    tg_policy *policy = NULL;

    process->origin = tg_arrival_locate(path);
    process->path = path;
    process->problem = tg_arrival_problem();
    if (process->problem == NULL && process->origin != TG_ORIGIN_NONE &&
        !is_out_of_sight(process) && !read_locked(process, &policy))
        policy = read_first(process);
    return policy;
}

/* ---- those after it ------------------------------------------------------------------------ */

/* A broken version is said once, not at each look; the last good one stays in force. */
static void keep_last_good(const struct tg_process *process, const struct tg_diags *diags,
                           const char *note)
{
    char *problem = tg_diags_summary(diags);

    if (problem == NULL || last_problem == NULL || strcmp(problem, last_problem) != 0) {
        if (note != NULL)
            tg_log_complain(process->origin, "%s", note);
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

static tg_policy *read_next(const struct tg_process *process, struct tg_diags *diags, char **note)
{
    tg_policy *policy = tg_policy_open(path, diags, note);

    if (policy != NULL && process->policy != NULL &&
        !tg_known_files_follow(policy, process->policy, diags)) {
        tg_policy_free(policy);
        return NULL;
    }
    return policy;
}

/*
 * What changes while it is read may have been read in part, and what was emptied just now is about
 * to be written.
 */
tg_policy *tg_version_next(const struct tg_process *process, bool *broken)
{
    struct tg_diags diags = {0};
    char *note;
    tg_policy *policy = read_next(process, &diags, &note);

    *broken = policy == NULL;
    if (policy == NULL) {
        keep_last_good(process, &diags, note);
    } else if (tg_watch_changed(policy->watch) || tg_watch_emptied(policy->watch)) {
        tg_policy_free(policy);
        policy = NULL;
    } else {
        if (note != NULL)
            tg_log_complain(process->origin, "%s", note);
        free(last_problem);
        last_problem = NULL;
    }
    free(note);
    tg_diags_clear(&diags);
    return policy;
}
