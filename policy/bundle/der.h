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

/* Takes the next element off FROM: its tag, of one byte, and what it contains. */
TG_MUST_USE bool tg_der_next(struct tg_der *from, uint8_t *tag, struct tg_der *content);

/* The same where its tag must be TAG. */
TG_MUST_USE bool tg_der_take(struct tg_der *from, uint8_t tag, struct tg_der *content);

/* The same for single types: *CONTENT is what their element contains, and is right. */
TG_MUST_USE bool tg_der_oid(struct tg_der *from, struct tg_der *content);
TG_MUST_USE bool tg_der_integer(struct tg_der *from, struct tg_der *content);
TG_MUST_USE bool tg_der_bits(struct tg_der *from, struct tg_der *content);
TG_MUST_USE bool tg_der_name(struct tg_der *from, struct tg_der *content);

/* True if TAG comes next. */
TG_MUST_USE bool tg_der_has(const struct tg_der *from, uint8_t tag);

/* True if CONTENT is right for an integer, which may have another tag. */
TG_MUST_USE bool tg_der_is_integer(const struct tg_der *content);

#endif
