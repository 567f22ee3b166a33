#include "arrival.h"
#include "program.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

static char *setting, *setting_problem; /* stay for the life of the process */
static char program[TG_PROGRAM_SIZE];

/* Found when an injector came, else at first use. */
static struct tg_policy_source at_arrival;

/* Found before, by the preload; NULL: not handed over. */
static const struct tg_policy_source *_Atomic at_preload;

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
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, look_for_policy);
}

void tg_process_came_with(const struct tg_policy_source *source)
{
    settle();
    atomic_store(&at_preload, source);
}

/* A policy that was there when the process began stays the one, whatever came after. */
const struct tg_policy_source *tg_arrival_source(void)
{
    const struct tg_policy_source *first = atomic_load(&at_preload);

    if (first != NULL && first->origin != TG_ORIGIN_NONE)
        return first;
    settle();
    return &at_arrival;
}

bool tg_process_is_preloaded(void)
{
    return atomic_load(&at_preload) != NULL;
}

bool tg_process_has_origin(void)
{
    return tg_arrival_source()->origin != TG_ORIGIN_NONE;
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

const char *tg_arrival_problem(void)
{
    return setting_problem;
}

enum tg_origin tg_arrival_locate(char path[PATH_MAX])
{
    const struct tg_policy_source *source = tg_arrival_source();
    bool set =
        setting != NULL && source->origin != TG_ORIGIN_ENVIRONMENT && getauxval(AT_SECURE) == 0;

    (void)snprintf(path, PATH_MAX, "%s", set ? setting : source->path);
    return set ? TG_ORIGIN_SETTING : source->origin;
}

const char *tg_process_program(void)
{
    return program;
}
