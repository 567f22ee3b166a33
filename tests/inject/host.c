/*
 * host.c - host SCENARIO PKI trusting|trustless MODULE [MODULE]: a program without libssl,
 * whose modules bring theirs along, loaded locally as CPython does. Prints what became of each
 * connection, in one line; the exit status is 0 unless something is broken.
 */
#include "module.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *pki;
static int trusting;

static const struct module *load_how(const char *path, int mode, void **handle)
{
    *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | mode);
    if (*handle == NULL) {
        (void)fprintf(stderr, "host: %s\n", dlerror());
        return NULL;
    }
    return dlsym(*handle, "module");
}

static const struct module *load(const char *path, void **handle)
{
    return load_how(path, 0, handle);
}

static void say(const char *word)
{
    static bool more;

    (void)printf("%s%s", more ? " " : "", word);
    more = true;
}

/* Loads PATH, connects, and closes it again if ONCE. Says "broken" if it then stays loaded. */
static int visit(const char *path, bool once)
{
    void *handle = NULL;
    const struct module *module = load(path, &handle);

    if (module == NULL)
        return 1;
    say(module->connect(pki, trusting));
    if (once && (dlclose(handle) != 0 || dlopen(path, RTLD_NOW | RTLD_NOLOAD) != NULL))
        say("broken");
    return 0;
}

static int local(char **paths)
{
    return visit(paths[0], false);
}

static int reopened(char **paths)
{
    int result = 0;

    for (int i = 0; result == 0 && i < 3; i++)
        result = visit(paths[0], i < 2);
    return result;
}

/* The second may stand at the address of the first, but has another libssl. */
static int swapped(char **paths)
{
    int result = 0;

    for (int i = 0; result == 0 && i < 3; i++)
        result = visit(paths[i % 2], true);
    return result;
}

static int together(char **paths)
{
    int result = 0;

    for (int i = 0; result == 0 && i < 3; i++)
        result = visit(paths[i % 2], false);
    return result;
}

/* The second goes past what is preloaded. */
static int deep(char **paths)
{
    void *handle = NULL;
    const struct module *first = load(paths[0], &handle), *second = NULL;

    if (first == NULL)
        return 1;
    say(first->connect(pki, trusting));
    second = load_how(paths[1], RTLD_DEEPBIND, &handle);
    if (second == NULL)
        return 1;
    say(second->connect(pki, trusting));
    say(first->connect(pki, trusting));
    return 0;
}

/* As deep, the other way round; between the first and the others an engine arrives, paths[3]. */
static int overtaken(char **paths)
{
    void *handle = NULL;
    const struct module *first = load_how(paths[0], RTLD_DEEPBIND, &handle);

    if (first == NULL)
        return 1;
    say(first->connect(pki, trusting));
    if (dlopen(paths[3], RTLD_NOW | RTLD_LOCAL) == NULL)
        return 1;
    return visit(paths[1], false) || visit(paths[2], false);
}

static int passed_on(char **paths)
{
    void *handle = NULL;
    const struct module *module = load(paths[0], &handle);

    if (module == NULL)
        return 1;
    say(module->connect_with(module->passed_on(module->method()), pki, trusting));
    return 0;
}

#define CROWD 48

static pthread_barrier_t crowd_starts;

static void *join_crowd(void *path)
{
    const struct module *module = NULL;
    void *handle = NULL;

    (void)pthread_barrier_wait(&crowd_starts);
    module = load(path, &handle);
    return (void *)(module != NULL ? module->connect(pki, trusting) : "broken");
}

/* The first TLS of the process, in many threads at once, which load it: what became of all. */
static int rush(char **paths)
{
    pthread_t threads[CROWD];
    const char *first = NULL;
    void *word = NULL;
    bool mixed = false;

    if (pthread_barrier_init(&crowd_starts, NULL, CROWD) != 0)
        return 1;
    for (int i = 0; i < CROWD; i++)
        if (pthread_create(&threads[i], NULL, join_crowd, paths[i % 2]) != 0)
            return 1;
    for (int i = 0; i < CROWD; i++) {
        (void)pthread_join(threads[i], &word);
        first = first != NULL ? first : word;
        mixed = mixed || strcmp(first, word) != 0;
    }
    say(mixed ? "mixed" : first);
    return 0;
}

/* The same where both are there before. */
static int crowd(char **paths)
{
    void *handle = NULL;

    for (int i = 0; i < 2; i++)
        if (load(paths[i], &handle) == NULL)
            return 1;
    return rush(paths);
}

static const struct {
    const char *name;
    int (*run)(char **paths);
    int modules;
} scenarios[] = {
    {"local", local, 1},       {"reopened", reopened, 1},   {"swapped", swapped, 2},
    {"together", together, 2}, {"passed-on", passed_on, 1}, {"crowd", crowd, 2},
    {"deep", deep, 2},         {"rush", rush, 2},           {"overtaken", overtaken, 4},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        if (argc < 5 || strcmp(scenarios[i].name, argv[1]) != 0 || argc != 4 + scenarios[i].modules)
            continue;
        pki = argv[2];
        trusting = strcmp(argv[3], "trusting") == 0;
        int result = scenarios[i].run(&argv[4]);
        (void)puts("");
        return result;
    }
    return 2;
}
