/* store_log.h - where verdicts are logged. */
#ifndef TG_STORE_LOG_H
#define TG_STORE_LOG_H

#include "storing.h"

tg_store_value tg_store_log; /* tg_policy.log_sinks and log_file */

#endif
