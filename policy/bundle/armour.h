/*
 * armour.h - PEM (RFC 7468), read strictly: only what PEM_X509_INFO_read_bio(3) of every OpenSSL
 * reads, and reads in this one way. Everything else isn't ordinary.
 */
#ifndef TG_ARMOUR_H
#define TG_ARMOUR_H

#include "trustgraft.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One certificate; TRUSTED: settings may stand behind it. False: no other is read. */
typedef bool tg_armour_take(void *arg, const uint8_t *data, size_t size, bool trusted);

/*
 * Decodes TEXT of SIZE bytes, certificates in PEM and lines between them, in its own place, one
 * behind the other from its start, and hands each to TAKE with ARG. False if anything in it isn't
 * ordinary, or TAKE said so.
 */
TG_MUST_USE bool tg_armour_read(char *text, size_t size, tg_armour_take *take, void *arg);

#endif
