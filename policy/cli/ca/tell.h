/* tell.h - what is printed of a CA, or an identity, that was made, and how it is used. */
#ifndef TG_TELL_H
#define TG_TELL_H

#include "ca.h"
#include "credential.h"

/* Prints what was made. The exit code: not TG_EXIT_GOOD after a complaint. */
int tg_tell_root(const struct tg_ca *ca);

/* The same. PASSWORD is NULL where whoever asked for the identity has it. */
int tg_tell_credential(const struct tg_credential *credential, const struct tg_ca *ca,
                       const char *password);

#endif
