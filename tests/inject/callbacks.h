/* callbacks.h - scenarios of app.c: an application with verify and info callbacks of its own. */
#ifndef CALLBACKS_H
#define CALLBACKS_H

#include "tally.h"

/* Its verify callback accepts, or refuses; late: it is set after the connection is made. */
void own_accepting(struct tally *tally);
void own_accepting_late(struct tally *tally);
void own_refusing(struct tally *tally);
void own_revoking(struct tally *tally);

/* Its info callback, on the connection or on the context. */
void own_info(struct tally *tally);
void own_context_info(struct tally *tally);

/* Both; late: the info callback is set by the verify callback. */
void own_both(struct tally *tally);
void own_both_late(struct tally *tally);

#endif
