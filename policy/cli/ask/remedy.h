/* remedy.h - the one command, or line of a policy, that would help where a server is refused. */
#ifndef TG_REMEDY_H
#define TG_REMEDY_H

#include "question.h"
#include "text.h"
#include "verdict.h"

/* Appends those of OPTIONS with which another verb asks the same server under the same policy, each
 * behind a blank, as a shell takes them. */
void tg_remedy_options(struct tg_buf *out, const struct tg_options *options);

/*
 * Appends the line `  next    COMMAND` for VERDICT, a refusal of QUESTION's server; nothing where
 * no command should make it be accepted.
 */
void tg_remedy(struct tg_buf *out, const struct tg_question *question,
               const struct tg_verdict *verdict);

/* A name or address that LEAF is for and that a rule can demand by `hostname`, "www.example.com"
 * for
 * "*.example.com". False, with OUT "", if there is none. */
bool tg_remedy_hostname(X509 *leaf, char out[TG_HOST_SIZE]);

#endif
