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
 * On the way to a known answer there is no lock, which a child that was forked while another thread
 * was here would find locked.
 */
#include "resolve.h"
#include "early.h"
#include "engine.h"
#include "loaded.h"
#include "slot.h"
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#define NAME(symbol, name)                     [symbol] = #name,
#define FOREIGN_NAME(result, name, parameters) [TG_SYMBOL_##name] = #name,
static const char *const symbol_names[] = {
    TG_SSL_SYMBOLS(NAME) TG_STORE_SYMBOLS(NAME) TG_ERROR_SYMBOLS(NAME) TG_LOOKUP_SYMBOLS(NAME)
        TG_SOCKET_SYMBOLS(NAME) TG_FOREIGN_SYMBOLS(FOREIGN_NAME)};
_Static_assert(sizeof(symbol_names) / sizeof(symbol_names[0]) == TG_SYMBOLS, "a name for each");

const char *tg_symbol_name(enum tg_symbol symbol)
{
    return symbol_names[symbol];
}

/* What a whole library defines, and no other shim has a wrapper of. */
static const char whole_libssl[] = "SSL_CTX_free", whole_libcrypto[] = "X509_STORE_free";
static const char *const whole_foreign[TG_FOREIGNS] = {
    [TG_FOREIGN_GNUTLS] = "gnutls_record_recv",
    [TG_FOREIGN_NSS_SSL] = "SSL_GetNumImplementedCiphers",
    [TG_FOREIGN_NSS] = "CERT_DestroyCertificate",
    [TG_FOREIGN_NSPR] = "PR_PopIOLayer",
};

/* One search: for a call to NAME, or for the library behind it. */
struct search {
    const char *name;
    const char *whole; /* only what a library with this function defines counts; NULL: any does */
};

static bool acceptable(const struct search *search, const struct tg_elf *elf,
                       const ElfW(Dyn) *dynamic)
{
    if (dynamic == _DYNAMIC)
        return false;
    return search->whole == NULL || tg_elf_definition(elf, search->whole) != NULL;
}

/* ADDRESS, unless it is in this library or not of the kind that is searched for. */
static void *admit(const struct search *search, void *address)
{
    const struct link_map *map = address != NULL ? tg_elf_map(address) : NULL;
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

/* Among the dependencies of CALLER, dear to collect. The main program has the global scope. */
static void *find_below(const struct search *search, const struct link_map *caller,
                        const char *version)
{
    void *scope = NULL, *found = NULL;

    if (caller != NULL && !tg_libc_is_program(caller))
        scope = dlopen(caller->l_name, RTLD_NOLOAD | RTLD_LAZY);
    if (scope == NULL)
        return NULL;
    found = admit(search, lookup(scope, search->name, version));
    (void)dlclose(scope);
    return found;
}

/* In the global scope behind this library, then below CALLER (may be NULL). */
static void *find_in_scopes(const struct search *search, const struct link_map *caller,
                            const char *version)
{
    void *found = admit(search, lookup(RTLD_NEXT, search->name, version));

    return found != NULL ? found : find_below(search, caller, version);
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

/* With two such libraries there is no telling which was meant: none. */
static void *find_only(const char *name, const char *whole)
{
    struct search search = {.name = name, .whole = whole};
    struct definitions definitions = {.search = &search};

    dl_iterate_phdr(count_definition, &definitions);
    return definitions.count == 1 ? definitions.found : NULL;
}

static void *find(const struct search *search, const char *whole, const struct link_map *caller)
{
    const char *version = NULL;
    struct tg_elf elf;
    void *found = NULL;

    if (caller != NULL && tg_elf_open(&elf, caller->l_addr, caller->l_ld)) {
        /* A libssl that calls itself through its PLT means itself. */
        found = admit(search, tg_elf_definition(&elf, search->name));
        if (found != NULL)
            return found;
        version = tg_elf_import_version(&elf, search->name);
    }
    found = find_in_scopes(search, caller, version);
    if (found == NULL && version != NULL)
        found = find_in_scopes(search, caller, NULL);
    return found != NULL ? found : find_only(search->name, whole);
}

/* Keeps the object of ADDRESS in the process; the main program stays in any case. */
static bool pin(const void *address)
{
    static const struct link_map *_Atomic last; /* which is there for good */
    const struct link_map *map = address != NULL ? tg_elf_map(address) : NULL;

    if (map == NULL)
        return false;
    if (tg_libc_is_program(map) || map == atomic_load_explicit(&last, memory_order_relaxed))
        return true;
    if (dlopen(map->l_name, RTLD_NOLOAD | RTLD_LAZY | RTLD_NODELETE) == NULL)
        return false;
    atomic_store_explicit(&last, map, memory_order_relaxed);
    return true;
}

/* The SSL_CTX_new beside FUNCTION; where FUNCTION is another shim's, what CALLER would find. */
static void *find_ssl_ctx_new(const void *function, const struct link_map *caller)
{
    struct search search = {.name = symbol_names[TG_SSL_CTX_NEW], .whole = whole_libssl};
    const struct link_map *map = function != NULL ? tg_elf_map(function) : NULL;
    struct tg_elf elf;

    if (map != NULL && tg_elf_open(&elf, map->l_addr, map->l_ld) &&
        acceptable(&search, &elf, map->l_ld))
        return tg_elf_definition(&elf, search.name);
    return find(&search, whole_libssl, caller);
}

static struct tg_target find_target(enum tg_symbol symbol, const struct link_map *caller)
{
    struct search search = {.name = symbol_names[symbol]};
    struct tg_target target = {.function = find(&search, whole_libssl, caller)};

    target.ssl_ctx_new = find_ssl_ctx_new(target.function, caller);
    (void)dlerror(); /* what isn't found here is no error of the application's */
    return target;
}

static inline uint64_t mix(uint64_t hash, const char *bytes, size_t size)
{
    uint64_t word = 0;

    memcpy(&word, bytes, size);
    return (hash ^ word ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15);
}

/* What tells an object from another that may come to stand in its place. */
static uint64_t identify(const struct link_map *map)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uintptr_t)map;
    const char *name = map != NULL ? map->l_name : "";
    size_t rest = strlen(name);

    for (; rest >= sizeof(hash); rest -= sizeof(hash), name += sizeof(hash))
        hash = mix(hash, name, sizeof(hash));
    return mix(hash, name, rest) ^ (map != NULL ? (uintptr_t)map->l_ld : 0);
}

