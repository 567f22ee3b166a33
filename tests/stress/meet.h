/* meet.h - clients that outlast many versions of their policy, for which time flies. */
#ifndef TG_TEST_MEET_H
#define TG_TEST_MEET_H

#include "../inject/pair.h"

/* The second host's rule rejects; each other version's does the third's. */
#define MEET_REJECTED "rejected.example.test"
#define MEET_TURNING  "turn.example.test"

/*
 * Where the certificates are, and the policy that meet_turn writes, with so many rules for other
 * hosts in it. From here on a second of the clock by which the hook looks for changes passes in
 * the hundredth part of one.
 */
void meet_setup(const char *pki, const char *policy, int rules);

/* Puts the version of that number in the policy's place, by one rename. */
void meet_turn(int version);

/* A handshake on CTX with HOST's name, and whether data gets through. */
enum outcome meet(SSL_CTX *ctx, const char *host);

#endif
