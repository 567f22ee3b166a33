/* chain.h - certificates out of files that a user names: what a server sends, what an
 * application trusts. */
#ifndef TG_CHAIN_H
#define TG_CHAIN_H

#include "text.h"
#include "trustgraft.h"
#include <openssl/x509.h>

enum tg_chain_state {
    TG_CHAIN_READ,
    TG_CHAIN_MALFORMED, /* one of them doesn't parse */
    TG_CHAIN_UNREADABLE /* the file can't be read, or holds no certificate */
};

/*
 * Reads the whole of PATH, which may be a pipe, up to LARGEST bytes. 0, or an errno value (EFBIG:
 * there are more).
 */
int tg_chain_bytes(const char *path, size_t largest, struct tg_buf *data);

/*
 * The certificates of PATH, in their order: PEM, among which other blocks and text may stand,
 * or one in DER. On TG_CHAIN_READ *OUT is a new stack of at least one, to free with
 * sk_X509_pop_free; otherwise WHY is a sentence about PATH.
 */
enum tg_chain_state tg_chain_read(const char *path, STACK_OF(X509) **out, struct tg_buf *why);

/*
 * A store of the certificates in PATH, a file as above or a directory of such (*.pem, *.crt,
 * *.cer, *.der, HASH.N). NULL with a sentence in WHY. The caller frees it.
 */
TG_MUST_USE X509_STORE *tg_chain_store(const char *path, struct tg_buf *why);

#endif
