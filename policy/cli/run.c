/* run.c - replaces this process by a program that trustgraft is in. */
#include "chosen.h"
#include "environment.h"
#include "foreign.h"
#include "installation.h"
#include "script.h"
#include "settings.h"
#include "terminal.h"
#include "text.h"
#include "verbs.h"
#include <errno.h>
#include <paths.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Writes the file of COMMAND to PATH; 0, or the exit code after a complaint. */
static int find_command(const char *command, char path[PATH_MAX])
{
    int error = tg_script_search(command, path);

    if (error == 0)
        return 0;
    if (error == ENOENT && strchr(command, '/') == NULL)
        tg_complain("%s: not found in PATH", command);
    else
        tg_complain("%s: %s", command, strerror(error));
    return error == ENOENT || error == ENOTDIR ? TG_EXIT_NOT_FOUND : TG_EXIT_UNRUNNABLE;
}

/* 0, with a note where there is something to tell; or the exit code after a complaint. */
static int judge_command(const char *path, char *const *words, enum tg_way way, bool allowed)
{
    struct tg_buf why = {0}, note = {0};
    bool reached = tg_reach(path, way, &why, &note) && !tg_foreign_tls(path, words, way, &why);

    if (why.failed || note.failed)
        tg_complain("%s", tg_no_memory);
    else if (!reached)
        tg_complain("%s", why.text);
    else if (note.length > 0)
        tg_complain("%s", note.text);
    allowed = reached || (allowed && !why.failed);
    tg_buf_free(&why);
    tg_buf_free(&note);
    return allowed ? 0 : TG_EXIT_UNRUNNABLE;
}

/* As execvp(3): a text that the kernel doesn't know is the shell's. */
static int execute(const char *path, char **argv, int argc)
{
    char **shell;
    int error;

    execv(path, argv);
    error = errno;
    shell = error == ENOEXEC ? calloc((size_t)argc + 2, sizeof(*shell)) : NULL;
    if (shell != NULL) {
        shell[0] = argv[0];
        shell[1] = (char *)path;
        memcpy(shell + 2, argv + 1, (size_t)argc * sizeof(*shell));
        execv(_PATH_BSHELL, shell);
        free(shell);
    }
    tg_complain("%s: %s", path, strerror(error));
    return error == ENOENT ? TG_EXIT_NOT_FOUND : TG_EXIT_UNRUNNABLE;
}

static int run(const struct tg_options *options)
{
    enum tg_way way = options->provider ? TG_WAY_PROVIDER : TG_WAY_PRELOAD;
    char path[PATH_MAX];
    tg_policy *policy;
    int status = TG_EXIT_USAGE;

    if (options->preload && options->provider) {
        tg_complain("run: --preload and --provider exclude each other");
        return TG_EXIT_USAGE;
    }
    if (options->policy != NULL && tg_chosen_locked()) {
        tg_complain("run: -p has no effect: " TG_SYSTEM_POLICY " is locked, or invalid, and the "
                    "program would find that one");
        return TG_EXIT_USAGE;
    }
    policy = tg_chosen_decider(options, &status);
    if (policy == NULL)
        return status;
    tg_policy_free(policy);
    status = find_command(options->operands[0], path);
    if (status == 0)
        status = judge_command(path, options->operands, way, options->allow_unreached);
    if (status != 0)
        return status;
    if ((options->policy != NULL && !tg_environment_policy(options->policy)) ||
        (way == TG_WAY_PROVIDER && !tg_settings_provide()) || !tg_environment_inject(way) ||
        !tg_installation_works(way))
        return TG_EXIT_USAGE;
    return execute(path, options->operands, options->operand_count);
}

const struct tg_verb tg_verb_run = {
    .name = "run",
    .synopsis = "[--preload | --provider] [--allow-unreached] [-p FILE] [--] CMD [ARG...]",
    .summary = "run a program under the policy",
    .details =
        "Checks the policy, then replaces itself by CMD with trustgraft injected: by "
        "LD_PRELOAD, or with --provider through OPENSSL_CONF. Options end at CMD. A program "
        "that can't be reached is refused, with the way that would work, unless "
        "--allow-unreached is given.\n"
        "Exit: CMD's own. 1: the policy has errors; 2: usage, no policy, or trustgraft's own "
        "files are missing; 126: CMD can't be run or reached; 127: CMD isn't found.",
    .options = TG_OPTION_PRELOAD | TG_OPTION_PROVIDER | TG_OPTION_UNREACHED,
    .least = 1,
    .most = -1,
    .missing = "the program to run is missing",
    .runs_command = true,
    .run = run,
};
