/*
 * anchors.h - from a store URI to the certificates that the policy lets its host be anchored in:
 * those of the one rule that applies, less what is distrusted.
 */
#ifndef TG_ANCHORS_H
#define TG_ANCHORS_H

#include "provider.h"
#include "trustgraft.h"
#include <stdbool.h>

struct tg_anchors;

/*
 * Chooses the rule for URI, "trustgraft:HOST[:PORT]" or "trustgraft://HOST[:PORT]", in this
 * process's policy. NULL, with the reason on the error queue, if there is no rule with anchors.
 */
TG_MUST_USE struct tg_anchors *tg_anchors_open(const struct tg_provider *provider, const char *uri);
void tg_anchors_free(struct tg_anchors *anchors); /* NULL is fine */

/* Only certificates with this subject, DER of SIZE bytes, are wanted. False if it isn't a name. */
TG_MUST_USE bool tg_anchors_set_subject(struct tg_anchors *anchors, const void *der, size_t size);

/*
 * Appends the anchors to OUT, each with a reference of its own; what the policy distrusts is
 * left out. False when memory ran out.
 */
TG_MUST_USE bool tg_anchors_list(const struct tg_anchors *anchors, STACK_OF(X509) *out);

#endif
