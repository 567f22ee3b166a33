/*
 * fold.h - a number for a name, the same for all names that X509_NAME_cmp(3) calls equal: whatever
 * the types of its strings, the case of their letters and the spaces between. Names that differ may
 * have the same number.
 */
#ifndef TG_FOLD_H
#define TG_FOLD_H

#include "der.h"

/* Of the name that consists of NAME, as tg_certificate_take has it. False if it can't be read: it
 * may equal any other. */
TG_MUST_USE bool tg_fold_name(struct tg_der name, uint64_t *fold);

#endif
