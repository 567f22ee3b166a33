/* store_hosts.h - hosts as values: the names that a certificate may have, and an exception's. */
#ifndef TG_STORE_HOSTS_H
#define TG_STORE_HOSTS_H

#include "storing.h"

tg_store_value tg_store_hostnames; /* tg_words */
tg_store_value tg_store_host;      /* tg_exception.host and port */

#endif
