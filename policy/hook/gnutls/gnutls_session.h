/*
 * gnutls_session.h - what is kept of a client session of GnuTLS, which can't be read back from it,
 * and of credentials. It is used as the session may be: by one thread at a time.
 */
#ifndef TG_GNUTLS_SESSION_H
#define TG_GNUTLS_SESSION_H

#include "foreign_judge.h"
#include "gnutls_lib.h"

/* The session's verification that the program set: the last one replaces those before. */
enum tg_gnutls_check { TG_GNUTLS_NO_CHECK, TG_GNUTLS_FUNCTION, TG_GNUTLS_NAMES };

/* The names that a program verifies; more are unknown. */
#define TG_GNUTLS_GIVEN 8

/* The keys for data that a program may have once its server is known. */
struct tg_gnutls_secrets {
    gnutls_handshake_secret_func function; /* that takes them; NULL: none */
    size_t size;                           /* 0: none wait */
    unsigned char read[64], write[64];
    bool has_read, has_write;
};

struct tg_gnutls_session {
    const struct tg_gnutls *library;
    gnutls_session_t session;
    bool pushed;    /* the program writes by functions of its own */
    bool datagrams; /* as DTLS and QUIC have it */
    char *sent;     /* the server name; NULL: none */
    char *given[TG_GNUTLS_GIVEN];
    unsigned given_count;
    bool given_more;
    struct tg_peer *peer; /* as it was told once (line.h); NULL: not yet */
    bool early;           /* data waits that is to go out with the ClientHello */
    struct tg_gnutls_secrets secrets;

    enum tg_gnutls_check check;
    gnutls_certificate_verify_function *function;
    const char *host; /* the program's, as the library keeps them */
    gnutls_typed_vdata_st *data;
    unsigned data_count;
    bool checked; /* those names were verified for the library, with STATUS */
    unsigned status;
    unsigned refusal;   /* why it was refused: as a status of the library's, */
    const char *reason; /* and as tg_reason_now gave it; or NULL */

    bool installed; /* our verify function stands in the session */
    bool running;   /* a handshake has begun, and not ended */
    bool complete;  /* one was completed before */
    bool judged;    /* there is a verdict on this handshake */
    enum tg_foreign_outcome outcome;
    char accepted[TG_HOST_SIZE]; /* for which host; empty: none is known */

    /* Where the leaf was given one more name: what the program is shown in the library's place. It
     * may still hold what it was shown before, when a handshake goes on after a false start. */
    unsigned char *alias, *old_alias; /* its DER, libcrypto's */
    gnutls_datum_t *shown, *old_shown;
    unsigned shown_count;
};

/* NULL: none is kept, as SESSION is no client's. */
struct tg_gnutls_session *tg_gnutls_session_of(gnutls_session_t session);

/* A fresh one of SESSION, whatever was there before; NULL: no memory. */
TG_MUST_USE struct tg_gnutls_session *
tg_gnutls_session_make(const struct tg_gnutls *library, gnutls_session_t session, unsigned flags);
void tg_gnutls_session_forget(gnutls_session_t session);

/* NAME of SIZE bytes is sent from now on; none where SIZE is 0. */
void tg_gnutls_session_send(struct tg_gnutls_session *state, const char *name, size_t size);

/* One NAME more that the program verifies; NULL: none. True if it wasn't there. */
bool tg_gnutls_session_give(struct tg_gnutls_session *state, const char *name);

/* The name in ONE, which is borrowed, or stands in ROOM then; NULL: none, or it is too long. */
const char *tg_gnutls_typed_name(const gnutls_typed_vdata_st *one, char room[TG_HOST_SIZE]);

/* The same of HOST and of DATA (each may be NULL). */
bool tg_gnutls_session_give_all(struct tg_gnutls_session *state, const char *host,
                                const gnutls_typed_vdata_st *data, unsigned count);

/* The program is shown the library's own list again, which is a new one from now on. */
void tg_gnutls_session_hide(struct tg_gnutls_session *state);

/* FUNCTION verifies for sessions with CREDENTIALS; NULL: none does. */
void tg_gnutls_credentials_set(gnutls_certificate_credentials_t credentials,
                               gnutls_certificate_verify_function *function);
void tg_gnutls_credentials_forget(gnutls_certificate_credentials_t credentials);

/* That function; NULL: none. False: one was set that could not be kept. */
TG_MUST_USE bool tg_gnutls_credentials_function(gnutls_certificate_credentials_t credentials,
                                                gnutls_certificate_verify_function **function);

#endif
