#include "hidden.h"
#include "hook/inject.h"
#include <stdio.h>
#include <string.h>

static const char *const refusals[] = {
    [TG_SYMTAB_STRIPPED] = "its .symtab is stripped",
    [TG_SYMTAB_LOCAL] = "its functions are local symbols",
    [TG_SYMTAB_NO_ID] = "it has no build-id to know its functions by",
    [TG_SYMTAB_DAMAGED] = "its ELF headers contradict its size or each other",
    [TG_SYMTAB_UNREADABLE] = "it can't be read",
    [TG_SYMTAB_NO_MEMORY] = "there is no memory to look",
};

/* The kind of its libcrypto, if only its libssl is inside. */
static enum tg_symtab_kind linked_kind(const struct tg_executable *file)
{
    if (tg_executable_needs(file, "libcrypto.so.3") || tg_executable_needs(file, "libcrypto.so.4"))
        return TG_SYMTAB_OPENSSL_3;
    return tg_executable_needs(file, "libcrypto.so.1.1") ? TG_SYMTAB_OPENSSL_1 : TG_SYMTAB_UNPROVEN;
}

static void judge(const struct tg_executable *file, const struct tg_symtab *symtab,
                  struct tg_hidden *found)
{
    enum tg_symtab_kind kind = tg_symtab_kind(symtab);
    bool part = kind == TG_SYMTAB_LIBSSL;
    const char *lacks = NULL;

    kind = part ? linked_kind(file) : kind;
    found->three = kind == TG_SYMTAB_OPENSSL_3;
    if (kind == TG_SYMTAB_BORINGSSL || kind == TG_SYMTAB_UNPROVEN) {
        found->state = TG_HIDDEN_REFUSED;
        found->why = kind == TG_SYMTAB_BORINGSSL ? "it is BoringSSL"
                                                 : "its functions prove no OpenSSL since 1.1.1";
        return;
    }
    lacks = tg_inject_lacks(tg_symtab_has, symtab, kind, part);
    found->state = lacks == NULL ? TG_HIDDEN_TAKEN : TG_HIDDEN_LACKS;
    if (lacks != NULL)
        (void)snprintf(found->lacks, sizeof(found->lacks), "%s", lacks);
}

static bool exports(const void *file, const char *name)
{
    return tg_executable_exports(file, name);
}

/* As the hook goes by exported functions alone, whatever else there is. */
static bool exports_first(const struct tg_executable *file)
{
    return exports(file, "CRYPTO_get_ex_new_index") && exports(file, "OpenSSL_version_num");
}

bool tg_hidden_exports_all(const struct tg_executable *file)
{
    enum tg_symtab_kind kind =
        exports(file, "OSSL_PROVIDER_load") ? TG_SYMTAB_OPENSSL_3 : TG_SYMTAB_OPENSSL_1;

    return exports_first(file) && exports(file, "SSL_CTX_set_ciphersuites") &&
           !exports(file, "SSL_CTX_set_custom_verify") &&
           tg_inject_lacks(exports, file, kind, false) == NULL;
}

void tg_hidden_look(const struct tg_executable *file, struct tg_hidden *found)
{
    enum tg_symtab_state state = TG_SYMTAB_WITHOUT;
    struct tg_symtab symtab;

    *found = (struct tg_hidden){.state = TG_HIDDEN_NONE};
    if (file->interpreter[0] == '\0' || !tg_symtab_is_worth(file->segments, file->header.e_phnum) ||
        exports_first(file))
        return;
    state = tg_symtab_read(file->fd, NULL, &symtab);
    if (state == TG_SYMTAB_READ) {
        judge(file, &symtab, found);
    } else if (state != TG_SYMTAB_WITHOUT) {
        found->state = TG_HIDDEN_REFUSED;
        found->why = refusals[state];
    }
    tg_symtab_free(&symtab);
}

const char *tg_hidden_why(const struct tg_hidden *found, const char *embedded, char *out,
                          size_t size)
{
    bool known = found->state == TG_HIDDEN_REFUSED && strncmp(embedded, "OpenSSL", 7) == 0;

    (void)snprintf(out, size, known ? " (%s)" : "%s", known ? found->why : "");
    return out;
}
