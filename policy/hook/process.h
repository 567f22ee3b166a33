/*
 * process.h - what holds for the whole process: which policy, from where, which program this
 * is, and where verdicts are logged.
 */
#ifndef TG_PROCESS_H
#define TG_PROCESS_H

#include "verdict.h"
#include <limits.h>
#include <sys/types.h>

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

#define TG_SYSTEM_POLICY TG_SYSCONFDIR "/trustgraft/policy.conf"

/* True if there is a system policy, or it can't be told. */
bool tg_policy_system_present(void);

/* What is in force at one moment; immutable. */
struct tg_process {
    enum tg_origin origin;
    const char *path;        /* of the policy */
    const tg_policy *policy; /* NULL: none, or invalid */
    const char *problem;     /* why every client handshake is refused; NULL: all is well */
};

/*
 * To be called before anything else here: the provider's setting, or what is wrong with it.
 * Both may be NULL; they are copied. Later calls change nothing.
 */
void tg_process_configure(const char *setting, const char *problem);

/*
 * What is in force now; the first call loads the policy, and at most once a second a call
 * looks whether its files changed, and puts the new version in force if it is valid. Never
 * NULL. Each call is paired with tg_process_leave, which gets what *CANCEL was set to; what the
 * snapshot holds lives until then, and the thread isn't cancelled (pthread_cancel(3)): whoever
 * never leaves would stay in the way of each new version. Safe in threads and after fork.
 */
TG_API const struct tg_process *tg_process_enter(int *cancel);
TG_API void tg_process_leave(const struct tg_process *process, int cancel);

/* True if no policy was found when this process first asked: the shim leaves all alone. */
TG_API bool tg_process_inert(void);

/* The absolute path of this process's executable; empty if unknown. */
TG_API const char *tg_process_program(void);

/* True if the policy says that VERDICT is logged. */
bool tg_log_wants(const struct tg_process *process, const struct tg_verdict *verdict);

/* Logs VERDICT about HOST (may be NULL) and PORT, whether it is wanted or not. Never fails
 * visibly. */
void tg_log_verdict(const struct tg_process *process, const struct tg_verdict *verdict,
                    const char *host, unsigned port);

/* Descriptor 2 is the stderr of this process while it is this file; else what it was when this
 * library was loaded. */
void tg_log_set_stderr(dev_t device, ino_t inode);

/*
 * Says something about trustgraft itself: on stderr where the policy came from the
 * environment (or is not known yet), else to syslog.
 */
__attribute__((format(printf, 2, 3))) void tg_log_complain(enum tg_origin origin,
                                                           const char *format, ...);

#endif
