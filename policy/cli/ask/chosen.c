#include "chosen.h"
#include "compiled.h"
#include "diagnostics.h"
#include "load.h"
#include "terminal.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool tg_chosen_locked(void)
{
    struct tg_diags diags = {0};
    tg_policy *policy;
    bool locked;

    if (!tg_policy_system_present())
        return false;
    policy = tg_policy_open(TG_SYSTEM_POLICY, &diags, NULL);
    locked = policy == NULL || policy->locked;
    tg_policy_free(policy);
    tg_diags_clear(&diags);
    return locked;
}

enum tg_origin tg_chosen_locate(char out[PATH_MAX])
{
    struct tg_policy_source source;

    tg_policy_source_look(&source);
    memcpy(out, source.path, PATH_MAX);
    if (source.origin == TG_ORIGIN_NONE || source.origin == TG_ORIGIN_SYSTEM || !tg_chosen_locked())
        return source.origin;
    snprintf(out, PATH_MAX, "%s", TG_SYSTEM_POLICY);
    return TG_ORIGIN_SYSTEM;
}

bool tg_chosen_path(const struct tg_options *options, char out[PATH_MAX])
{
    if (options->policy != NULL && strlen(options->policy) < PATH_MAX) {
        memcpy(out, options->policy, strlen(options->policy) + 1);
        return true;
    }
    if (options->policy != NULL) {
        tg_complain("--policy: the path is too long");
        return false;
    }
    if (tg_chosen_locate(out) == TG_ORIGIN_NONE) {
        tg_complain("there is no policy: no -p, no TRUSTGRAFT_POLICY, neither "
                    "trustgraft/policy.conf in $XDG_CONFIG_HOME or ~/.config nor " TG_SYSCONFDIR
                    "/trustgraft/policy.conf: 'trustgraft init HOST' proposes one");
        return false;
    }
    if (out[0] == '\0') {
        tg_complain("TRUSTGRAFT_POLICY is set, but empty or too long, so that programs refuse "
                    "every TLS server: unset it, or give it the absolute path of a policy");
        return false;
    }
    if (out[0] != '/') {
        tg_complain("TRUSTGRAFT_POLICY is '%s', but must be an absolute path: the working "
                    "directory never decides",
                    out);
        return false;
    }
    return true;
}

static bool new_place(char out[PATH_MAX])
{
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int length = PATH_MAX;

    if (geteuid() == 0)
        length = snprintf(out, PATH_MAX, "%s", TG_SYSTEM_POLICY);
    else if (xdg != NULL && xdg[0] == '/')
        length = snprintf(out, PATH_MAX, "%s/trustgraft/policy.conf", xdg);
    else if (home != NULL && home[0] == '/')
        length = snprintf(out, PATH_MAX, "%s/.config/trustgraft/policy.conf", home);
    if (length >= PATH_MAX)
        tg_complain("there is no place for a policy: neither XDG_CONFIG_HOME nor HOME is a path");
    return length < PATH_MAX;
}

bool tg_chosen_place(const struct tg_options *options, char out[PATH_MAX])
{
    if (options->policy == NULL && tg_chosen_locate(out) == TG_ORIGIN_NONE)
        return new_place(out);
    return tg_chosen_path(options, out);
}

int tg_chosen_status(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    bool is_file = fd != -1 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);

    if (fd != -1)
        close(fd);
    return is_file ? TG_EXIT_REFUSED : TG_EXIT_USAGE;
}

static tg_policy *get(const struct tg_options *options, bool image, int *status)
{
    struct tg_diags diags = {0};
    char path[PATH_MAX], *note = NULL;
    tg_policy *policy;

    if (!tg_chosen_path(options, path)) {
        *status = TG_EXIT_USAGE;
        return NULL;
    }
    policy = image ? tg_policy_open(path, &diags, &note) : tg_policy_parse(path, &diags);
    if (note != NULL)
        tg_complain("%s", note);
    free(note);
    if (policy == NULL) {
        *status = tg_chosen_status(path);
        tg_diagnostics_print(stderr, &diags);
    }
    tg_diags_clear(&diags);
    return policy;
}

tg_policy *tg_chosen_policy(const struct tg_options *options, int *status)
{
    return get(options, false, status);
}

tg_policy *tg_chosen_decider(const struct tg_options *options, int *status)
{
    return get(options, true, status);
}
