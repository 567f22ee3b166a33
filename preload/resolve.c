/*
 * resolve.c - finds the real function per call site.
 *
 * A process may hold several libssl, and some see theirs by RTLD_LOCAL alone (CPython), so
 * there is no one real function. The dynamic linker would have searched the global scope, then
 * the caller's own dependencies, for the version that the caller asks for; so does this. A
 * call that another library passed on (a tail call leaves the return address of its own caller,
 * dlsym none at all) may come from an object that knows no libssl: then the only libssl there is
 * will do.
 *
 * Answers are kept per return address, with what identifies the object that stands there: a
 * module can be closed, and another come to lie at its address. The libssl that was found is
 * never unmapped again, so that no answer dangles; the hook points into it anyway.
 *
 * On the way to a known answer there is no lock: a child that was forked while another thread
 * was here goes on (dl_iterate_phdr's lock, for one, would stay locked in it).
 */
#include "resolve.h"
#include "elf.h"
#include "slot.h"
#include <dlfcn.h>
#include <errno.h>
#include <features.h>

#define NAME(symbol, name) [symbol] = #name,
static const char *const symbol_names[] = {TG_SSL_SYMBOLS(NAME) TG_STORE_SYMBOLS(NAME)
                                               TG_LOOKUP_SYMBOLS(NAME) TG_SOCKET_SYMBOLS(NAME)};
_Static_assert(sizeof(symbol_names) / sizeof(symbol_names[0]) == TG_SYMBOLS, "a name for each");

const char *tg_symbol_name(enum tg_symbol symbol)
{
    return symbol_names[symbol];
}

#if __GLIBC_PREREQ(2, 35)
/* Looked up rather than linked: what is built here shall run on glibc 2.34 as well. */
static __typeof__(&_dl_find_object) find_object(void)
{
    static _Atomic uintptr_t found;
    uintptr_t function = atomic_load_explicit(&found, memory_order_acquire);

    if (function == 0) {
        function = (uintptr_t)dlsym(RTLD_DEFAULT, "_dl_find_object");
        atomic_store_explicit(&found, function, memory_order_release);
    }
    return (__typeof__(&_dl_find_object))function; // NOLINT(performance-no-int-to-ptr)
}
#endif

/* The object that ADDRESS lies in; NULL: none that the linker knows. */
static struct link_map *locate(const void *address)
{
    struct link_map *map = NULL;
    Dl_info info;
#if __GLIBC_PREREQ(2, 35)
    __typeof__(&_dl_find_object) find = find_object();
    struct dl_find_object object;

    if (find != NULL)
        return find((void *)address, &object) == 0 ? object.dlfo_link_map : NULL;
#endif
    return dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) ? map : NULL;
}

/* One search: for a call to NAME, or for the library behind it. */
struct search {
    const char *name;
    const char *whole; /* only what an object defines counts that defines this as well, and no
                        * other shim's wrapper; NULL: any will do */
};

static bool acceptable(const struct search *search, const struct tg_elf *elf,
                       const ElfW(Dyn) *dynamic)
{
    if (dynamic == _DYNAMIC)
        return false;
    return search->whole == NULL || tg_elf_definition(elf, search->whole) != NULL;
}

/* ADDRESS, unless it is in this library or not of the kind that is searched for. */
static void *accept(const struct search *search, void *address)
{
    const struct link_map *map = address != NULL ? locate(address) : NULL;
    struct tg_elf elf;

    if (map == NULL)
        return NULL;
    if (!tg_elf_open(&elf, map->l_addr, map->l_ld) || !acceptable(search, &elf, map->l_ld))
        return NULL;
    return address;
}

static void *lookup(void *scope, const char *name, const char *version)
{
    return version != NULL ? dlvsym(scope, name, version) : dlsym(scope, name);
}

/* In the global scope behind this library, then among the caller's dependencies (SCOPE; may be
 * NULL). */
static void *find_in_scopes(const struct search *search, void *scope, const char *version)
{
    void *found = accept(search, lookup(RTLD_NEXT, search->name, version));

    if (found == NULL && scope != NULL)
        found = accept(search, lookup(scope, search->name, version));
    return found;
}

/* What only a whole library defines. */
#define LIBSSL    "SSL_CTX_free"
#define LIBCRYPTO "X509_STORE_free"

