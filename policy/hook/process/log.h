/*
 * log.h - where the lines of the log go: to a file, syslog or stderr, as the policy says. Nothing
 * here waits for a reader, raises a signal, or fails visibly: a line may be lost, the program isn't
 * disturbed.
 */
#ifndef TG_LOG_H
#define TG_LOG_H

#include "source.h"
#include "verdict.h"
#include <sys/types.h>

struct tg_buf;

/* What a line of JSON tells, so that it can be told in fewer words. */
struct tg_log_told {
    const struct tg_verdict *verdict;
    const struct tg_occasion *occasion;
};

/*
 * Puts LINE, without a line feed, where POLICY (may be NULL) says, or else what is usual for a
 * policy from ORIGIN; PRIORITY is syslog's. TOLD is NULL where the line isn't JSON.
 */
void tg_log_put(const tg_policy *policy, enum tg_origin origin, int priority,
                const struct tg_buf *line, const struct tg_log_told *told);

/*
 * Says something about trustgraft itself: on stderr where the policy came from the
 * environment (or is not known yet), else to syslog.
 */
__attribute__((format(printf, 2, 3))) void tg_log_complain(enum tg_origin origin,
                                                           const char *format, ...);

/* Descriptor 2 is the stderr of this process while it is this file; else what it was when this
 * library was loaded. */
void tg_log_set_stderr(dev_t device, ino_t inode);

#endif
