/* nss_judge.h - what the policy says of the server of a socket (foreign_judge.h). */
#ifndef TG_NSS_JUDGE_H
#define TG_NSS_JUDGE_H

#include "nss_socket.h"

/* tg_foreign_demand of STATE. */
enum tg_foreign_demand tg_nss_demand(struct tg_nss_socket *state);

/* The verdict on the server, which is known by now: logged, and kept in STATE. ASKED: the library
 * has just read its certificates. */
void tg_nss_judge(struct tg_nss_socket *state, bool asked);

#endif
