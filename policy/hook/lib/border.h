/*
 * border.h - certificates between a program's libcrypto and ours. A pointer to an X509 or a
 * stack that comes from the program is called `theirs`; none is ever given to a function of
 * the other side, unless both are one (tg_library, foreign false).
 */
#ifndef TG_BORDER_H
#define TG_BORDER_H

#include "foundation.h"
#include "hash.h"

/* What the engine is shown of one server: for a library of ours the very objects. */
struct tg_shown {
    X509 *leaf;           /* NULL: none, */
    STACK_OF(X509) *sent; /* likewise */
    X509_STORE_CTX *app;  /* likewise */
    const struct tg_foundation *library;
    X509_STORE_CTX *theirs; /* that app asks, where the library is foreign; and its own: */
    X509_STORE *store;
    bool poisoned; /* what the application set to be verified is none (tg_param_poisoned) */
    bool failed;   /* something couldn't be brought over: what was evaluated isn't all there is */
};

/* Why tg_border_show failed, in words. */
const char *tg_border_reason(const struct tg_shown *shown);

/*
 * Shows LEAF, SENT and CONTEXT of the program (each may be NULL). False if they can't be brought
 * over: the server must be refused where the policy demands anything. To be followed by
 * tg_border_hide in any case.
 */
bool tg_border_show(const struct tg_foundation *library, X509 *leaf, const void *sent,
                    X509_STORE_CTX *context, struct tg_shown *shown);
/* The same of certificates that are ours already: SENT, leaf first, is taken over. */
bool tg_border_show_own(const struct tg_foundation *library, STACK_OF(X509) *sent,
                        X509_STORE_CTX *context, struct tg_shown *shown);
void tg_border_hide(struct tg_shown *shown);

/* Copies, or one more reference where no border is crossed. NULL on failure. */
X509 *tg_border_import(const struct tg_foundation *library, X509 *theirs);
STACK_OF(X509) *tg_border_import_all(const struct tg_foundation *library, const void *theirs);

/* A certificate of ours from SIZE bytes of DER; NULL if that isn't one and nothing else. */
X509 *tg_border_read(const unsigned char *der, size_t size);

/* PATH, of ours, as a stack of theirs with THEIRS for its leaf. To be freed by the next. */
void *tg_border_export_path(const struct tg_foundation *library, X509 *theirs,
                            const STACK_OF(X509) *path);
void tg_border_free(const struct tg_foundation *library, void *path);

/* SHA-256 of their certificate as it stands. */
bool tg_border_digest(const struct tg_foundation *library, X509 *theirs,
                      uint8_t digest[TG_SHA256_SIZE]);

#endif
