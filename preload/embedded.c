/*
 * embedded.c - programs that carry OpenSSL in the executable: exported (Node.js), or linked in as a
 * static library that the file's .symtab tells of (symtab.h).
 *
 * They call their own SSL_CTX_new directly, so that no wrapper of this library is ever
 * reached; but the hook needs none, as it installs itself by ex_data. It has to be there before the
 * first context. BoringSSL, which calls nobody for a new one, is out of reach there. All other
 * programs pay one look into the executable's symbol hash table; under a policy, those of OpenSSL's
 * size and with a .symtab one through the names in it.
 */
#include "beside.h"
#include "choice.h"
#include "engine.h"
#include "loaded.h"
#include "symtab_file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

struct program {
    struct tg_symtab_mapped mapped;
    struct tg_elf elf;
    bool exports;                       /* ELF is there: it has functions for others to find */
    struct tg_inject_embedded embedded; /* FIND is NULL: nothing else is known of it */
};

/* The main program comes first. */
static int open_program(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct program *program = arg;
    const ElfW(Dyn) *dynamic = tg_elf_dynamic(info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum);

    (void)size;
    program->mapped = (struct tg_symtab_mapped){info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum};
    program->exports = tg_elf_open(&program->elf, info->dlpi_addr, dynamic);
    return 1;
}

static void *exported(const struct program *program, const char *name)
{
    return program->exports ? tg_elf_definition(&program->elf, name) : NULL;
}

static void *own(const struct program *program, const char *name)
{
    void *function = exported(program, name);

    if (function == NULL && program->embedded.find != NULL)
        function = program->embedded.find(name);
    return function;
}

/* ---- where it can't be put under the policy ------------------------------------------------- */

static __typeof__(&SSL_CTX_set_options) set_options;

/* There is no other way left to keep it from TLS. */
static void end_process(void)
{
    tg_engine_complain("this program can't be kept from TLS otherwise than by its end", NULL);
    (void)syscall(SYS_exit_group, EXIT_FAILURE);
}

/* CRYPTO_EX_new: called for each fresh SSL_CTX (since OpenSSL 3.2 an SSL is too fresh then). */
static void forbid(void *context, void *data, CRYPTO_EX_DATA *all, int index, long number,
                   void *arg)
{
    (void)data, (void)all, (void)index, (void)number, (void)arg;
    if (set_options == NULL)
        end_process();
    else
        (void)set_options(context, SSL_OP_NO_SSL_MASK); /* the bits for DTLS are among them */
}

/*
 * This OpenSSL couldn't be put under the policy, and makes its contexts without a wrapper that
 * could refuse them: its connections are left without a single protocol version to speak.
 */
static void forbid_tls(const struct program *program)
{
    __typeof__(&CRYPTO_get_ex_new_index) get_index = own(program, "CRYPTO_get_ex_new_index");

    set_options = own(program, "SSL_CTX_set_options");
    if (get_index == NULL || get_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, forbid, NULL, NULL) < 0)
        end_process();
}

/* ---- what it is ----------------------------------------------------------------------------- */

static bool is_exported(const struct program *program)
{
    unsigned long (*version)(void) = exported(program, "OpenSSL_version_num");

    return version != NULL && exported(program, "SSL_CTX_new") != NULL &&
           version() >= TG_VERSION_1_1_1 && exported(program, "SSL_CTX_set_custom_verify") == NULL;
}

/* A policy is in force, and the program may have an OpenSSL inside that isn't taken. */
static void tell(enum tg_symtab_state state)
{
    switch (state) {
    case TG_SYMTAB_LOCAL:
        tg_beside_tell("has an OpenSSL inside, but", "its functions as local symbols alone");
        break;
    case TG_SYMTAB_NO_ID:
        tg_beside_tell("has an OpenSSL inside, but", "no build-id to know its functions by");
        break;
    case TG_SYMTAB_REPLACED:
        tg_beside_tell("isn't the file that was started, which may have", "a TLS library inside");
        break;
    case TG_SYMTAB_DAMAGED:
        tg_beside_tell("has ELF headers that contradict its size or each other, and may have",
                       "a TLS library inside");
        break;
    case TG_SYMTAB_UNREADABLE:
        tg_beside_tell("can't be read, and may have", "a TLS library inside");
        break;
    case TG_SYMTAB_NO_MEMORY:
        end_process();
        break;
    case TG_SYMTAB_READ:
    case TG_SYMTAB_STRIPPED:
    case TG_SYMTAB_WITHOUT:
        break;
    }
}

/* Whether the engine is worth loading for it. Where the dynamic linker was started, with the
 * program as an argument, /proc/self/exe isn't the program: the engine finds it. */
static enum tg_symtab_state look_into_file(const struct tg_symtab_mapped *mapped)
{
    enum tg_symtab_state state = TG_SYMTAB_READ;
    struct tg_symtab_file file;
    int fd = -1;

    if (!tg_symtab_is_worth(mapped->segments, mapped->count))
        return TG_SYMTAB_WITHOUT;
    if (getauxval(AT_BASE) != 0) {
        fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        state = tg_symtab_file_open(fd, mapped, &file);
        if (state == TG_SYMTAB_READ)
            state = tg_symtab_file_search(&file);
    }
    if (fd >= 0)
        close(fd);
    return state;
}

/* True of an OpenSSL inside that isn't exported, but can be taken. */
static bool is_hidden(struct program *program)
{
    enum tg_symtab_state state = look_into_file(&program->mapped);

    if (state == TG_SYMTAB_READ) {
        if (!tg_engine_embedded(&program->embedded))
            end_process();
        state = program->embedded.state;
    }
    tell(state);
    if (state != TG_SYMTAB_READ)
        return false;
    switch (program->embedded.kind) {
    case TG_SYMTAB_BORINGSSL:
        tg_beside_tell("has inside", "BoringSSL");
        return false;
    case TG_SYMTAB_UNPROVEN:
        tg_beside_tell("has inside", "a relative of OpenSSL's that isn't known");
        return false;
    case TG_SYMTAB_OPENSSL_1:
    case TG_SYMTAB_OPENSSL_3:
    case TG_SYMTAB_LIBSSL:
        break;
    }
    return true;
}

__attribute__((constructor)) static void start(void)
{
    struct program program = {.exports = false};
    void *function = NULL;
    int saved = errno;

    tg_engine_begin();
    tg_beside_begin();
    if (tg_engine_source()->origin == TG_ORIGIN_NONE) {
        errno = saved;
        return;
    }
    (void)dl_iterate_phdr(open_program, &program);
    if (is_exported(&program) || is_hidden(&program)) {
        function = own(&program, "SSL_CTX_new");
        if (!tg_engine_protect(function != NULL ? function : own(&program, "SSL_new")))
            forbid_tls(&program);
    }
    errno = saved;
}
