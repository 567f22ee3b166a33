/*
 * gnutls_answer.h - what a program is told of a verification that it asks for by itself, of a
 * session or of a certificate apart from it: see struct tg_gnutls_hook.
 */
#ifndef TG_GNUTLS_ANSWER_H
#define TG_GNUTLS_ANSWER_H

#include "gnutls_session.h"

int tg_gnutls_answer(gnutls_session_t session, const char *host, const gnutls_typed_vdata_st *data,
                     unsigned count, int result, unsigned *status);
unsigned tg_gnutls_answer_status(gnutls_session_t session, unsigned status);
const gnutls_datum_t *tg_gnutls_answer_peers(gnutls_session_t session, const gnutls_datum_t *list,
                                             unsigned *count);
time_t tg_gnutls_answer_time(gnutls_session_t session, time_t when, bool end);
bool tg_gnutls_answer_knows(const struct tg_gnutls *library, gnutls_x509_crt_t certificate,
                            const char *host, const unsigned char *address, size_t size);

#endif
