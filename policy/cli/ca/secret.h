/* secret.h - the password of a PKCS#12 file, which never stands among a command's arguments. */
#ifndef TG_SECRET_H
#define TG_SECRET_H

#include "trustgraft.h"
#include <stdbool.h>

enum { TG_SECRET_SIZE = 256 };

/*
 * Writes it to OUT: the first line of FILE, where "-" asks on the terminal or reads standard
 * input; without FILE (NULL) the value of TRUSTGRAFT_P12_PASSWORD; else a random one, and *MADE.
 * False after a complaint. Cleanse OUT.
 */
TG_MUST_USE bool tg_secret_get(const char *file, char out[TG_SECRET_SIZE], bool *made);

#endif
