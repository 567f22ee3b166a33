/* store_certificates.h - certificates that a rule builds paths with: `anchors`, `intermediates`. */
#ifndef TG_STORE_CERTIFICATES_H
#define TG_STORE_CERTIFICATES_H

#include "storing.h"

tg_store_value tg_store_anchors;      /* tg_rule.anchors and anchors_system */
tg_store_value tg_store_certificates; /* STACK_OF(X509) * */

#endif