struct definitions {
    const struct search *search;
    void *found;
    unsigned count;
};

static int count_definition(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct definitions *definitions = arg;
    const ElfW(Dyn) *dynamic = tg_elf_dynamic(info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum);
    struct tg_elf elf;
    void *address;

    (void)size;
    if (!tg_elf_open(&elf, info->dlpi_addr, dynamic))
        return 0;
    address = tg_elf_definition(&elf, definitions->search->name);
    if (address == NULL || !acceptable(definitions->search, &elf, dynamic))
        return 0;
    definitions->found = address;
    return ++definitions->count > 1;
}

/* With two libraries there is no telling which was meant: none. */
static void *find_only(const char *name, const char *whole)
{
    struct search search = {.name = name, .whole = whole};
    struct definitions definitions = {.search = &search};

    dl_iterate_phdr(count_definition, &definitions);
    return definitions.count == 1 ? definitions.found : NULL;
}

/* Where nothing is found on the way that the linker would have gone, ONLY is what a library that
 * is the only one of its kind defines. */
static void *find(const struct search *search, const struct link_map *caller, const char *only)
{
    const char *version = NULL;
    struct tg_elf elf;
    void *scope = NULL, *found = NULL;

    if (caller != NULL && tg_elf_open(&elf, caller->l_addr, caller->l_ld)) {
        /* A libssl that calls itself through its PLT means itself. */
        found = accept(search, tg_elf_definition(&elf, search->name));
        if (found != NULL)
            return found;
        version = tg_elf_import_version(&elf, search->name);
    }
    if (caller != NULL && caller->l_name[0] != '\0') /* the main program has the global scope */
        scope = dlopen(caller->l_name, RTLD_NOLOAD | RTLD_LAZY);
    found = find_in_scopes(search, scope, version);
    if (found == NULL && version != NULL)
        found = find_in_scopes(search, scope, NULL);
    if (scope != NULL)
        (void)dlclose(scope);
    return found != NULL ? found : find_only(search->name, only);
}

/* Keeps the object of ADDRESS in the process; the main program stays in any case. */
static bool pin(const void *address)
{
    const struct link_map *map = address != NULL ? locate(address) : NULL;

    if (map == NULL)
        return false;
    return map->l_name[0] == '\0' ||
           dlopen(map->l_name, RTLD_NOLOAD | RTLD_LAZY | RTLD_NODELETE) != NULL;
}

/* The SSL_CTX_new beside FUNCTION; where FUNCTION is another shim's, what CALLER would find. */
static void *find_ssl_ctx_new(const void *function, const struct link_map *caller)
{
    struct search search = {.name = symbol_names[TG_SSL_CTX_NEW], .whole = LIBSSL};
    const struct link_map *map = function != NULL ? locate(function) : NULL;
    struct tg_elf elf;

    if (map != NULL && tg_elf_open(&elf, map->l_addr, map->l_ld) &&
        acceptable(&search, &elf, map->l_ld))
        return tg_elf_definition(&elf, search.name);
    return find(&search, caller, LIBSSL);
}

static struct tg_target find_target(enum tg_symbol symbol, const struct link_map *caller)
{
    struct search search = {.name = symbol_names[symbol]};
    struct tg_target target = {.function = find(&search, caller, LIBSSL)};

    target.ssl_ctx_new = find_ssl_ctx_new(target.function, caller);
    (void)dlerror(); /* what isn't found here is no error of the application's */
    return target;
}

/* What tells an object from another that may come to stand in its place. */
static uint64_t identify(const struct link_map *map)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uintptr_t)map;

    if (map == NULL)
        return hash;
    for (const char *name = map->l_name; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return (hash ^ (uintptr_t)map->l_ld) * UINT64_C(0x100000001b3);
}

/* The answers; a call site has WAYS slots to be in. */
struct answer {
    uint64_t caller, symbol, object, function, ssl_ctx_new;
};
#define ANSWER_WORDS (sizeof(struct answer) / sizeof(uint64_t))
#define SLOTS        64
#define WAYS         4

union record {
    struct answer answer;
    uint64_t words[ANSWER_WORDS];
};

static tg_slot_word answers[SLOTS][1 + ANSWER_WORDS];

