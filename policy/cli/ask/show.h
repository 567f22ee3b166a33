/* show.h - a verdict for people. */
#ifndef TG_SHOW_H
#define TG_SHOW_H

#include "report.h"
#include "text.h"

/*
 * Appends VERDICT on OCCASION's host: the outcome, the rule, and the path as a tree, anchor
 * first, with each finding at its certificate; and CONNECTION, a line about the connection, if it
 * isn't NULL. In colour where standard output is a terminal.
 */
void tg_show_verdict(struct tg_buf *buf, const struct tg_verdict *verdict,
                     const struct tg_occasion *occasion, const char *connection);

/* Appends the place of RULE: "FILE:LINE [host PATTERN]". */
void tg_show_rule(struct tg_buf *buf, const struct tg_rule *rule, const char *pattern);

/* Appends CERTIFICATE's subject, or that it has none. */
void tg_show_subject(struct tg_buf *buf, const X509 *certificate);

/* What RESULT means, for who doesn't know the names of SecTrust's: "accepted: ...", "refused: ...".
 */
const char *tg_show_outcome(tg_result result);

#endif
