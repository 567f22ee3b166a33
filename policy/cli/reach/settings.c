#include "settings.h"
#include "child.h"
#include "environment.h"
#include "save.h"
#include "terminal.h"
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Becomes the generator, with OPTION before its other words unless that is NULL. */
static int generate(const char *option, const char *system)
{
    char script[PATH_MAX], module[PATH_MAX];
    const char *words[] = {script, option, module, system, NULL};
    const char **first = option != NULL ? words : words + 1;

    first[0] = script;
    if (tg_environment_find(TG_OWN_GENERATOR, script) &&
        tg_environment_find(TG_OWN_PROVIDER, module))
        execv(script, (char *const *)first);
    perror("openssl-cnf");
    return 1;
}

int tg_settings_print_end(const char *system)
{
    return generate("--append", system);
}

static int print_whole(const char *system)
{
    return generate(NULL, system);
}

/* Into the file PATH, which isn't there yet; another of this command may be making it as well. */
static bool make(const char *path)
{
    struct tg_buf said = {0}, why = {0};
    struct tg_save save = {.path = path, .text = &said, .mode = 0644, .replace = true};
    char system[PATH_MAX];
    bool made = false;

    snprintf(system, sizeof(system), "%s/openssl.cnf", X509_get_default_cert_area());
    if (tg_child_run(print_whole, system, &said) != 0)
        tg_buf_printf(&why, "can't be made: %s", tg_why(&said));
    else
        made = !said.failed && tg_save_all(&save, 1, false, &why);
    if (!made)
        tg_complain("%s, which the provider needs, %s", path, tg_why(&why));
    tg_buf_free(&said);
    tg_buf_free(&why);
    return made;
}

bool tg_settings_provide(void)
{
    char script[PATH_MAX], module[PATH_MAX], settings[PATH_MAX];

    if (tg_environment_find(TG_OWN_SETTINGS, settings) ||
        !tg_environment_find(TG_OWN_GENERATOR, script) ||
        !tg_environment_find(TG_OWN_PROVIDER, module))
        return true;
    snprintf(settings, sizeof(settings), "%.*s%s", (int)(strrchr(script, '/') + 1 - script), script,
             tg_environment_name(TG_OWN_SETTINGS));
    return make(settings);
}
