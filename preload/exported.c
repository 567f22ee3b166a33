/*
 * exported.c - programs that carry OpenSSL in the executable and export it (Node.js).
 *
 * They call their own SSL_CTX_new directly, so that no wrapper of this library is ever
 * reached; but the hook needs none, as it installs itself by ex_data. It has to be there before the
 * first context. BoringSSL, which calls nobody for a new one, is out of reach there. All other
 * programs pay one look into the executable's symbol hash table.
 */
#include "beside.h"
#include "choice.h"
#include "engine.h"
#include "loaded.h"
#include <errno.h>

/* The main program comes first. */
static int open_program(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    if (!tg_elf_open(arg, info->dlpi_addr,
                     tg_elf_dynamic(info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum)))
        return -1;
    return 1;
}

static __typeof__(&SSL_CTX_set_options) set_options;

/* CRYPTO_EX_new: called for each fresh SSL_CTX (since OpenSSL 3.2 an SSL is too fresh then). */
static void forbid(void *context, void *data, CRYPTO_EX_DATA *all, int index, long number,
                   void *arg)
{
    (void)data, (void)all, (void)index, (void)number, (void)arg;
    (void)set_options(context, SSL_OP_NO_SSL_MASK); /* the bits for DTLS are among them */
}

/*
 * This OpenSSL couldn't be put under the policy, and makes its contexts without a wrapper that
 * could refuse them: its connections are left without a single protocol version to speak.
 */
static void forbid_tls(const struct tg_elf *program)
{
    __typeof__(&CRYPTO_get_ex_new_index) get_index =
        tg_elf_definition(program, "CRYPTO_get_ex_new_index");

    set_options = tg_elf_definition(program, "SSL_CTX_set_options");
    if (get_index != NULL && set_options != NULL)
        (void)get_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, forbid, NULL, NULL);
}

__attribute__((constructor)) static void start(void)
{
    struct tg_elf program;
    int saved = errno;

    tg_engine_begin();
    tg_beside_begin();
    errno = saved;
    if (dl_iterate_phdr(open_program, &program) != 1)
        return;
    void *ssl_ctx_new = tg_elf_definition(&program, "SSL_CTX_new");
    unsigned long (*version)(void) = tg_elf_definition(&program, "OpenSSL_version_num");
    if (ssl_ctx_new == NULL || version == NULL || version() < TG_VERSION_1_1_1 ||
        tg_elf_definition(&program, "SSL_CTX_set_custom_verify") != NULL)
        return;
    if (!tg_engine_protect(ssl_ctx_new))
        forbid_tls(&program);
    errno = saved;
}
