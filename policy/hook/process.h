/*
 * process.h - what holds for the whole process: which policy, from where, which program this
 * is, and where verdicts are logged.
 */
#ifndef TG_PROCESS_H
#define TG_PROCESS_H

#include "verdict.h"
#include <limits.h>

/* Where the policy comes from, in the order in which it is looked for. */
enum tg_origin {
    TG_ORIGIN_NONE,        /* no policy anywhere */
    TG_ORIGIN_ENVIRONMENT, /* TRUSTGRAFT_POLICY */
    TG_ORIGIN_SETTING,     /* the provider's `policy` in openssl.cnf */
    TG_ORIGIN_USER,        /* $XDG_CONFIG_HOME/trustgraft/policy.conf */
    TG_ORIGIN_SYSTEM       /* SYSCONFDIR/trustgraft/policy.conf */
};

/*
 * Finds the policy's file without opening it; SETTING is the provider's, or NULL. In a set-uid,
 * set-gid or capability-raised process only the system's counts. The user's and the system's
 * are found where the file exists (or can't be looked at); the other two are always found.
 */
enum tg_origin tg_policy_locate(const char *setting, char path[PATH_MAX]);

/* Immutable once made. */
struct tg_process {
    enum tg_origin origin;
    char path[PATH_MAX];     /* of the policy */
    const tg_policy *policy; /* NULL: none, or invalid */
    const char *problem;     /* why every client handshake is refused; NULL: all is well */
    char program[PATH_MAX];  /* /proc/self/exe; empty: unknown */
};

/*
 * To be called before the first tg_process_get: the provider's setting, or what is wrong with
 * it. Both may be NULL; they are copied. Later calls change nothing.
 */
void tg_process_configure(const char *setting, const char *problem);

/* This process's; loads the policy at the first call. Never NULL. */
TG_API const struct tg_process *tg_process_get(void);

/* True if no policy was found: the shim leaves everything alone. */
TG_API bool tg_process_inert(const struct tg_process *process);

/* Logs VERDICT about HOST (may be NULL) and PORT as the policy says. Never fails visibly. */
void tg_log_verdict(const struct tg_process *process, const struct tg_verdict *verdict,
                    const char *host, unsigned port);

/*
 * Says something about trustgraft itself: on stderr where the policy came from the
 * environment (or is not known yet), else to syslog.
 */
__attribute__((format(printf, 2, 3))) void tg_log_complain(enum tg_origin origin,
                                                           const char *format, ...);

#endif
