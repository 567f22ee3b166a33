/*
 * gnutls_judge.h - from a session of GnuTLS to what the policy says of its server, and on to what
 * the handshake comes to. No error ends in acceptance.
 */
#ifndef TG_GNUTLS_JUDGE_H
#define TG_GNUTLS_JUDGE_H

#include "finding.h"
#include "gnutls_session.h"

/* What the policy has to say before the server is known. */
enum tg_gnutls_demand { TG_GNUTLS_NOTHING, TG_GNUTLS_A_LOOK, TG_GNUTLS_A_STAPLE };
enum tg_gnutls_demand tg_gnutls_demand(struct tg_gnutls_session *state);

/* True if a rule, and not only a report, is to be heeded before the server is known. */
TG_MUST_USE bool tg_gnutls_demands(struct tg_gnutls_session *state);

/* The verdict on the server, which is known by now: logged, and kept in STATE. */
void tg_gnutls_judge(struct tg_gnutls_session *state);

/* The verdict is a refusal for KIND, before the server is known. TEXT as tg_verdict_refuse has it.
 */
void tg_gnutls_refuse(struct tg_gnutls_session *state, enum tg_finding_kind kind, const char *text);

#endif
