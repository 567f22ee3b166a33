/* chain.h - certificates out of a file that a user names, in their order. */
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
 * The certificates of PATH, in their order: PEM, among which other blocks and text may stand,
 * or one in DER. On TG_CHAIN_READ *OUT is a new stack of at least one, to free with
 * sk_X509_pop_free; otherwise WHY is a sentence about PATH.
 */
enum tg_chain_state tg_chain_read(const char *path, STACK_OF(X509) **out, struct tg_buf *why);

#endif
