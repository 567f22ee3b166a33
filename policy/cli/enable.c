/* enable.c - enable and disable: trustgraft in every program of this machine, or no longer. */
#include "activation.h"
#include "compiled.h"
#include "diagnostics.h"
#include "source.h"
#include "terminal.h"
#include "verbs.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const dangers[] = {
    [TG_WAY_PRELOAD] =
        "\nld.so then loads the library into every process that starts, set-uid ones too. A\n"
        "library that doesn't work keeps the machine from starting: leave a root shell open\n"
        "until you have seen programs start. To undo it by hand, remove the line again.\n",
    [TG_WAY_PROVIDER] =
        "\nEvery program whose OpenSSL reads this file is then under the policy, set-uid ones\n"
        "too. If the module is removed without `trustgraft disable`, these programs end with an\n"
        "error. Programs that run now stay as they are until they start anew. What uses GnuTLS\n"
        "(git, wget, apt) doesn't read it: `trustgraft enable --preload` reaches these too.\n",
};

/* The lines from FROM to END, each behind SIGN. */
static void show_lines(const char *from, const char *end, char sign, enum tg_colour colour)
{
    while (from < end) {
        size_t length = strcspn(from, "\n");

        printf("%s%c %.*s%s\n", tg_terminal_colour(stdout, colour), sign, (int)length, from,
               tg_terminal_colour(stdout, TG_PLAIN));
        from += length + (from[length] == '\n');
    }
}

/* What is between the lines that both have at their beginnings and at their ends. */
static void show_change(const struct tg_activation *plan)
{
    const char *old = tg_activation_before(plan), *new = tg_activation_after(plan);
    const char *old_end = old + strlen(old), *new_end = new + strlen(new);
    size_t same = 0, line = 0;

    while (old[same] != '\0' && old[same] == new[same])
        if (old[same++] == '\n')
            line = same;
    old += line;
    new += line;
    while (old_end > old && new_end > new &&old_end[-1] == new_end[-1]) {
        old_end--;
        new_end--;
    }
    while (old_end > old && old_end[-1] != '\n' && *old_end != '\0')
        old_end++, new_end++;
    printf("%s:\n", plan->file.path);
    show_lines(old, old_end, '-', TG_BAD);
    show_lines(new, new_end, '+', TG_GOOD);
}

/* A policy with errors would refuse every server of every program. */
static bool policy_is_fit(void)
{
    struct tg_diags diags = {0};
    tg_policy *policy = NULL;
    bool fit = true;

    if (!tg_policy_system_present()) {
        printf(
            "There is no " TG_SYSTEM_POLICY " yet: until there is, nothing changes for any "
            "program but those\nof users with a policy of their own. 'trustgraft init HOST' makes "
            "one.\n\n");
        return true;
    }
    policy = tg_policy_open(TG_SYSTEM_POLICY, &diags, NULL);
    if (policy == NULL) {
        tg_diagnostics_print(stderr, &diags);
        tg_complain(TG_SYSTEM_POLICY " has errors: every TLS server would be refused");
        fit = false;
    }
    tg_diags_clear(&diags);
    tg_policy_free(policy);
    return fit;
}

static bool agreed(const struct tg_options *options)
{
    if (options->yes)
        return true;
    if (!isatty(STDIN_FILENO)) {
        tg_complain("nothing is changed without --yes where nobody can be asked");
        return false;
    }
    return tg_terminal_ask("Change it?");
}

/* Programs look for the policy themselves: here none can be named. */
static bool names_policy(const struct tg_options *options, const char *verb)
{
    if (options->policy != NULL)
        tg_complain("%s: -p has no effect: programs read " TG_SYSTEM_POLICY, verb);
    return options->policy != NULL;
}

/*
 * Settings that are broken, perhaps by what is to be undone, mustn't be in the way: our own OpenSSL
 * goes without them. What is tried is read by its name.
 */
static int change(const struct tg_options *options, enum tg_way way, bool on)
{
    struct tg_activation plan = {0};
    int status = TG_EXIT_USAGE;

    fflush(stdout);
    if (setenv("OPENSSL_CONF", "/dev/null", 1) != 0)
        return status;
    if (!tg_activation_plan(&plan, way, on))
        goto done;
    status = TG_EXIT_GOOD;
    if (!tg_activation_changes(&plan)) {
        printf("%s: nothing to change, it is %s\n", plan.file.path, on ? "on" : "off");
        goto done;
    }
    show_change(&plan);
    if (on)
        fputs(dangers[way], stdout);
    if (options->dry_run)
        goto done;
    fflush(stdout);
    if (!agreed(options))
        status = TG_EXIT_USAGE;
    else if (!tg_activation_carry_out(&plan))
        status = TG_EXIT_REFUSED;
    else
        printf("\n%s is changed, and programs start.%s\n", plan.file.path,
               on ? " Which servers they refuse, and why,\n'trustgraft log' shows." : "");
done:
    tg_activation_clear(&plan);
    return status;
}

static int enable(const struct tg_options *options)
{
    if (options->preload && options->provider) {
        tg_complain("enable: --preload and --provider exclude each other: a program needs one");
        return TG_EXIT_USAGE;
    }
    if (names_policy(options, "enable"))
        return TG_EXIT_USAGE;
    if (!policy_is_fit())
        return TG_EXIT_REFUSED;
    return change(options, options->preload ? TG_WAY_PRELOAD : TG_WAY_PROVIDER, true);
}

static int disable(const struct tg_options *options)
{
    bool both = !options->preload && !options->provider;
    int preload = TG_EXIT_GOOD, provider = TG_EXIT_GOOD;

    if (names_policy(options, "disable"))
        return TG_EXIT_USAGE;
    if (both || options->provider)
        provider = change(options, TG_WAY_PROVIDER, false);
    if (both || options->preload)
        preload = change(options, TG_WAY_PRELOAD, false);
    return preload > provider ? preload : provider;
}

const struct tg_verb tg_verb_enable = {
    .name = "enable",
    .synopsis = "[--provider | --preload] [--yes] [--dry-run]",
    .summary = "put every program of this machine under the system's policy",
    .details =
        "Shows what it will change, asks, changes it atomically, looks whether programs still "
        "start, and takes it back if not. With --provider (the default) a block at the end of "
        "the system's openssl.cnf turns the provider on; with --preload a line in "
        "/etc/ld.so.preload has the library loaded into every process.\n"
        "Exit 0: done, or nothing to do; 1: refused or taken back; 2: usage, or not "
        "permitted.",
    .options = TG_OPTION_PRELOAD | TG_OPTION_PROVIDER | TG_OPTION_YES | TG_OPTION_DRY_RUN,
    .run = enable,
};

const struct tg_verb tg_verb_disable = {
    .name = "disable",
    .synopsis = "[--provider | --preload] [--yes] [--dry-run]",
    .summary = "undo what `enable` did",
    .details =
        "Takes away what `enable` wrote, both if neither way is named. The rest of the files "
        "stays as it is, byte for byte.\n"
        "Exit 0: done, or nothing to do; 1: taken back; 2: usage, or not permitted.",
    .options = TG_OPTION_PRELOAD | TG_OPTION_PROVIDER | TG_OPTION_YES | TG_OPTION_DRY_RUN,
    .run = disable,
};
