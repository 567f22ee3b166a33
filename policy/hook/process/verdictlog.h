/*
 * verdictlog.h - one line of the log for a verdict, as text or JSON: each refusal, and each
 * acceptance where the policy wants that; and what its evaluation has to tell besides.
 */
#ifndef TG_VERDICTLOG_H
#define TG_VERDICTLOG_H

#include "snapshot.h"
#include "verdict.h"

/* True if the policy says that VERDICT is logged. */
bool tg_log_wants(const struct tg_process *process, const struct tg_verdict *verdict);

/* Logs VERDICT about HOST (may be NULL) and PORT, whether it is wanted or not. Never fails
 * visibly. */
void tg_log_verdict(const struct tg_process *process, const struct tg_verdict *verdict,
                    const char *host, unsigned port);

/* Says why the image of RULE's known-hosts file isn't used, where one is there: once for each
 * version of the policy. */
void tg_log_known_hosts(const struct tg_process *process, const struct tg_rule *rule);

#endif
