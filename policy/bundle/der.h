/*
 * der.h - DER (X.690 section 10), by elements. Strict: what isn't plain DER is none, though
 * libcrypto may take it.
 */
#ifndef TG_DER_H
#define TG_DER_H

#include "trustgraft.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is left to be read; borrowed. */
struct tg_der {
    const uint8_t *at, *end;
};

/* Of an element, off FROM, where its length isn't in one byte: up to 16 MiB, in as few as can be.
 */
TG_MUST_USE bool tg_der_length(struct tg_der *from, size_t *length);

/* Takes the next element off FROM: its tag, of one byte, and what it contains. In line, for a file
 * of CAs has some 10,000. */
static inline TG_MUST_USE bool tg_der_next(struct tg_der *from, uint8_t *tag,
                                           struct tg_der *content)
{
    size_t length = 0;

    if (from->at == from->end)
        return false;
    *tag = *from->at++;
    if ((*tag & 0x1f) == 0x1f)
        return false;
    if (from->at < from->end && *from->at < 0x80)
        length = *from->at++;
    else if (!tg_der_length(from, &length))
        return false;
    if ((size_t)(from->end - from->at) < length)
        return false;
    *content = (struct tg_der){from->at, from->at + length};
    from->at += length;
    return true;
}

/* The same where its tag must be TAG. */
static inline TG_MUST_USE bool tg_der_take(struct tg_der *from, uint8_t tag, struct tg_der *content)
{
    uint8_t found;

    return from->at < from->end && *from->at == tag && tg_der_next(from, &found, content);
}

/* The same for single types: *CONTENT is what their element contains, and is right. */
TG_MUST_USE bool tg_der_oid(struct tg_der *from, struct tg_der *content);
TG_MUST_USE bool tg_der_integer(struct tg_der *from, struct tg_der *content);
TG_MUST_USE bool tg_der_bits(struct tg_der *from, struct tg_der *content);
TG_MUST_USE bool tg_der_name(struct tg_der *from, struct tg_der *content);

/* True if TAG comes next. */
static inline TG_MUST_USE bool tg_der_has(const struct tg_der *from, uint8_t tag)
{
    return from->at < from->end && *from->at == tag;
}

/* True if CONTENT is right for an integer, which may have another tag. */
TG_MUST_USE bool tg_der_is_integer(const struct tg_der *content);

#endif
