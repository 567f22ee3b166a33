/* gnutls_judge.h - what the policy says of the server of a session (foreign_judge.h). */
#ifndef TG_GNUTLS_JUDGE_H
#define TG_GNUTLS_JUDGE_H

#include "finding.h"
#include "gnutls_session.h"

/* tg_foreign_demand and tg_foreign_demands of STATE. */
enum tg_foreign_demand tg_gnutls_demand(struct tg_gnutls_session *state);
TG_MUST_USE bool tg_gnutls_demands(struct tg_gnutls_session *state);

/* The verdict on the server, which is known by now: logged, and kept in STATE. */
void tg_gnutls_judge(struct tg_gnutls_session *state);

/* The verdict is a refusal for KIND, before the server is known. TEXT as tg_verdict_refuse has it.
 */
void tg_gnutls_refuse(struct tg_gnutls_session *state, enum tg_finding_kind kind, const char *text);

#endif