static tg_slot_word *slot(uint64_t caller, enum tg_symbol symbol, unsigned way)
{
    uint64_t hash = (caller ^ (uint64_t)symbol << 56) * UINT64_C(0x9e3779b97f4a7c15);

    return answers[((hash >> 32) + way) % SLOTS];
}

static bool recall(const struct answer *wanted, struct tg_target *out)
{
    union record record;

    for (unsigned way = 0; way < WAYS; way++) {
        tg_slot_word *at = slot(wanted->caller, (enum tg_symbol)wanted->symbol, way);
        if (tg_slot_read(at, record.words, ANSWER_WORDS) == 0 ||
            record.answer.caller != wanted->caller || record.answer.symbol != wanted->symbol ||
            record.answer.object != wanted->object)
            continue;
        out->function = (void *)(uintptr_t)record.answer.function;
        out->ssl_ctx_new = (void *)(uintptr_t)record.answer.ssl_ctx_new;
        return true;
    }
    return false;
}

/*
 * In its own slot or an empty one, else in the first: an answer that is pushed out is found
 * anew. A slot in which a write was cut short by a fork takes none.
 */
static void keep(const union record *record)
{
    const struct answer *answer = &record->answer;

    for (unsigned way = 0; way <= WAYS; way++) {
        tg_slot_word *at = slot(answer->caller, (enum tg_symbol)answer->symbol, way % WAYS);
        uint64_t next = (atomic_load(&at[0]) | 1) + 1;
        union record old;
        bool other = tg_slot_read(at, old.words, ANSWER_WORDS) != 0 &&
                     (old.answer.caller != answer->caller || old.answer.symbol != answer->symbol);
        if ((!other || way == WAYS) && tg_slot_write(at, record->words, ANSWER_WORDS, next))
            return;
    }
}

/*
 * OpenSSL's SSL_CTX_new goes on to SSL_CTX_new_ex by a tail call: SSL_CTX_new_ex then returns to
 * this library's own wrapper of SSL_CTX_new. Whoever called that wrapper last in this thread means
 * the same libssl.
 */
static const void *outer_caller(const void *caller, const void **last)
{
    const struct link_map *map = locate(caller);

    if (map == NULL || map->l_ld != _DYNAMIC)
        *last = caller;
    return *last;
}

struct tg_target tg_resolve_ssl(enum tg_symbol symbol, const void *called_from)
{
    static _Thread_local const void *last __attribute__((tls_model("initial-exec")));
    const void *caller = outer_caller(called_from, &last);
    const struct link_map *map = locate(caller);
    union record record = {{(uintptr_t)caller, symbol, identify(map), 0, 0}};
    struct tg_target target = {0};
    int saved = errno;

    if (recall(&record.answer, &target))
        return target;
    target = find_target(symbol, map);
    record.answer.function = (uintptr_t)target.function;
    record.answer.ssl_ctx_new = (uintptr_t)target.ssl_ctx_new;
    if (pin(target.function) && pin(target.ssl_ctx_new))
        keep(&record);
    errno = saved;
    return target;
}

void *tg_resolve_crypto(enum tg_symbol symbol, const void *called_from)
{
    static _Thread_local const void *last __attribute__((tls_model("initial-exec")));
    const void *caller = outer_caller(called_from, &last);
    const struct link_map *map = locate(caller);
    struct search search = {.name = symbol_names[symbol]};
    union record record = {{(uintptr_t)map, symbol, identify(map), 0, 0}};
    struct tg_target target = {0};
    int saved = errno;

    if (recall(&record.answer, &target)) /* the same for all call sites of the caller's object */
        return target.function;
    target.function = find(&search, map, LIBCRYPTO);
    (void)dlerror();
    record.answer.function = (uintptr_t)target.function;
    if (pin(target.function))
        keep(&record);
    errno = saved;
    return target.function;
}

bool tg_resolve_is_inside(const void *caller, const void *function)
{
    const struct link_map *map = locate(caller);

    return map != NULL && map == locate(function);
}

void *tg_resolve_libc(enum tg_symbol symbol)
{
    static _Atomic uintptr_t found[TG_SYMBOLS];
    void *function = (void *)atomic_load_explicit(&found[symbol], memory_order_acquire);

    if (function == NULL) {
        function = dlsym(RTLD_NEXT, symbol_names[symbol]);
        atomic_store_explicit(&found[symbol], (uintptr_t)function, memory_order_release);
    }
    return function;
}
