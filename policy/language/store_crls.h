/* store_crls.h - the CRLs that a policy names; each file or directory is read once. */
#ifndef TG_STORE_CRLS_H
#define TG_STORE_CRLS_H

#include "storing.h"

tg_store_value tg_store_crls; /* tg_rule.crls and crl_moments */

#endif
