#include "process.h"
#include "mem.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static struct tg_process process;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char *setting, *setting_problem; /* stay for the life of the process */

void tg_process_configure(const char *policy, const char *problem)
{
    if (setting != NULL || setting_problem != NULL)
        return;
    setting = policy != NULL ? strdup(policy) : NULL;
    setting_problem = problem != NULL ? strdup(problem) : NULL;
    if (setting == NULL && setting_problem == NULL && (policy != NULL || problem != NULL))
        setting_problem = "no memory to read the provider's settings";
}

/* Without /proc, the path that was executed is the next best; a script's is its interpreter. */
static void find_program(char program[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", program, PATH_MAX - 1);
    const char *executed = (const char *)getauxval(AT_EXECFN);

    if (length > 0)
        program[length] = '\0';
    else if (executed == NULL || realpath(executed, program) == NULL)
        program[0] = '\0';
}

/* Every error is said once here; each refused handshake then repeats the first. */
static void describe(const struct tg_diags *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        const struct tg_diag *diag = &diags->diag[i];

        if (diag->severity == TG_ERROR)
            tg_log_complain(process.origin, "%s:%u:%u: error: %s", diag->file, diag->line,
                            diag->column, diag->text);
    }
    process.problem = tg_diags_summary(diags);
    if (process.problem == NULL)
        process.problem = "the policy is invalid (no memory to say why)";
}

static void load_policy(void)
{
    struct tg_diags diags = {0};

    if (process.path[0] != '/') {
        process.problem = "TRUSTGRAFT_POLICY and the provider's policy setting must be absolute "
                          "paths: the working directory never decides";
        return;
    }
    process.policy = tg_policy_parse(process.path, &diags);
    if (process.policy == NULL)
        describe(&diags);
    tg_diags_clear(&diags);
}

static void load(void)
{
    find_program(process.program);
    process.origin = tg_policy_locate(setting, process.path);
    if (setting_problem != NULL)
        process.problem = setting_problem;
    else if (process.origin != TG_ORIGIN_NONE)
        load_policy();
}

const struct tg_process *tg_process_get(void)
{
    pthread_once(&once, load);
    return &process;
}

bool tg_process_inert(const struct tg_process *of)
{
    return of->policy == NULL && of->problem == NULL;
}
