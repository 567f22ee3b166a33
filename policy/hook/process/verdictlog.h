/*
 * verdictlog.h - one line of the log for a verdict, as text or JSON: each refusal, and each
 * acceptance where the policy wants that.
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

#endif
