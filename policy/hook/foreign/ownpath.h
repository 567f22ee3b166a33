/* ownpath.h - the path that a program's own library would verify, for [distrust]. */
#ifndef TG_OWNPATH_H
#define TG_OWNPATH_H

#include "query.h"
#include "trustgraft.h"

/* A path from QUERY's leaf, which there is, to one of the program's anchors, each signed by the
 * next: *WHOLE; else the leaf alone. To be freed; NULL: no memory. */
TG_MUST_USE STACK_OF(X509) *tg_ownpath_find(const struct tg_query *query, bool *whole);

/* CERTIFICATE on top of ALL, which gets a reference of its own; false: no memory. */
TG_MUST_USE bool tg_ownpath_add(STACK_OF(X509) *all, X509 *certificate);

#endif
