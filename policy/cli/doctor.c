/* doctor.c - is everything in place, which policy is in force, and is this program reached? */
#include "census.h"
#include "chosen.h"
#include "compiled.h"
#include "health.h"
#include "inspect.h"
#include "installation.h"
#include "script.h"
#include "sinks.h"
#include "terminal.h"
#include "verbs.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the policy --------------------------------------------------------------------------- */

static void tell_variable(struct tg_health *health, const char *name)
{
    const char *value = getenv(name);

    if (value == NULL || *value == '\0')
        tg_health_note(health, TG_HEALTH_GOOD, "looked at", "%s, which isn't set", name);
    else
        tg_health_note(health, TG_HEALTH_GOOD, "looked at", "%s, which names %s", name, value);
}

static void tell_place(struct tg_health *health, const char *path)
{
    tg_health_note(health, TG_HEALTH_GOOD, "looked at", "%s, which %s", path,
                   access(path, F_OK) == 0 ? "is there"
                   : errno == ENOENT       ? "isn't there"
                                           : strerror(errno));
}

/* In the order of tg_policy_source_look; what the provider's setting is, programs alone know. */
static void tell_search(struct tg_health *health)
{
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    bool has_xdg = xdg != NULL && xdg[0] == '/';
    char path[PATH_MAX];

    tell_variable(health, "TRUSTGRAFT_POLICY");
    if (has_xdg || (home != NULL && home[0] == '/')) {
        snprintf(path, sizeof(path), "%s%s/trustgraft/policy.conf", has_xdg ? xdg : home,
                 has_xdg ? "" : "/.config");
        tell_place(health, path);
    }
    tell_place(health, TG_SYSTEM_POLICY);
}

static void tell_policy(struct tg_health *health, const char *path, enum tg_origin origin,
                        const char *from)
{
    struct tg_diags diags = {0};
    char *note;
    tg_policy *policy = tg_policy_open(path, &diags, &note);

    if (policy != NULL)
        tg_health_note(health, TG_HEALTH_GOOD, "in force", "%s, %s: valid, %zu rule%s%s%s", path,
                       from, policy->rule_count, policy->rule_count == 1 ? "" : "s",
                       policy->locked ? ", locked" : "",
                       tg_policy_is_compiled(policy) ? ", out of its image" : "");
    else
        tg_health_note(health, TG_HEALTH_BAD, "in force",
                       "%s, %s: invalid, so that every TLS server is refused", path, from);
    if (note != NULL)
        tg_health_note(health, TG_HEALTH_NOTE, "image", "%s: run `trustgraft compile` again", note);
    free(note);
    for (size_t i = 0; i < diags.count; i++) {
        bool error = diags.diag[i].severity == TG_ERROR;
        char *line = tg_diag_line(&diags.diag[i], "");

        tg_health_note(health, error ? TG_HEALTH_BAD : TG_HEALTH_NOTE, error ? "error" : "warning",
                       "%s", line != NULL ? line : tg_no_memory);
        free(line);
    }
    tg_diags_clear(&diags);
    if (policy != NULL)
        tg_sinks_check(health, policy, origin);
    tg_policy_free(policy);
}

static void check_policy(struct tg_health *health, const struct tg_options *options)
{
    static const char *const origins[] = {[TG_ORIGIN_ENVIRONMENT] = "named by the environment",
                                          [TG_ORIGIN_SETTING] = "of the provider's setting",
                                          [TG_ORIGIN_USER] = "the user's",
                                          [TG_ORIGIN_SYSTEM] = "the system's"};
    char path[PATH_MAX];
    enum tg_origin origin;

    tg_health_section(health, "policy");
    if (options->policy != NULL) {
        tell_policy(health, options->policy, TG_ORIGIN_NONE, "given with -p");
        return;
    }
    tell_search(health);
    origin = tg_chosen_locate(path);
    if (origin == TG_ORIGIN_NONE)
        tg_health_note(health, TG_HEALTH_BAD, "in force",
                       "none: programs are left as they are until there is one");
    else if (path[0] != '/')
        tg_health_note(
            health, TG_HEALTH_BAD, "in force",
            "none: TRUSTGRAFT_POLICY %smust be an absolute path, so that every TLS server "
            "is refused",
            path[0] == '\0' ? "is set, but empty or too long: it " : "");
    else
        tell_policy(health, path, origin, origins[origin]);
}

/* ---- the verb ----------------------------------------------------------------------------- */

static bool find_program(const char *word, char path[PATH_MAX])
{
    int error = tg_script_search(word, path);

    if (error != 0)
        tg_complain("%s: %s", word,
                    error == ENOENT && strchr(word, '/') == NULL ? "not found in PATH"
                                                                 : strerror(error));
    return error == 0;
}

static int take_census(const struct tg_options *options)
{
    struct tg_buf out = {0};
    bool whole;

    if (options->operand_count > 0) {
        tg_complain("doctor: --all is about every program, and '%s' is one", options->operands[0]);
        return TG_EXIT_USAGE;
    }
    whole = tg_census(&out, options->json);
    return tg_terminal_write(stdout, &out) && whole ? TG_EXIT_GOOD : TG_EXIT_USAGE;
}

static int doctor(const struct tg_options *options)
{
    const char *word = options->operand_count > 0 ? options->operands[0] : NULL;
    struct tg_health health = {.as_json = options->json};
    char path[PATH_MAX];

    if (options->all)
        return take_census(options);
    if (word != NULL && !find_program(word, path))
        return TG_EXIT_USAGE;
    tg_installation_check(&health);
    check_policy(&health, options);
    if (word != NULL)
        tg_inspect_program(&health, path, NULL);
    if (!tg_terminal_write(stdout, &health.out))
        return TG_EXIT_USAGE;
    return health.bad ? TG_EXIT_REFUSED : TG_EXIT_GOOD;
}

const struct tg_verb tg_verb_doctor = {
    .name = "doctor",
    .synopsis = "[--json] [--all | CMD]",
    .summary = "tell whether everything is in place, and a program reached",
    .details =
        "Really loads each part of trustgraft in a child process, tells where a policy was "
        "looked for, which is in force and whether it is valid, and tries whether its log can be "
        "written. With CMD: which TLS library that program uses, how it is linked, and which way "
        "gets trustgraft into it. Nothing of CMD is run. With --all: which programs in PATH do "
        "TLS, and which way reaches each.\n"
        "Exit 0: all is well; 1: something is wrong, or CMD isn't reached; 2: usage, or CMD "
        "isn't found.",
    .options = TG_OPTION_JSON | TG_OPTION_ALL,
    .most = 1,
    .run = doctor,
};
