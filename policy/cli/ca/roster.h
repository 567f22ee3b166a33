/* roster.h - what a CA has issued, by its own records and by the files that it gave out. */
#ifndef TG_ROSTER_H
#define TG_ROSTER_H

#include "ca.h"
#include "text.h"
#include "trustgraft.h"

/*
 * Appends each certificate that CA, of which the root is there, has issued, as text or as a JSON
 * object a line; *COMPLETE is false where a file couldn't be read or isn't this CA's, after a
 * complaint. False after one where nothing can be told.
 */
TG_MUST_USE bool tg_roster_write(const struct tg_ca *ca, bool json, struct tg_buf *out,
                                 bool *complete);

#endif
