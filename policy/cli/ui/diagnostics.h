/* diagnostics.h - the errors and warnings of a policy, as people read them. */
#ifndef TG_DIAGNOSTICS_H
#define TG_DIAGNOSTICS_H

#include "diag.h"
#include <stdio.h>

/* Prints DIAGS as text, errors first, in colour where TO is a terminal. */
void tg_diagnostics_print(FILE *to, const struct tg_diags *diags);

#endif
