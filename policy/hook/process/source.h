/*
 * source.h - where the policy comes from: which file counts, found without opening it. That is
 * settled when trustgraft comes into a process; so the preload has this module too, and looks
 * before the engine is there.
 */
#ifndef TG_SOURCE_H
#define TG_SOURCE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

/* Where the policy comes from, in the order in which it is looked for. */
enum tg_origin {
    TG_ORIGIN_NONE,        /* no policy anywhere */
    TG_ORIGIN_ENVIRONMENT, /* TRUSTGRAFT_POLICY */
    TG_ORIGIN_SETTING,     /* the provider's `policy` in openssl.cnf */
    TG_ORIGIN_USER,        /* $XDG_CONFIG_HOME/trustgraft/policy.conf */
    TG_ORIGIN_SYSTEM       /* SYSCONFDIR/trustgraft/policy.conf */
};

#define TG_SYSTEM_POLICY TG_SYSCONFDIR "/trustgraft/policy.conf"

/* What is found at one moment. */
struct tg_policy_source {
    enum tg_origin origin; /* as if there were no provider */
    bool system;           /* there is a system policy too, or it can't be told */
    dev_t root_device;     /* of the directory that paths begin at */
    ino_t root_inode;
    char path[PATH_MAX]; /* of the policy; empty: none, or a variable without a value */
};

/*
 * Looks for the policy without opening it. In a set-uid, set-gid or capability-raised process
 * only the system's counts. The user's and the system's are found where the file exists (or
 * can't be looked at: the system's alone, as a folder that a user can't look into holds no
 * policy of that user); TRUSTGRAFT_POLICY always is, even if it is empty. Preserves errno.
 */
void tg_policy_source_look(struct tg_policy_source *source);

/* True if there is a system policy now, or it can't be told. */
bool tg_policy_system_present(void);

/* True if paths begin at another directory now than when SOURCE was filled (chroot(2)). */
bool tg_policy_source_is_out_of_sight(const struct tg_policy_source *source);

#endif
