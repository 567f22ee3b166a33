#include "installation.h"
#include "child.h"
#include "environment.h"
#include "hook/inject.h"
#include "loadable.h"
#include "preloaded.h"
#include "settings.h"
#include "terminal.h"
#include "text.h"
#include <dlfcn.h>
#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- in a child: what each prints is why it failed ---------------------------------------- */

/* ld.so complains of a library that it can't preload, and goes on without it. */
int tg_installation_try_preload(const char *library)
{
    char *const words[] = {"trustgraft", "--help", NULL};

    fflush(stdout);
    if (setenv("LD_PRELOAD", library, 1) == 0)
        execv("/proc/self/exe", words);
    perror("/proc/self/exe");
    return 1;
}

static int load_engine(const char *library)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    __typeof__(&tg_inject_version) version =
        handle != NULL ? (__typeof__(&tg_inject_version))dlsym(handle, "tg_inject_version") : NULL;

    if (version != NULL && version() == TG_INJECT_VERSION)
        return 0;
    puts(version != NULL ? "it is of another version of trustgraft" : dlerror());
    return 1;
}

static int load_inside(const char *library)
{
    __typeof__(&tg_inject_inside) tell = NULL;
    char inside[200];

    if (load_engine(library) != 0)
        return 1;
    tell = (__typeof__(tell))dlsym(dlopen(library, RTLD_NOW | RTLD_LOCAL), "tg_inject_inside");
    if (tell == NULL) {
        puts("there is no libcrypto inside");
        return 1;
    }
    tell(inside, sizeof(inside));
    puts(inside);
    return 0;
}

/* The system's OpenSSL 3, which programs load the provider into: ours may be another, inside. */
static struct {
    __typeof__(&OpenSSL_version) version;
    __typeof__(&OSSL_LIB_CTX_new) new_context;
    __typeof__(&OSSL_LIB_CTX_load_config) load_config;
    __typeof__(&OSSL_LIB_CTX_free) free_context;
    __typeof__(&OSSL_PROVIDER_available) available;
    __typeof__(&ERR_print_errors_fp) print_errors;
    __typeof__(&EVP_MD_fetch) fetch_digest;
} theirs;

static int load_openssl(const char *unused)
{
    static const struct tg_loadable library = {.file = "libcrypto.so.3",
                                               .called = "libcrypto.so.3",
                                               .need = "the provider needs OpenSSL 3"};
    static const struct tg_loadable_function functions[] = {
        {"OpenSSL_version", &theirs.version},
        {"OSSL_LIB_CTX_new", &theirs.new_context},
        {"OSSL_LIB_CTX_load_config", &theirs.load_config},
        {"OSSL_LIB_CTX_free", &theirs.free_context},
        {"OSSL_PROVIDER_available", &theirs.available},
        {"ERR_print_errors_fp", &theirs.print_errors},
        {"EVP_MD_fetch", &theirs.fetch_digest},
    };
    struct tg_buf why = {0};
    bool loaded =
        tg_loadable_open(&library, functions, sizeof(functions) / sizeof(functions[0]), &why);

    (void)unused;
    if (!loaded)
        puts(tg_why(&why));
    tg_buf_free(&why);
    return !loaded;
}

static int has_provider(OSSL_LIB_CTX *context, const char *name)
{
    if (theirs.available(context, name) == 1)
        return 1;
    theirs.print_errors(stdout);
    printf("the provider '%s' isn't active\n", name);
    return 0;
}

/* OpenSSL as SETTINGS sets it up, or NULL. */
static OSSL_LIB_CTX *start_openssl(const char *settings)
{
    OSSL_LIB_CTX *context = NULL;

    if (load_openssl(NULL) != 0)
        return NULL;
    context = theirs.new_context();
    if (context != NULL && theirs.load_config(context, settings) == 1)
        return context;
    theirs.print_errors(stdout);
    theirs.free_context(context);
    return NULL;
}

int tg_installation_try_settings(const char *settings)
{
    OSSL_LIB_CTX *context = start_openssl(settings);

    if (context == NULL || !has_provider(context, "trustgraft") ||
        !has_provider(context, "default"))
        return 1;
    puts(theirs.version(OPENSSL_VERSION_STRING));
    return 0;
}

int tg_installation_try_plain(const char *settings)
{
    OSSL_LIB_CTX *context = start_openssl(settings);
    EVP_MD *digest = context != NULL ? theirs.fetch_digest(context, "SHA256", NULL) : NULL;

    if (digest == NULL)
        puts("OpenSSL has no SHA-256 with it");
    return digest == NULL;
}

/* ---- the examination ---------------------------------------------------------------------- */

static const char *first_line(struct tg_buf *said)
{
    if (said->text == NULL || said->length == 0)
        return "it says nothing why";
    said->text[strcspn(said->text, "\n")] = '\0';
    return said->text;
}

/* As tg_child_run: ld.so says that it passes over a library, but goes on. */
static int try(enum tg_own own, int (*load)(const char *), const char *path, struct tg_buf *said)
{
    int status = tg_child_run(load, path, said);
    bool ignored = own == TG_OWN_PRELOAD && tg_preloaded_complains(said->text, path);

    return ignored ? 1 : status;
}

