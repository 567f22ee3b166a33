/* installation.h - is everything of trustgraft in place, and does it load? */
#ifndef TG_INSTALLATION_H
#define TG_INSTALLATION_H

#include "health.h"
#include "reach.h"
#include "text.h"
#include "trustgraft.h"

/*
 * Looks for our own files and really loads each, in child processes: OpenSSL passes over a
 * provider that doesn't load in silence, and the dynamic linker over a library.
 */
void tg_installation_check(struct tg_health *health);

/*
 * Which libcrypto is inside our second engine (inject.h), into SAID. False, with the reason in
 * SAID, if that engine isn't there or doesn't load.
 */
TG_MUST_USE bool tg_installation_inside(struct tg_buf *said);

/* Whether this system has an OpenSSL 3, as libcrypto.so.3; tried in a child process. */
TG_MUST_USE bool tg_installation_has_openssl(void);

/* Loads what gets in by WAY, in a child process. False after a complaint. */
TG_MUST_USE bool tg_installation_works(enum tg_way way);

/* For tg_child_run: 0, or a reason on standard output. */
int tg_installation_try_preload(const char *library);
/* The same, whether OpenSSL starts under SETTINGS, an openssl.cnf: with our provider and `default`.
 */
int tg_installation_try_settings(const char *settings);
/* The same with `default`, however that came on. */
int tg_installation_try_plain(const char *settings);

#endif
