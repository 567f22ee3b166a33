/*
 * blocks.h - the content of a file that has certificates, CRLs or keys: PEM blocks, or one thing in
 * DER. Nothing that begins like a block goes by unseen.
 */
#ifndef TG_BLOCKS_H
#define TG_BLOCKS_H

#include "file.h"

/* One PEM block, or the whole of a DER file as what it must be. */
struct tg_block {
    const char *name; /* as in -----BEGIN NAME----- */
    const unsigned char *der;
    long length;
    size_t number; /* in the file, from 1 */
};

/* Takes BLOCK, which is gone afterwards, to ARG. NULL, or a sentence: no other block follows. */
typedef const char *tg_block_take(struct tg_arena *arena, struct tg_block block, void *arg);

/* Takes all of FILE, which COUNT PEM blocks begin in, to ARG; false: it goes block by block. */
typedef bool tg_block_take_all(const struct tg_file *file, size_t count, void *arg);

/* What a file is read for. */
struct tg_block_kind {
    const char *der; /* the PEM name of what a DER file holds */
    tg_block_take *take;
    tg_block_take_all *take_all; /* NULL: none */
    const char *none;            /* what is said where a file has nothing of the kind */
};

/* Hands each block of FILE to KIND. NULL, or a sentence; ARG may then have some of them. */
TG_MUST_USE const char *tg_blocks_each(struct tg_arena *arena, const struct tg_file *file,
                                       const struct tg_block_kind *kind, void *arg);

#endif
