/*
 * snapshot.h - the versions of the policy that are in use: the one in force, and those that it
 * replaced until their last user leaves. No lock is taken: a child that was forked while another
 * thread was here goes on.
 */
#ifndef TG_SNAPSHOT_H
#define TG_SNAPSHOT_H

#include "source.h"
#include "trustgraft.h"

/* What is in force at one moment; immutable. */
struct tg_process {
    enum tg_origin origin;
    const char *path;        /* of the policy */
    const tg_policy *policy; /* NULL: none, or invalid */
    const char *problem;     /* why every client handshake is refused; NULL: all is well */
};

/* A place for one version. */
struct tg_snapshot;

/* FIRST comes into force, with its POLICY (owned by this module; NULL: none). Once a process,
 * before anything else here. */
void tg_snapshot_begin(const struct tg_process *first, tg_policy *policy);

/* What is in force now, held until it is given to tg_snapshot_leave. Never NULL. */
const struct tg_process *tg_snapshot_enter(void);
void tg_snapshot_leave(const struct tg_process *process);

/* A free place for a new version, for the one thread that looks for one; NULL: all are in use. */
TG_MUST_USE struct tg_snapshot *tg_snapshot_place(void);

/* POLICY, taken over, comes into force in PLACE instead of OLD, which the caller holds. */
void tg_snapshot_replace(struct tg_snapshot *place, const struct tg_process *old,
                         tg_policy *policy);

#endif
