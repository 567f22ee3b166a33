/*
 * prepare.h - what the rules ask of a connection itself, before its ClientHello is made: a stapled
 * answer, a security level, a watch over its BIOs.
 */
#ifndef TG_PREPARE_H
#define TG_PREPARE_H

#include "given.h"
#include "peer.h"
#include "status.h"

/*
 * Asks for it; STATE may be NULL, where there was no memory for it. STAPLE is called once a stapled
 * answer has come. True if one of POLICIES demands something of PEER.
 */
bool tg_prepare(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state,
                const struct tg_policies *policies, struct tg_peer *peer,
                int (*staple)(SSL *, void *));

#endif
