/*
 * late.h - the verdict on a server whose handshake is done, where none was asked for before. It can
 * only be stricter than the application, which has decided already.
 */
#ifndef TG_LATE_H
#define TG_LATE_H

#include "given.h"
#include "peer.h"

/* The verdict of one PROCESS of POLICIES; what was accepted is remembered. False: refused, and the
 * reason raised. */
TG_MUST_USE bool tg_late_judge(const struct tg_hooked *hooked, SSL *ssl,
                               const struct tg_process *process,
                               const struct tg_policies *policies);

/* The refusal, logged and raised, of a session that has to be dropped, too late for that. */
void tg_late_refuse_session(const struct tg_hooked *hooked, const struct tg_process *process,
                            const struct tg_peer *peer);

/* What would verify LEAF, as libssl makes one; all of the program's libcrypto. NULL: no memory, or
 * no store. */
X509_STORE_CTX *tg_late_context(const struct tg_hooked *hooked, SSL *ssl, X509 *leaf, void *sent);

#endif
