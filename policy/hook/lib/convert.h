/*
 * convert.h - certificates between a program's libcrypto and ours. A pointer to an X509 or a
 * stack that comes from the program is called `theirs`; none is ever given to a function of
 * the other libcrypto, unless both are one (tg_cryptolib, foreign false).
 */
#ifndef TG_CONVERT_H
#define TG_CONVERT_H

#include "cryptolib.h"
#include "hash.h"

/* What one server presents, as objects of ours: where the library isn't foreign, the very objects.
 */
struct tg_presented {
    X509 *leaf;           /* NULL: none, */
    STACK_OF(X509) *sent; /* likewise */
    X509_STORE_CTX *app;  /* likewise */
    const struct tg_cryptolib *library;
    X509_STORE_CTX *theirs; /* that app asks, where the library is foreign; and its own: */
    X509_STORE *store;
    const char *unverifiable; /* why what the application asks for isn't (tg_param_problem) */
    bool failed; /* something could not be imported: what was evaluated isn't all there is */
};

/* Why tg_presented_import failed, in words. */
const char *tg_presented_problem(const struct tg_presented *presented);

/*
 * Imports LEAF, SENT and CONTEXT of the program (each may be NULL). False if they can't be
 * imported: the server must be refused where the policy demands anything. To be followed by
 * tg_presented_free in any case.
 */
TG_MUST_USE bool tg_presented_import(const struct tg_cryptolib *library, X509 *leaf,
                                     const void *sent, X509_STORE_CTX *context,
                                     struct tg_presented *presented);
/* The same of certificates that are ours already: SENT, leaf first, is taken over. */
TG_MUST_USE bool tg_presented_import_own(const struct tg_cryptolib *library, STACK_OF(X509) *sent,
                                         X509_STORE_CTX *context, struct tg_presented *presented);
void tg_presented_free(struct tg_presented *presented);

/* Copies, or one more reference where the library isn't foreign. NULL on failure. */
TG_MUST_USE X509 *tg_convert_import(const struct tg_cryptolib *library, X509 *theirs);
STACK_OF(X509) *tg_convert_import_all(const struct tg_cryptolib *library, const void *theirs);

/* A certificate of ours from SIZE bytes of DER; NULL if that isn't one and nothing else. */
X509 *tg_convert_read(const unsigned char *der, size_t size);

/* PATH, of ours, as a stack of theirs with THEIRS for its leaf. To be freed by the next. */
void *tg_convert_export_path(const struct tg_cryptolib *library, X509 *theirs,
                             const STACK_OF(X509) *path);
void tg_convert_free(const struct tg_cryptolib *library, void *path);

/* SHA-256 of their certificate as it stands. */
TG_MUST_USE bool tg_convert_digest(const struct tg_cryptolib *library, X509 *theirs,
                                   uint8_t digest[TG_SHA256_SIZE]);

#endif
