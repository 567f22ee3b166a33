/*
 * slot.h - a small record that threads and signal handlers write and read without a lock. A fork in
 * the middle of a write costs the child that one slot; a lock that is held at a fork would cost the
 * child all of them.
 */
#ifndef TG_SLOT_H
#define TG_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One word of a slot: word 0 is the sequence number, the record follows. Zero: empty. */
typedef _Atomic uint64_t tg_slot_word;

/*
 * Copies the first COUNT words of the record in SLOT to RECORD. Returns the sequence number
 * it was written with, or 0 if the slot is empty or was being written: RECORD is then garbage.
 */
uint64_t tg_slot_read(const tg_slot_word *slot, uint64_t *record, size_t count);

/*
 * Writes RECORD, COUNT words, with SEQUENCE, an even number above 0. Returns false, with
 * nothing written, if the slot holds that sequence or a newer one, or another thread is in it.
 */
bool tg_slot_write(tg_slot_word *slot, const uint64_t *record, size_t count, uint64_t sequence);

/* The same, only in the place of the record that was read with the sequence number FOUND, or 0. */
bool tg_slot_replace(tg_slot_word *slot, const uint64_t *record, size_t count, uint64_t found,
                     uint64_t sequence);

/* The sequence number of the last write to SLOT that began, which may be going on; 0: none. */
uint64_t tg_slot_newest(const tg_slot_word *slot);

/* True if SLOT holds nothing. */
bool tg_slot_empty(const tg_slot_word *slot);

#endif
