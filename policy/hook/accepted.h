/*
 * accepted.h - leaves accepted in this process, by the digest of their DER, to tell sessions that
 * the policy evaluated, and marks in sessions that a policy let in. What isn't found, or can't be
 * looked up, counts as not accepted.
 */
#ifndef TG_ACCEPTED_H
#define TG_ACCEPTED_H

#include "hash.h"
#include "peer.h"

/* A connection under one policy (NULL: the process has none, or an invalid one). */
struct tg_admission {
    const struct tg_hooked *hooked;
    SSL *ssl;
    const tg_policy *policy;
    struct tg_peer *peer;
};

/*
 * LEAF was accepted: until UNTIL (0: for ever), and for sessions of protocol VERSION alone, as a
 * floor may ask; BY_PORT: for this port alone, as what forgave the leaf's faults may be for one.
 */
void tg_accepted_add(const struct tg_admission *admission, const uint8_t leaf[TG_SHA256_SIZE],
                     int version, bool by_port, time_t until);

/* True if SESSION (may be NULL) may stand in for an evaluation. */
TG_MUST_USE bool tg_accepted(const struct tg_admission *admission, SSL_SESSION *session);

/* The digest that stands for the leaf of SESSION (may be NULL); false: there is none. */
TG_MUST_USE bool tg_accepted_digest(const struct tg_hooked *hooked, SSL_SESSION *session,
                                    uint8_t leaf[TG_SHA256_SIZE]);

/*
 * Marks the session that is being made as one that a policy has let in, and not the application by
 * itself: it then opens no other host's door, whoever resumes it, from a file too. A session of
 * BoringSSL has no place for that: there LEAF, its digest, is noted, which means the same for
 * every session with it that the application hasn't let in for that host too. False: no memory.
 */
TG_MUST_USE bool tg_accepted_mark(const struct tg_hooked *hooked, SSL *ssl,
                                  const uint8_t leaf[TG_SHA256_SIZE]);
TG_MUST_USE bool tg_accepted_marked(const struct tg_hooked *hooked, SSL_SESSION *session);

#endif
