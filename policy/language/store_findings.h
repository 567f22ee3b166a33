/* store_findings.h - what an exception forgives. */
#ifndef TG_STORE_FINDINGS_H
#define TG_STORE_FINDINGS_H

#include "storing.h"

tg_store_value tg_store_findings; /* tg_exception.findings */

#endif
