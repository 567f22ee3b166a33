/*
 * exdata.h - our ex_data in a libcrypto, by which OpenSSL itself calls us for each new SSL_CTX and
 * SSL, and for each that goes (CRYPTO_get_ex_new_index(3)). All is safe in threads.
 */
#ifndef TG_EXDATA_H
#define TG_EXDATA_H

#include "state.h"

/*
 * Registers it in LIBRARY, once; HOOKED is NULL where no libssl on it is known yet. False, after a
 * complaint: it isn't to be had. What is made from then on is hooked after tg_cryptolib_hook
 * alone.
 */
TG_MUST_USE bool tg_exdata_register(struct tg_cryptolib *library, const struct tg_hooked *hooked);

/*
 * Since OpenSSL 3.0 ex_data belongs to the library context that is the thread's default then
 * (OSSL_LIB_CTX_set0_default(3)): in a library context of the application's own, the same indexes
 * are still to be taken. Does so in that of this thread, or in CONTEXT, where NULL does nothing.
 * False: our index of SSL_CTX was given to another there before, or in CONTEXT that of SSL.
 * Contexts that are made there refuse every server then, and connections each that a policy has a
 * say in.
 */
TG_MUST_USE bool tg_exdata_claim(struct tg_cryptolib *library);
bool tg_exdata_claim_in(struct tg_cryptolib *library, OSSL_LIB_CTX *context);

/* True if CONTEXT is the last of this thread that there was no memory to keep something of. */
bool tg_exdata_lacked_memory(const SSL_CTX *context);

#endif
