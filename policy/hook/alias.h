/*
 * alias.h - one more name on an accepted certificate, for programs that match names themselves.
 */
#ifndef TG_ALIAS_H
#define TG_ALIAS_H

#include "cryptolib.h"
#include "trustgraft.h"

/*
 * Gives THEIRS, the in-memory certificate of an accepted server (in our libcrypto: LEAF, the same
 * where that isn't foreign), HOST as one more subject alternative name. False: it can't be done,
 * the server is to be refused.
 */
TG_MUST_USE bool tg_alias_add(const struct tg_cryptolib *library, X509 *theirs, X509 *leaf,
                              const char *host);

#endif