static void check_file(struct tg_health *health, enum tg_own own, const char *name,
                       int (*load)(const char *))
{
    char path[PATH_MAX], loads[160] = "loads";
    struct tg_buf said = {0};
    int status;

    if (!tg_environment_find(own, path)) {
        tg_health_note(health, TG_HEALTH_BAD, name,
                       "%s is missing beside this command and in "
                       "../lib/trustgraft",
                       tg_environment_name(own));
        return;
    }
    status = try(own, load, path, &said);
    if (own == TG_OWN_SETTINGS && status == 0)
        snprintf(loads, sizeof(loads), "makes OpenSSL %s load it, and keeps `default`",
                 first_line(&said));
    if (status == 0)
        tg_health_note(health, TG_HEALTH_GOOD, name, "%s %s", path, loads);
    else
        tg_health_note(health, TG_HEALTH_BAD, name, "%s doesn't load: %s", path, first_line(&said));
    tg_buf_free(&said);
}

bool tg_installation_works(enum tg_way way)
{
    bool preload = way == TG_WAY_PRELOAD;
    enum tg_own own = preload ? TG_OWN_PRELOAD : TG_OWN_SETTINGS;
    struct tg_buf said = {0};
    char path[PATH_MAX];
    bool works;

    if (!tg_environment_find(own, path))
        return true; /* tg_environment_inject complains of it */
    works = try(own, preload ? tg_installation_try_preload : tg_installation_try_settings, path,
                &said) == 0;
    if (!works)
        tg_complain("%s doesn't load, and the program would not be under the policy ('trustgraft "
                    "doctor' tells more): %s",
                    path, first_line(&said));
    tg_buf_free(&said);
    return works;
}

bool tg_installation_inside(struct tg_buf *said)
{
    char path[PATH_MAX];
    int status = 1;

    if (tg_environment_find(TG_OWN_INSIDE, path))
        status = tg_child_run(load_inside, path, said);
    else
        tg_buf_printf(said, "%s",
                      tg_environment_needs(TG_OWN_INSIDE)
                          ? "it is missing beside this command and in ../lib/trustgraft"
                          : "trustgraft was built without it: libcrypto.a was missing");
    (void)first_line(said);
    return status == 0;
}

static void check_inside(struct tg_health *health)
{
    struct tg_buf said = {0};
    bool loads = tg_installation_inside(&said);
    enum tg_health_state otherwise =
        tg_environment_needs(TG_OWN_INSIDE) ? TG_HEALTH_BAD : TG_HEALTH_NOTE;

    tg_health_note(health, loads ? TG_HEALTH_GOOD : otherwise, "inside",
                   loads ? "%s loads, with %s" : "%s doesn't load: %s",
                   tg_environment_name(TG_OWN_INSIDE), first_line(&said));
    tg_buf_free(&said);
}

static void check_settings(struct tg_health *health, const char *name, const char *path,
                           enum tg_health_state otherwise, const char *without)
{
    struct tg_buf said = {0};

    if (tg_child_run(tg_installation_try_settings, path, &said) == 0)
        tg_health_note(health, TG_HEALTH_GOOD, name, "%s activates the provider", path);
    else
        tg_health_note(health, otherwise, name, "%s doesn't activate the provider: %s", path,
                       without);
    tg_buf_free(&said);
}

bool tg_installation_has_openssl(void)
{
    struct tg_buf said = {0};
    bool has = tg_child_run(load_openssl, NULL, &said) == 0;

    tg_buf_free(&said);
    return has;
}

void tg_installation_check(struct tg_health *health)
{
    const char *area = X509_get_default_cert_area(), *named = getenv("OPENSSL_CONF");
    char own[PATH_MAX] = "", given[PATH_MAX] = "", path[PATH_MAX];
    bool has_openssl = tg_installation_has_openssl();

    tg_health_section(health, "installation");
    if (has_openssl)
        check_file(health, TG_OWN_ENGINE, "engine", load_engine);
    check_inside(health);
    check_file(health, TG_OWN_PRELOAD, "preload", tg_installation_try_preload);
    tg_preloaded_check(health);
    if (!has_openssl) {
        tg_health_note(health, TG_HEALTH_NOTE, "provider",
                       "this system has no OpenSSL 3 (libcrypto.so.3): it has no use for the "
                       "provider, nor for %s",
                       TG_ENGINE_LINKED);
        return;
    }
    (void)tg_settings_provide();
    check_file(health, TG_OWN_SETTINGS, "provider", tg_installation_try_settings);
    snprintf(path, sizeof(path), "%s/openssl.cnf", area);
    check_settings(health, "system", path, TG_HEALTH_NOTE,
                   "it needn't, unless set-uid programs are to be reached");
    if (named == NULL || *named == '\0')
        return;
    if (tg_environment_find(TG_OWN_SETTINGS, own) && realpath(named, given) != NULL &&
        strcmp(given, own) == 0)
        tg_health_note(health, TG_HEALTH_GOOD, "OPENSSL_CONF", "%s is trustgraft's own", named);
    else
        check_settings(health, "OPENSSL_CONF", named, TG_HEALTH_NOTE,
                       "a program started so is reached by the preload alone");
}
