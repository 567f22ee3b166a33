/* census.h - the programs of this machine that do TLS, and by which way each is reached. */
#ifndef TG_CENSUS_H
#define TG_CENSUS_H

#include "text.h"
#include "trustgraft.h"

/*
 * Appends a line, or with JSON an object, for each program in the folders of PATH whose TLS library
 * is to be seen, with its package where dpkg(1) knows it, and a line of sums. Runs nothing. False:
 * memory ran out, which was complained of.
 */
TG_MUST_USE bool tg_census(struct tg_buf *out, bool json);

#endif
