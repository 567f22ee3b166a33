/*
 * engine.c - loads an engine when TLS begins, and has it hook the libssl at hand.
 *
 * Threads that come at once all load it and store the same addresses: there is no lock that a
 * fork(2) meanwhile could leave locked in the child.
 */
#include "engine.h"
#include "bounded.h"
#include "choice.h"
#include "early.h"
#include "ends.h"
#include "hellos.h"
#include "loaded.h"
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FUNCTIONS (sizeof(struct tg_engine) / sizeof(uintptr_t))

#define NAME(name) "tg_inject_" #name,
static const char *const names[] = {TG_ENGINE_FUNCTIONS(NAME)};
_Static_assert(sizeof(names) / sizeof(names[0]) == FUNCTIONS, "a name for each function");

union table {
    struct tg_engine engine;
    uintptr_t function[FUNCTIONS];
};

static _Atomic uintptr_t functions[FUNCTIONS];
enum state { STATE_UNLOADED, STATE_LOADED, STATE_ACTIVE, STATE_INERT };
static TG_EARLY _Atomic enum state state;

static TG_EARLY dev_t stderr_device;
static TG_EARLY ino_t stderr_inode;
static struct tg_policy_source source; /* of the policy; stays as it is once it was looked for */

static void look(void)
{
    enum state unloaded = STATE_UNLOADED;
    struct stat status;

    if (fstat(STDERR_FILENO, &status) == 0) {
        stderr_device = status.st_dev;
        stderr_inode = status.st_ino;
    }
    tg_policy_source_look(&source);
    if (source.origin == TG_ORIGIN_NONE)
        atomic_compare_exchange_strong(&state, &unloaded, STATE_INERT);
}

/* The constructor of another library may make a context before this library's is called. */
static void look_once(void)
{
    static TG_EARLY pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, look);
}

/* Descriptor 2 may be a file of the program's own by now, or a pipe without a reader. */
static bool stderr_is_there(void)
{
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    struct stat status;

    return fstat(STDERR_FILENO, &status) == 0 && status.st_dev == stderr_device &&
           status.st_ino == stderr_inode && poll(&ready, 1, 0) == 1 && ready.revents == POLLOUT;
}

const struct tg_policy_source *tg_engine_source(void)
{
    return &source;
}

bool tg_engine_is_stderr(const struct stat *status)
{
    return stderr_inode != 0 && status->st_dev == stderr_device && status->st_ino == stderr_inode;
}

void tg_engine_complain(const char *what, const char *detail)
{
    static atomic_flag said = ATOMIC_FLAG_INIT;
    char line[1024];

    if (atomic_flag_test_and_set(&said))
        return;
    int length = snprintf(line, sizeof(line), "trustgraft: %s%s%s; no TLS in this process\n", what,
                          detail != NULL ? ": " : "", detail != NULL ? detail : "");
    if (length >= (int)sizeof(line))
        length = sizeof(line) - 1;
    if (length > 0 && stderr_is_there() &&
        tg_bounded_write(STDERR_FILENO, line, (size_t)length) < 0)
        return; /* there is nobody left to tell */
}

/* Of what the program is linked to; itself, which comes first, is embedded.c's. */
static int find_libssl(struct dl_phdr_info *info, size_t size, void *arg)
{
    const ElfW(Dyn) *dynamic = tg_elf_dynamic(info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum);
    bool *program = arg, itself = *program;
    struct tg_elf elf;

    (void)size;
    *program = false;
    return !itself && dynamic != _DYNAMIC && tg_elf_open(&elf, info->dlpi_addr, dynamic) &&
           tg_elf_definition(&elf, "SSL_CTX_new") != NULL;
}

void tg_engine_begin(void)
{
    bool program = true;
    int saved = errno;

    look_once();
    /* Should it fail, the first context tries again, and says so. */
    if (source.origin != TG_ORIGIN_NONE && dl_iterate_phdr(find_libssl, &program) != 0)
        (void)tg_choice_open();
    (void)dlerror();
    errno = saved;
}

/* The handle is never closed: hooks in libssl point into the engine until the process ends. */
static bool load(union table *table)
{
    void *handle = tg_choice_open();

    if (handle == NULL) {
        tg_engine_complain("its engine can't be loaded", dlerror());
        return false;
    }
    for (size_t i = 0; i < FUNCTIONS; i++) {
        table->function[i] = (uintptr_t)dlsym(handle, names[i]);
        if (table->function[i] == 0) {
            tg_engine_complain("libtrustgraft.so is of another version: it lacks", names[i]);
            return false;
        }
    }
    if (table->engine.version() != TG_INJECT_VERSION) {
        tg_engine_complain("libtrustgraft.so is of another version", NULL);
        return false;
    }
    return true;
}

static const struct tg_inject_sockets sockets = {
    .names = tg_ends_names,
    .hello = tg_hellos_find,
    .initials = tg_hellos_initials,
};

static void fetch(union table *table)
{
    for (size_t i = 0; i < FUNCTIONS; i++)
        table->function[i] = atomic_load_explicit(&functions[i], memory_order_relaxed);
}

static bool obtain(union table *table)
{
    if (atomic_load_explicit(&state, memory_order_acquire) != STATE_UNLOADED) {
        fetch(table);
        return true;
    }
    if (!load(table))
        return false;
    for (size_t i = 0; i < FUNCTIONS; i++)
        atomic_store_explicit(&functions[i], table->function[i], memory_order_relaxed);
    table->engine.set_sockets(&sockets);
    table->engine.set_stderr(stderr_device, stderr_inode);
    table->engine.set_source(&source);
    enum state expected = STATE_UNLOADED;
    atomic_compare_exchange_strong(&state, &expected, STATE_LOADED);
    return true;
}

