/* bio.c - what wire.c has to know of libcrypto's BIOs and of libssl's use of them. */
#include "bio.h"
#include <limits.h>

/* What QUIC does (BIO_recvmmsg(3), since OpenSSL 3.2): BIO_CB_RECVMMSG and BIO_CB_SENDMMSG. */
enum { RECEIVE_DATAGRAMS = 7, SEND_DATAGRAMS = 8 };

bool tg_bio_is_moving(int operation)
{
    return operation == BIO_CB_READ || operation == BIO_CB_WRITE ||
           operation == RECEIVE_DATAGRAMS || operation == SEND_DATAGRAMS;
}

/*
 * A callback of the old form (BIO_set_callback(3)) isn't called by a libcrypto that finds one of
 * the new form: we call it, as bio_call_callback in its bio_lib.c does.
 */
static long call_old(tg_old_bio_callback *old, BIO *bio, const struct tg_bio_word *word)
{
    int operation = word->operation & ~BIO_CB_RETURN, argument = word->argument;
    bool moved = (word->operation & BIO_CB_RETURN) && operation != BIO_CB_CTRL;
    long returned = word->returned;

    if (operation == BIO_CB_READ || operation == BIO_CB_WRITE || operation == BIO_CB_GETS) {
        if (word->length > INT_MAX)
            return -1;
        argument = (int)word->length;
    }
    if (returned > 0 && moved) {
        if (*word->moved > INT_MAX)
            return -1;
        returned = (long)*word->moved;
    }
    returned = old(bio, word->operation, word->data, argument, word->more, returned);
    if (returned > 0 && moved) {
        *word->moved = (size_t)returned;
        returned = 1;
    }
    return returned;
}

bool tg_bio_has_old(const struct tg_libcrypto *crypto, BIO *bio)
{
    return crypto->BIO_get_callback != NULL && crypto->BIO_get_callback(bio) != NULL;
}

long tg_bio_call(const struct tg_libcrypto *crypto, BIO_callback_fn_ex theirs, BIO *bio,
                 const struct tg_bio_word *word)
{
    tg_old_bio_callback *old = NULL;

    if (theirs != NULL)
        return theirs(bio, word->operation, word->data, word->length, word->argument, word->more,
                      word->returned, word->moved);
    if (crypto->BIO_get_callback != NULL)
        old = crypto->BIO_get_callback(bio);
    return old != NULL ? call_old(old, bio, word) : word->returned;
}

/*
 * libssl writes its handshakes through a buffer of its own, and frees that when one is done, before
 * it looks whom to tell of that (tls_finish_handshake in its statem_lib.c). Which BIO that is only
 * what comes behind it gets to know, when the two are joined.
 */
static _Thread_local BIO *joined;

static long see_join(BIO *bio, int operation, const char *data, size_t length, int argument,
                     long more, int returned, size_t *moved)
{
    (void)bio, (void)length, (void)more, (void)moved;
    if (operation == BIO_CB_CTRL && argument == BIO_CTRL_PUSH)
        joined = (BIO *)data;
    return returned;
}

bool tg_bio_buffer(const struct tg_hooked *hooked, SSL *ssl, BIO *out, BIO **buffer)
{
    const struct tg_libcrypto *crypto = &hooked->library->crypto;
    BIO *probe = crypto->BIO_new(crypto->BIO_s_null());

    joined = NULL;
    if (probe == NULL || !crypto->BIO_up_ref(out)) {
        (void)crypto->BIO_free(probe);
        return false;
    }
    crypto->BIO_set_callback_ex(probe, see_join);
    hooked->libssl.SSL_set0_wbio(ssl, probe);
    hooked->libssl.SSL_set0_wbio(ssl, out); /* which frees the probe */
    *buffer = joined;
    return true;
}
