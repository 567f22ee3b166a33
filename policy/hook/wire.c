/*
 * wire.c - between the ClientHello and the verdict, the connection's BIOs. An application whose
 * own callbacks have replaced both our verify callback and, after the ClientHello, the gate,
 * still has to read and write: each time, the gate is put back, and a handshake that ended
 * without a verdict is judged before the first byte of application data.
 */
#include "hook.h"
#include <errno.h>
#include <openssl/crypto.h>

static int wire_index = -1; /* of a BIO's ex_data: its SSL */

bool tg_wire_register(void)
{
    wire_index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_BIO, 0, NULL, NULL, NULL, NULL);
    return wire_index >= 0;
}

/* A BIO_callback_fn_ex. */
static long overhear(BIO *bio, int operation, const char *data, size_t length, int argument,
                     long more, int returned, size_t *moved)
{
    SSL *ssl = BIO_get_ex_data(bio, wire_index);
    struct tg_connection_state *state = ssl != NULL ? tg_connection_state_of(ssl) : NULL;
    BIO_callback_fn_ex theirs = NULL;
    int saved = errno;

    if (state == NULL)
        return returned;
    for (size_t i = 0; i < TG_WIRES; i++)
        if (state->wires[i].bio == bio)
            theirs = state->wires[i].theirs;
    if (operation == BIO_CB_READ || operation == BIO_CB_WRITE)
        tg_gate_look(state->hooked, ssl, state);
    errno = saved;
    if (BIO_get_callback_ex(bio) != overhear) /* refused: the gate has closed it */
        theirs = BIO_get_callback_ex(bio);
    return theirs != NULL ? theirs(bio, operation, data, length, argument, more, returned, moved)
                          : returned;
}

/* Holds BIO, so that it is there to be let go of. */
static void hold(struct tg_wire *wire, BIO *bio, SSL *ssl)
{
    BIO_callback_fn_ex theirs = BIO_get_callback_ex(bio);

    if (theirs == overhear || !BIO_set_ex_data(bio, wire_index, ssl) || !BIO_up_ref(bio))
        return;
    *wire = (struct tg_wire){.bio = bio, .theirs = theirs};
    BIO_set_callback_ex(bio, overhear);
}

void tg_wire_watch(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    BIO *in = hooked->libssl.SSL_get_rbio(ssl), *out = hooked->libssl.SSL_get_wbio(ssl);

    tg_wire_leave(state);
    if (in != NULL)
        hold(&state->wires[0], in, ssl);
    if (out != NULL && out != in)
        hold(&state->wires[1], out, ssl);
}

void tg_wire_leave(struct tg_connection_state *state)
{
    for (size_t i = 0; i < TG_WIRES; i++) {
        struct tg_wire *wire = &state->wires[i];

        if (wire->bio == NULL)
            continue;
        (void)BIO_set_ex_data(wire->bio, wire_index, NULL);
        if (BIO_get_callback_ex(wire->bio) == overhear)
            BIO_set_callback_ex(wire->bio, wire->theirs);
        BIO_free(wire->bio);
        *wire = (struct tg_wire){.bio = NULL};
    }
}
