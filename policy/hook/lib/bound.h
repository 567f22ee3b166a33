/* bound.h - is this library bound to one libcrypto, and not to a mixture of two? */
#ifndef TG_BOUND_H
#define TG_BOUND_H

/*
 * NULL if all functions that this library imports from libcrypto come from one object, else
 * the name of one that doesn't: an executable with OpenSSL inside may export most functions
 * but not all, and the rest would come from the system's library, with other structures.
 */
const char *tg_bound_astray(void);

#endif
