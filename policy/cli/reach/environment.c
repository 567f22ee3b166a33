#include "environment.h"
#include "hook/inject.h"
#include "mem.h"
#include "terminal.h"
#include "text.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where our own files are, from the directory of this executable: as built, and as installed. */
static const char *const places[] = {"", "../lib/trustgraft/", "../lib/", TG_LIBDIR "/"};

enum { BUILT_OR_OURS = 2, ANYWHERE = sizeof(places) / sizeof(places[0]) };

static const struct {
    const char *name;
    int places; /* how many of them are searched */
} own_files[] = {
    [TG_OWN_PRELOAD] = {.name = "libtrustgraft-preload.so", .places = ANYWHERE},
    [TG_OWN_PROVIDER] = {.name = "ossl-modules/trustgraft.so", .places = ANYWHERE},
    [TG_OWN_SETTINGS] = {.name = "openssl.cnf", .places = BUILT_OR_OURS},
    [TG_OWN_ENGINE] = {.name = TG_ENGINE_LINKED, .places = ANYWHERE},
    [TG_OWN_INSIDE] = {.name = TG_ENGINE_INSIDE, .places = ANYWHERE},
    [TG_OWN_GENERATOR] = {.name = "openssl-cnf", .places = BUILT_OR_OURS},
};
_Static_assert(sizeof(own_files) / sizeof(own_files[0]) == TG_OWN_FILES, "a row for each file");

/* The directory of this executable, with its slash. */
static bool find_self(char self[PATH_MAX])
{
    char *slash = realpath("/proc/self/exe", self) != NULL ? strrchr(self, '/') : NULL;

    if (slash != NULL)
        slash[1] = '\0';
    return slash != NULL;
}

const char *tg_environment_name(enum tg_own own)
{
    return own_files[own].name;
}

bool tg_environment_needs(enum tg_own own)
{
    return own != TG_OWN_INSIDE || TG_HAS_INSIDE;
}

bool tg_environment_find(enum tg_own own, char out[PATH_MAX])
{
    char self[PATH_MAX] = "", candidate[PATH_MAX];
    bool known = find_self(self);

    for (int i = 0; known && i < ANYWHERE && i < own_files[own].places; i++) {
        int length = snprintf(candidate, sizeof(candidate), "%s%s%s", *places[i] == '/' ? "" : self,
                              places[i], own_files[own].name);

        if (length > 0 && length < PATH_MAX && realpath(candidate, out) != NULL)
            return true;
    }
    /* `make install` puts it where OpenSSL looks for modules. */
    snprintf(candidate, sizeof(candidate), "%s/trustgraft.so",
             OPENSSL_info(OPENSSL_INFO_MODULES_DIR));
    return own == TG_OWN_PROVIDER && realpath(candidate, out) != NULL;
}

static bool find_file(enum tg_own own, char out[PATH_MAX])
{
    char self[PATH_MAX] = "";

    if (tg_environment_find(own, out))
        return true;
    if (find_self(self))
        tg_complain("%s is missing: it is neither in %s nor in ../lib/trustgraft beside it",
                    own_files[own].name, self);
    else
        tg_complain("this command's own file can't be found: is /proc mounted? (%s)",
                    strerror(errno));
    return false;
}

static bool set_variable(const char *name, const char *value)
{
    if (setenv(name, value, 1) == 0)
        return true;
    tg_complain("%s can't be set: %s", name, strerror(errno));
    return false;
}

/* True if the list of libraries EXISTING begins with LIBRARY. */
static bool begins_with(const char *existing, const char *library)
{
    size_t length = strlen(library);

    return strncmp(existing, library, length) == 0 && strchr(": ", existing[length]) != NULL;
}

