/*
 * system.h - OpenSSL's default store, loaded once in a process when first asked for. Safe in
 * threads.
 */
#ifndef TG_SYSTEM_H
#define TG_SYSTEM_H

#include "trustgraft.h"

/*
 * A context to look anchors up in the default store (X509_STORE_set_default_paths(3)): the
 * system's, or what SSL_CERT_FILE and SSL_CERT_DIR name unless POLICY (may be NULL) is locked.
 * Free it with X509_STORE_CTX_free. NULL: no memory. A store that is missing has no anchors.
 */
TG_API TG_MUST_USE X509_STORE_CTX *tg_system_store(const tg_policy *policy);

#endif