/* The answers; a call site has WAYS slots to be in. */
struct answer {
    uint64_t caller, symbol, object, function;
    uint64_t ssl_ctx_new; /* or what else is kept with a function of another library */
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
static const struct link_map *outer_caller(const void *caller, const struct link_map *map,
                                           const void **last)
{
    if (map != NULL && map->l_ld == _DYNAMIC)
        return tg_elf_map(*last);
    *last = caller;
    return map;
}

struct tg_target tg_resolve_ssl(enum tg_symbol symbol, const void *called_from)
{
    static _Thread_local const void *last __attribute__((tls_model("initial-exec")));
    const struct link_map *map = outer_caller(called_from, tg_elf_map(called_from), &last);
    union record record = {{(uintptr_t)last, symbol, identify(map), 0, 0}};
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

/* A library that isn't bound to itself calls itself by the wrappers, by tail calls too. */
struct tg_crypto_target tg_resolve_crypto(enum tg_symbol symbol, const void *called_from)
{
    static _Thread_local const void *last __attribute__((tls_model("initial-exec")));
    struct tg_crypto_target target = {.caller = tg_elf_map(called_from)};
    const struct link_map *map = outer_caller(called_from, target.caller, &last);
    struct search search = {.name = symbol_names[symbol]};
    union record record = {{(uintptr_t)map, symbol, identify(map), 0, 0}};
    struct tg_target known;
    int saved = errno;

    if (recall(&record.answer, &known)) {
        target.function = known.function;
        target.object = known.ssl_ctx_new;
        return target;
    }
    target.function = find(&search, whole_libcrypto, map);
    target.object = target.function != NULL ? tg_elf_map(target.function) : NULL;
    (void)dlerror();
    record.answer.function = (uintptr_t)target.function;
    record.answer.ssl_ctx_new = (uintptr_t)target.object;
    if (pin(target.function))
        keep(&record);
    errno = saved;
    return target;
}

/* A library that we or the engine have called may go on to a function of its own by a tail call,
 * which seems to come from us: whoever called a wrapper last in this thread means the same. */
static bool is_ours(const struct link_map *map)
{
    return map != NULL && (map->l_ld == _DYNAMIC || map == tg_engine_object());
}

static bool is_of_nss(const struct link_map *map)
{
    struct tg_elf elf;

    return map != NULL && tg_elf_open(&elf, map->l_addr, map->l_ld) &&
           (tg_elf_definition(&elf, whole_foreign[TG_FOREIGN_NSS_SSL]) != NULL ||
            tg_elf_definition(&elf, whole_foreign[TG_FOREIGN_NSS]) != NULL ||
            tg_elf_definition(&elf, "NSS_CMSMessage_Create") != NULL);
}

static struct tg_foreign_target find_foreign(enum tg_foreign library, enum tg_symbol symbol,
                                             const struct link_map *caller)
{
    struct search search = {.name = symbol_names[symbol], .whole = whole_foreign[library]};
    struct tg_foreign_target target = {.function = find(&search, search.whole, caller)};

    target.inside = tg_elf_map(target.function) == caller ||
                    (library != TG_FOREIGN_GNUTLS && is_of_nss(caller));
    (void)dlerror();
    return target;
}

struct tg_foreign_target tg_resolve_foreign(enum tg_foreign library, enum tg_symbol symbol,
                                            const void *called_from)
{
    static _Thread_local const void *last[TG_FOREIGNS] __attribute__((tls_model("initial-exec")));
    const struct link_map *map = tg_elf_map(called_from);
    bool ours = is_ours(map);
    const void *caller = ours ? last[library] : called_from;
    union record record;
    struct tg_foreign_target target = {0};
    struct tg_target known;
    int saved = errno;

    last[library] = caller;
    map = ours ? tg_elf_map(caller) : map;
    record.answer = (struct answer){(uintptr_t)caller, symbol, identify(map), 0, 0};
    if (recall(&record.answer, &known))
        return (struct tg_foreign_target){known.function, ours || known.ssl_ctx_new != NULL};
    target = find_foreign(library, symbol, map);
    record.answer.function = (uintptr_t)target.function;
    record.answer.ssl_ctx_new = target.inside;
    if (pin(target.function))
        keep(&record);
    target.inside |= ours;
    errno = saved;
    return target;
}

void *tg_resolve_libc(enum tg_symbol symbol)
{
    static TG_EARLY _Atomic uintptr_t found[TG_SYMBOLS];
    void *function = (void *)atomic_load_explicit(&found[symbol], memory_order_acquire);

    if (function == NULL) {
        function = dlsym(RTLD_NEXT, symbol_names[symbol]);
        atomic_store_explicit(&found[symbol], (uintptr_t)function, memory_order_release);
    }
    return function;
}