/* What came of putting a library under the policy; false: it mustn't be used. */
static bool settle(enum tg_injected injected)
{
    enum state inert_from = STATE_LOADED; /* a policy that another thread has met stays in force */

    switch (injected) {
    case TG_INJECT_INERT:
        atomic_compare_exchange_strong(&state, &inert_from, STATE_INERT);
        return true;
    case TG_INJECT_HOOKED:
        tg_hellos_start();
        atomic_store_explicit(&state, STATE_ACTIVE, memory_order_release);
        return true;
    case TG_INJECT_FAILED:
        break; /* it has said why */
    }
    return false;
}

static bool hook(void *ssl_ctx_new)
{
    union table table;

    return obtain(&table) && settle(table.engine.libssl(ssl_ctx_new));
}

bool tg_engine_protect(void *ssl_ctx_new)
{
    /*
     * The libssl that this thread had hooked last. So the engine is asked once a thread, and
     * where two libssl take turns, it hears of each turn.
     */
    static _Thread_local void *last __attribute__((tls_model("initial-exec")));
    int saved = errno;

    if (ssl_ctx_new == NULL)
        return false;
    look_once();
    if (last == ssl_ctx_new || atomic_load_explicit(&state, memory_order_acquire) == STATE_INERT)
        return true;
    bool allowed = hook(ssl_ctx_new);
    last = allowed ? ssl_ctx_new : NULL;
    errno = saved;
    return allowed;
}

bool tg_engine_embedded(struct tg_inject_embedded *embedded)
{
    union table table;

    if (!obtain(&table))
        return false;
    table.engine.embedded(embedded);
    return true;
}

/* ---- GnuTLS ---- */

bool tg_engine_protect_gnutls(void *function, struct tg_engine_gnutls *gnutls)
{
    int saved = errno;
    union table table;
    bool allowed = false;

    *gnutls = (struct tg_engine_gnutls){NULL, NULL};
    look_once();
    if (atomic_load_explicit(&state, memory_order_acquire) == STATE_INERT)
        return true;
    if (obtain(&table))
        allowed = settle(table.engine.gnutls(function, &gnutls->library, &gnutls->hook));
    errno = saved;
    return allowed;
}

bool tg_engine_gnutls(void *function, struct tg_engine_gnutls *gnutls)
{
    *gnutls = (struct tg_engine_gnutls){NULL, NULL};
    return atomic_load_explicit(&state, memory_order_acquire) == STATE_ACTIVE &&
           tg_engine_protect_gnutls(function, gnutls) && gnutls->library != NULL;
}

/* ---- NSS ---- */

bool tg_engine_protect_nss(void *function, struct tg_engine_nss *nss)
{
    int saved = errno;
    union table table;
    bool allowed = false;

    *nss = (struct tg_engine_nss){NULL, NULL};
    look_once();
    if (atomic_load_explicit(&state, memory_order_acquire) == STATE_INERT)
        return true;
    if (obtain(&table))
        allowed = settle(table.engine.nss(function, &nss->library, &nss->hook));
    errno = saved;
    return allowed;
}

bool tg_engine_nss(void *function, struct tg_engine_nss *nss)
{
    *nss = (struct tg_engine_nss){NULL, NULL};
    return atomic_load_explicit(&state, memory_order_acquire) == STATE_ACTIVE &&
           tg_engine_protect_nss(function, nss) && nss->library != NULL;
}

const struct tg_nss_hook *tg_engine_nss_hook(void)
{
    struct tg_engine_nss nss = {NULL, NULL};

    return atomic_load_explicit(&state, memory_order_acquire) == STATE_ACTIVE &&
                   tg_engine_protect_nss(NULL, &nss)
               ? nss.hook
               : NULL;
}

/* It stays where it is, so it is looked for once. */
const struct link_map *tg_engine_object(void)
{
    static const struct link_map *_Atomic object;
    const struct link_map *found = atomic_load_explicit(&object, memory_order_acquire);
    uintptr_t function = atomic_load_explicit(&functions[0], memory_order_relaxed);

    if (found != NULL || function == 0)
        return found;
    found = tg_elf_map((const void *)function); // NOLINT(performance-no-int-to-ptr)
    atomic_store_explicit(&object, found, memory_order_release);
    return found;
}

bool tg_engine_inert(void)
{
    return atomic_load_explicit(&state, memory_order_relaxed) == STATE_INERT;
}

bool tg_engine_active(struct tg_engine *engine)
{
    union table table;

    if (atomic_load_explicit(&state, memory_order_acquire) != STATE_ACTIVE)
        return false;
    fetch(&table);
    *engine = table.engine;
    return true;
}

static atomic_bool stores_begun;

void tg_engine_begin_stores(void *function, const struct link_map *object)
{
    static _Thread_local const struct link_map *last __attribute__((tls_model("initial-exec")));
    int saved = errno;
    union table table;

    look_once();
    if (last == object || atomic_load_explicit(&state, memory_order_acquire) == STATE_INERT)
        return;
    if (obtain(&table)) {
        table.engine.begin_stores(function);
        atomic_store_explicit(&stores_begun, true, memory_order_release);
    }
    last = object;
    errno = saved;
}

const struct tg_inject_stores *tg_engine_stores(void)
{
    const size_t number = offsetof(struct tg_engine, stores) / sizeof(uintptr_t);
    __typeof__(&tg_inject_stores) stores = NULL;

    if (!atomic_load_explicit(&stores_begun, memory_order_acquire) &&
        atomic_load_explicit(&state, memory_order_acquire) != STATE_ACTIVE)
        return NULL;
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    stores = (void *)atomic_load_explicit(&functions[number], memory_order_relaxed);
    return stores();
}
