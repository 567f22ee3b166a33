/*
 * process.h - what holds for the whole process: which policy, from where, which program this
 * is, and where verdicts are logged.
 */
#ifndef TG_PROCESS_H
#define TG_PROCESS_H

#include "trustgraft.h"
#include "where.h"
#include <sys/types.h>

struct tg_verdict;

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
 * What was found when the preload came into this process, before this library did: a policy that
 * was there then is the one. SOURCE stays for ever, and never changes.
 */
void tg_process_came_with(const struct tg_policy_source *source);

/* True if a policy was found when trustgraft came into this process, whatever became of it. */
bool tg_process_has_origin(void);

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
