/*
 * beside.h - a warning where a process has a TLS library beside OpenSSL, GnuTLS and NSS, or
 * instead, that trustgraft doesn't reach (unreached.h).
 */
#ifndef TG_BESIDE_H
#define TG_BESIDE_H

/*
 * To be called as the process begins, after tg_engine_begin: settles whether a policy is
 * in force, and looks at what the program links. Where it links a library of unreached.h, and no
 * OpenSSL, GnuTLS or NSS beside it, one line is logged. Preserves errno.
 */
void tg_beside_begin(void);

/*
 * To be called where a connection begins: looks at what was loaded since. One line a process. Not
 * in a child that a thread among others has forked: dl_iterate_phdr(3)'s lock may be locked in it
 * for ever. Preserves errno.
 */
void tg_beside_look(void);

/* Logs that the program DOES ("links") have LIBRARY, whose TLS isn't under the policy; not where a
 * line was logged before. */
void tg_beside_tell(const char *does, const char *library);

#endif
