/* symtab_program.h - what this process's program has inside, and of which library that is. */
#ifndef TG_SYMTAB_PROGRAM_H
#define TG_SYMTAB_PROGRAM_H

#include "symtab.h"

/* Which library a program has inside, proven by functions of its own. */
enum tg_symtab_kind {
    TG_SYMTAB_UNPROVEN, /* LibreSSL, OpenSSL before 1.1.1, or one that the link took apart */
    TG_SYMTAB_BORINGSSL,
    TG_SYMTAB_OPENSSL_1, /* 1.1.1 */
    TG_SYMTAB_OPENSSL_3, /* or later */
    TG_SYMTAB_LIBSSL     /* an OpenSSL's libssl, without the libcrypto that it works on */
};
enum tg_symtab_kind tg_symtab_kind(const struct tg_symtab *symtab);

/*
 * This process's program. The first call reads it, which is worth it only where OpenSSL may be
 * inside. NULL: it has none that could be told by its .symtab; *STATE (may be NULL) says why.
 * Preserves errno; safe in threads, and after a fork that came after a first call.
 */
const struct tg_symtab *tg_symtab_program(enum tg_symtab_state *state);

#endif
