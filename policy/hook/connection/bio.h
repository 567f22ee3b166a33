/* bio.h - the callbacks of BIOs, in the old form and the new, and the buffer of a handshake. */
#ifndef TG_BIO_H
#define TG_BIO_H

#include "state.h"

/* What a BIO callback is told (BIO_callback_fn_ex); which library it is of tells the number. */
struct tg_bio_word {
    size_t number;
    int operation, argument;
    const char *data;
    size_t length;
    long more;
    int returned;
    size_t *moved;
};

/* True if data is read or written. */
bool tg_bio_is_moving(int operation);

/* True if BIO has a callback in the old form. */
bool tg_bio_has_old(const struct tg_libcrypto *crypto, BIO *bio);

/* What THEIRS, the callback of BIO in the new form, says to WORD; NULL: the one in the old form. */
long tg_bio_call(const struct tg_libcrypto *crypto, BIO_callback_fn_ex theirs, BIO *bio,
                 const struct tg_bio_word *word);

/*
 * *BUFFER is the BIO through which libssl writes the handshake of SSL, whose writing end is OUT,
 * and which it frees at the end; NULL: there is none. False: no memory.
 */
TG_MUST_USE bool tg_bio_buffer(const struct tg_hooked *hooked, SSL *ssl, BIO *out, BIO **buffer);

#endif