/* ld.so(8): libraries are separated by spaces or colons, with no way to escape these. */
static bool inject_preload(void)
{
    const char *existing = getenv("LD_PRELOAD");
    char library[PATH_MAX];
    struct tg_buf list = {0};
    bool set;

    if (!find_file(TG_OWN_PRELOAD, library))
        return false;
    if (strpbrk(library, " :$") != NULL) {
        tg_complain("%s can't be preloaded: the path holds a space, a colon or a $, which "
                    "LD_PRELOAD doesn't allow",
                    library);
        return false;
    }
    if (existing != NULL && begins_with(existing, library))
        return true;
    tg_buf_add(&list, library);
    if (existing != NULL && *existing != '\0')
        tg_buf_printf(&list, ":%s", existing);
    set = !list.failed && set_variable("LD_PRELOAD", list.text);
    if (list.failed)
        tg_complain("%s", tg_no_memory);
    tg_buf_free(&list);
    return set;
}

/* One file of settings only: the user's own mustn't be lost. */
static void complain_settings(const char *existing)
{
    char module[PATH_MAX];

    if (!find_file(TG_OWN_PROVIDER, module))
        return;
    tg_complain("OPENSSL_CONF is already set, to '%s'. Add these lines to that file, or merge them "
                "with its own, and run the program without 'trustgraft run':",
                existing);
    fprintf(stderr,
            "\n"
            "  config_diagnostics = 1\n"
            "  openssl_conf = trustgraft_openssl\n"
            "  nodejs_conf = trustgraft_openssl\n"
            "\n"
            "  [trustgraft_openssl]\n"
            "  providers = trustgraft_first\n"
            "  trustgraft = trustgraft_required\n"
            "  providers.others = trustgraft_others\n"
            "\n"
            "  [trustgraft_first]\n"
            "  trustgraft = trustgraft_provider\n"
            "\n"
            "  [trustgraft_others]\n"
            "  default = trustgraft_default\n"
            "\n"
            "  [trustgraft_default]\n"
            "  activate = 1\n"
            "\n"
            "  [trustgraft_provider]\n"
            "  module = %s\n"
            "  activate = 1\n"
            "\n"
            "  [trustgraft_required]\n"
            "  path = %s\n",
            module, module);
}

/* Node.js takes an underscore for a hyphen. */
bool tg_environment_has_settings(const char *options)
{
    static const char option[] = "--openssl-config";

    for (; *options != '\0'; options++) {
        size_t i = 0;

        while (option[i] != '\0' && (options[i] == '_' ? '-' : options[i]) == option[i])
            i++;
        if (option[i] == '\0')
            return true;
    }
    return false;
}

static bool inject_provider(void)
{
    const char *existing = getenv("OPENSSL_CONF"), *node = getenv("NODE_OPTIONS");
    char settings[PATH_MAX];

    if (!find_file(TG_OWN_SETTINGS, settings))
        return false;
    if (existing != NULL && strcmp(existing, settings) != 0) {
        complain_settings(existing);
        return false;
    }
    if (node != NULL && tg_environment_has_settings(node)) {
        tg_complain("NODE_OPTIONS has --openssl-config, whose file Node.js reads instead of the "
                    "one with the provider: take it out, or use 'trustgraft run --preload'");
        return false;
    }
    return set_variable("OPENSSL_CONF", settings);
}

bool tg_environment_inject(enum tg_way way)
{
    return way == TG_WAY_PRELOAD ? inject_preload() : inject_provider();
}

/* Without resolving links: files that a policy names are relative to where it stands. */
bool tg_environment_policy(const char *path)
{
    char directory[PATH_MAX], absolute[2 * PATH_MAX];

    if (path[0] == '/')
        return set_variable("TRUSTGRAFT_POLICY", path);
    if (getcwd(directory, sizeof(directory)) == NULL) {
        tg_complain("the working directory is unknown: %s", strerror(errno));
        return false;
    }
    snprintf(absolute, sizeof(absolute), "%s/%s", directory, path);
    return set_variable("TRUSTGRAFT_POLICY", absolute);
}
