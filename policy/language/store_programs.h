/* store_programs.h - the executables that a rule is for. */
#ifndef TG_STORE_PROGRAMS_H
#define TG_STORE_PROGRAMS_H

#include "storing.h"

tg_store_value tg_store_programs; /* tg_rule.programs and realpaths */

#endif
