/*
 * turn.h - one thread at a time, where a fork may come at any moment and one thread may come in
 * twice: a lock that knows who has it. No thread of the parent has it in the child.
 */
#ifndef TG_TURN_H
#define TG_TURN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Who has it, as tg_turn_self says; 0, as it begins: nobody. */
typedef _Atomic uint64_t tg_turn;

/* This thread of this process; never 0. */
uint64_t tg_turn_self(void);

/* Waits for it. True if this thread has to give it back; false if the thread had it already. */
bool tg_turn_take(tg_turn *turn);

/* TAKEN is what tg_turn_take returned. */
void tg_turn_give(tg_turn *turn, bool taken);

/*
 * Where a child, which may be forked in the middle of a turn, finds what is stored behind this, it
 * finds what was stored before it: else the compiler may turn them round, or leave one out.
 */
static inline void tg_turn_step(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

#endif
