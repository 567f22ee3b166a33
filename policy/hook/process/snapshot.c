#include "snapshot.h"
#include <stdatomic.h>
#include <stddef.h>

/* More versions than these are never in use at once: a reload then waits for a free place. */
#define SNAPSHOTS 8

static struct tg_snapshot {
    struct tg_process process; /* the first member: users hold a pointer to it */
    tg_policy *_Atomic policy; /* owned; taken away when the last user of a replaced one leaves */
    atomic_uint turn;          /* odd while it holds a policy; no two policies have the same */
    atomic_int users;
    atomic_bool replaced;
} snapshots[SNAPSHOTS] = {{.replaced = true}};

_Static_assert(offsetof(struct tg_snapshot, process) == 0, "users hold a pointer to the place");

static struct tg_snapshot *_Atomic current = &snapshots[0];

void tg_snapshot_begin(const struct tg_process *first, tg_policy *policy)
{
    struct tg_snapshot *snapshot = &snapshots[0];

    snapshot->process = *first;
    snapshot->process.policy = policy;
    atomic_store(&snapshot->policy, policy);
    atomic_store(&snapshot->turn, policy != NULL ? 1 : 0);
    atomic_store(&snapshot->replaced, false);
}

/*
 * Whoever finds a replaced snapshot without users takes its policy away; only one can. By its
 * turn, as the address of a policy may be that of a later one, which is in force by then.
 */
static void release(struct tg_snapshot *snapshot)
{
    unsigned turn = atomic_load(&snapshot->turn);
    tg_policy *policy = atomic_load(&snapshot->policy);

    if (turn % 2 == 1 && atomic_load(&snapshot->replaced) && atomic_load(&snapshot->users) == 0 &&
        atomic_compare_exchange_strong(&snapshot->turn, &turn, turn + 1))
        tg_policy_free(policy);
}

static void leave(struct tg_snapshot *snapshot)
{
    atomic_fetch_sub(&snapshot->users, 1);
    release(snapshot);
}

void tg_snapshot_leave(const struct tg_process *process)
{
    leave((struct tg_snapshot *)process);
}

const struct tg_process *tg_snapshot_enter(void)
{
    for (;;) {
        struct tg_snapshot *snapshot = atomic_load(&current);

        atomic_fetch_add(&snapshot->users, 1);
        if (snapshot == atomic_load(&current))
            return &snapshot->process;
        leave(snapshot);
    }
}

/* One that nobody has held since it was last in force. */
struct tg_snapshot *tg_snapshot_place(void)
{
    for (size_t i = 0; i < SNAPSHOTS; i++) {
        struct tg_snapshot *snapshot = &snapshots[i];

        if (snapshot != atomic_load(&current) && atomic_load(&snapshot->users) == 0 &&
            atomic_load(&snapshot->turn) % 2 == 0)
            return snapshot;
    }
    return NULL;
}

void tg_snapshot_replace(struct tg_snapshot *place, const struct tg_process *old, tg_policy *policy)
{
    place->process = *old;
    place->process.policy = policy;
    place->process.problem = NULL;
    atomic_store(&place->replaced, false);
    atomic_store(&place->policy, policy);
    atomic_fetch_add(&place->turn, 1);
    atomic_store(&current, place);
    atomic_store(&((struct tg_snapshot *)old)->replaced, true);
}
