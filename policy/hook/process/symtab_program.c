#include "symtab_program.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/*
 * Functions that no linker drops where the library is used at all: of OpenSSL's state machine and
 * its TLS 1.3, which are nobody else's, and what either version reports all errors by. The version
 * functions aren't asked: the command, which runs nothing, has to come to the same answer.
 */
enum tg_symtab_kind tg_symtab_kind(const struct tg_symtab *symtab)
{
    bool machine = tg_symtab_find(symtab, "ossl_statem_client_construct_message") != NULL &&
                   tg_symtab_find(symtab, "tls13_change_cipher_state") != NULL;
    bool three = tg_symtab_find(symtab, "ERR_set_debug") != NULL ||
                 tg_symtab_find(symtab, "ERR_new") != NULL;
    bool one = tg_symtab_find(symtab, "ERR_put_error") != NULL;

    if (tg_symtab_find(symtab, "CRYPTO_BUFFER_new") != NULL ||
        tg_symtab_find(symtab, "SSL_CTX_set_custom_verify") != NULL)
        return TG_SYMTAB_BORINGSSL;
    if (machine && tg_symtab_find(symtab, "X509_verify_cert") == NULL)
        return TG_SYMTAB_LIBSSL;
    if (!machine || three == one)
        return TG_SYMTAB_UNPROVEN;
    return three ? TG_SYMTAB_OPENSSL_3 : TG_SYMTAB_OPENSSL_1;
}

static struct tg_symtab program;
static enum tg_symtab_state found;

/* Whether LINE, "START-END ... PATH", is of the mapping that has ADDRESS. */
static bool has_address(const char *line, ElfW(Addr) address)
{
    char *end = NULL;
    ElfW(Addr) start = strtoul(line, &end, 16);

    return *end == '-' && start <= address && address < strtoul(end + 1, NULL, 16);
}

/* The file that is mapped at ADDRESS (proc_pid_maps(5)). */
static int open_mapped(ElfW(Addr) address)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char *line = NULL, *path = NULL;
    size_t room = 0;
    int fd = -1;

    while (path == NULL && maps != NULL && getline(&line, &room, maps) > 0)
        if (has_address(line, address) && (path = strchr(line, '/')) != NULL)
            path[strcspn(path, "\n")] = '\0';
    if (path != NULL)
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    free(line);
    if (maps != NULL)
        fclose(maps);
    return fd;
}

/* /proc/self/exe is the dynamic linker where that was started, with the program as an argument. */
static int open_program(const struct tg_symtab_mapped *mapped)
{
    if (getauxval(AT_BASE) != 0)
        return open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    for (size_t i = 0; i < mapped->count; i++)
        if (mapped->segments[i].p_type == PT_LOAD)
            return open_mapped(mapped->base + mapped->segments[i].p_vaddr);
    return -1;
}

/* The main program comes first. */
static int read_program(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct tg_symtab_mapped mapped = {info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum};
    int fd = open_program(&mapped);

    (void)size, (void)arg;
    found = tg_symtab_read(fd, &mapped, &program);
    if (fd >= 0)
        close(fd);
    return 1;
}

static void begin(void)
{
    (void)dl_iterate_phdr(read_program, NULL);
    if (found != TG_SYMTAB_READ)
        tg_symtab_free(&program);
}

const struct tg_symtab *tg_symtab_program(enum tg_symtab_state *state)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int saved = errno;

    pthread_once(&once, begin);
    errno = saved;
    if (state != NULL)
        *state = found;
    return found == TG_SYMTAB_READ ? &program : NULL;
}
