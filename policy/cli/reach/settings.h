/*
 * settings.h - the openssl.cnf that turns the provider on. It holds the absolute path of the
 * module, so what is unpacked anywhere comes without one.
 */
#ifndef TG_SETTINGS_H
#define TG_SETTINGS_H

#include <stdbool.h>

/*
 * Makes openssl.cnf beside its generator where there is none. False after a complaint; true, too,
 * where the generator or the module is missing, which others complain of.
 */
bool tg_settings_provide(void);

/* For tg_child_run: prints what has to come at the end of SYSTEM, an openssl.cnf. */
int tg_settings_print_end(const char *system);

#endif
