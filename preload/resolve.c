/*
 * resolve.c - finds the real function per call site.
 *
 * A process may hold several libssl, and some see theirs by RTLD_LOCAL alone (CPython), so
 * there is no one real function. The dynamic linker would have searched the global scope, then
 * the caller's own dependencies, for the version that the caller asks for; so do we. A call
 * that another library passed on (a tail call leaves its caller's return address, dlsym none
 * at all) may come from an object that knows no libssl: then the only libssl there is will do.
 *
 * Answers are kept per return address. Nothing is pinned, so a module can still be closed;
 * instead the linker's count of closed objects is kept with each answer, and once it moves the
 * answer no longer counts: another object may stand at the same address by then.
 */
#include "resolve.h"
#include "elf.h"
#include "slot.h"
#include <dlfcn.h>
#include <errno.h>

static const char *const symbol_names[TG_SYMBOLS] = {
    [TG_SSL_CTX_NEW] = "SSL_CTX_new",
    [TG_SSL_CTX_NEW_EX] = "SSL_CTX_new_ex",
    [TG_SSL_NEW] = "SSL_new",
    [TG_SSL_CTX_SET_CERT_VERIFY_CALLBACK] = "SSL_CTX_set_cert_verify_callback",
    [TG_SSL_SET_INFO_CALLBACK] = "SSL_set_info_callback",
    [TG_SSL_GET_INFO_CALLBACK] = "SSL_get_info_callback",
    [TG_GETADDRINFO] = "getaddrinfo",
    [TG_GETHOSTBYNAME] = "gethostbyname",
    [TG_GETHOSTBYNAME2] = "gethostbyname2",
    [TG_GETHOSTBYNAME_R] = "gethostbyname_r",
    [TG_GETHOSTBYNAME2_R] = "gethostbyname2_r",
};

const char *tg_symbol_name(enum tg_symbol symbol)
{
    return symbol_names[symbol];
}

/* One search: for a call to NAME, or for the libssl behind it. */
struct search {
    const char *name;
    bool libssl; /* only what a whole libssl defines counts, no other shim's wrapper */
};

static bool acceptable(const struct search *search, const struct tg_elf *elf,
                       const ElfW(Dyn) * dynamic)
{
    if (dynamic == _DYNAMIC)
        return false;
    return !search->libssl || tg_elf_definition(elf, "SSL_CTX_free") != NULL;
}

/* ADDRESS, unless it is ours or not of the kind that is searched for. */
static void *accept(const struct search *search, void *address)
{
    struct link_map *map = NULL;
    struct tg_elf elf;
    Dl_info info;

    if (address == NULL || !dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP))
        return NULL;
    if (!tg_elf_open(&elf, map->l_addr, map->l_ld) || !acceptable(search, &elf, map->l_ld))
        return NULL;
    return address;
}

static void *lookup(void *scope, const char *name, const char *version)
{
    return version != NULL ? dlvsym(scope, name, version) : dlsym(scope, name);
}

/* In the global scope behind us, then among the caller's dependencies (SCOPE; may be NULL). */
static void *find_in_scopes(const struct search *search, void *scope, const char *version)
{
    void *found = accept(search, lookup(RTLD_NEXT, search->name, version));

    if (found == NULL && scope != NULL)
        found = accept(search, lookup(scope, search->name, version));
    return found;
}

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

/* With two libssl there is no telling which was meant: none. */
static void *find_only(const char *name)
{
    struct search search = {.name = name, .libssl = true};
    struct definitions definitions = {.search = &search};

    dl_iterate_phdr(count_definition, &definitions);
    return definitions.count == 1 ? definitions.found : NULL;
}

static void *find(const struct search *search, const struct link_map *caller)
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
    return found != NULL ? found : find_only(search->name);
}

static struct tg_target find_target(enum tg_symbol symbol, const void *caller)
{
    struct search function = {.name = symbol_names[symbol]};
    struct search libssl = {.name = symbol_names[TG_SSL_CTX_NEW], .libssl = true};
    struct link_map *map = NULL;
    Dl_info info;

    if (!dladdr1(caller, &info, (void **)&map, RTLD_DL_LINKMAP))
        map = NULL;
    struct tg_target target = {.function = find(&function, map), .ssl_ctx_new = find(&libssl, map)};
    (void)dlerror(); /* what we didn't find is no error of the application's */
    return target;
}

/* How many objects were ever closed, as far as this caller can see: 0 where nobody counts. */
static int read_closed(struct dl_phdr_info *info, size_t size, void *arg)
{
    uint64_t *closed = arg;

    if (size >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof(info->dlpi_subs))
        *closed = info->dlpi_subs;
    return 1;
}

/* The answers; a call site has WAYS slots to be in. */
struct answer {
    uint64_t caller, symbol, closed, function, ssl_ctx_new;
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
            record.answer.closed != wanted->closed)
            continue;
        out->function = (void *)(uintptr_t)record.answer.function;
        out->ssl_ctx_new = (void *)(uintptr_t)record.answer.ssl_ctx_new;
        return true;
    }
    return false;
}

/* In an empty or outdated slot, else in the first: an answer that is pushed out is found anew. */
static void keep(const union record *record)
{
    const struct answer *answer = &record->answer;
    tg_slot_word *best = slot(answer->caller, (enum tg_symbol)answer->symbol, 0);
    union record old;

    for (unsigned way = 0; way < WAYS; way++) {
        tg_slot_word *at = slot(answer->caller, (enum tg_symbol)answer->symbol, way);
        if (tg_slot_read(at, old.words, ANSWER_WORDS) != 0 && old.answer.closed == answer->closed)
            continue;
        best = at;
        break;
    }
    (void)tg_slot_write(best, record->words, ANSWER_WORDS, (atomic_load(&best[0]) | 1) + 1);
}

struct tg_target tg_resolve_ssl(enum tg_symbol symbol, const void *caller)
{
    struct tg_target target = {0};
    union record record = {{.caller = (uintptr_t)caller, .symbol = symbol}};
    int saved = errno;

    dl_iterate_phdr(read_closed, &record.answer.closed);
    if (!recall(&record.answer, &target)) {
        target = find_target(symbol, caller);
        record.answer.function = (uintptr_t)target.function;
        record.answer.ssl_ctx_new = (uintptr_t)target.ssl_ctx_new;
        if (target.function != NULL && target.ssl_ctx_new != NULL)
            keep(&record);
    }
    errno = saved;
    return target;
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
