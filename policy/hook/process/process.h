/*
 * process.h - the policy that is in force in this process: loaded when it is first asked for, and
 * a new version put in its place when its files change. Safe in threads and after fork.
 */
#ifndef TG_PROCESS_H
#define TG_PROCESS_H

#include "arrival.h"
#include "log.h"
#include "snapshot.h"
#include "verdictlog.h"

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

#endif
