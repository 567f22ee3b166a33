/* store_programs.h - the executables that a rule is for. */
#ifndef TG_STORE_PROGRAMS_H
#define TG_STORE_PROGRAMS_H

#include "storing.h"

tg_store_value tg_store_programs; /* tg_rule.programs and realpaths */

/* Notes that PROGRAM leads to PATH (NULL: nowhere), which LOAD's rules believe from now on. NULL:
 * no memory. */
TG_MUST_USE const struct tg_program_path *
tg_store_program_path(struct tg_load *load, const char *program, const char *path);

#endif
