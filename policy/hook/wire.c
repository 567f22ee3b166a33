/*
 * wire.c - between the ClientHello and the verdict, the connection's BIOs. An application whose
 * own callbacks have replaced both our verify callback and, after the ClientHello, the gate,
 * still has to read and write: each time, the gate is put back, and a handshake that ended
 * without a verdict is judged before the first byte of application data.
 */
#include "hook.h"
#include <errno.h>

bool tg_wire_register(struct tg_foundation *library)
{
    library->wire_index =
        library->crypto.CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_BIO, 0, NULL, NULL, NULL, NULL);
    return library->wire_index >= 0;
}

/* What a BIO callback is told (BIO_callback_fn_ex); which library it is of tells the number. */
struct word {
    size_t number;
    int operation, argument;
    const char *data;
    size_t length;
    long more;
    int returned;
    size_t *moved;
};

static long call(BIO_callback_fn_ex theirs, BIO *bio, const struct word *word)
{
    return theirs != NULL ? theirs(bio, word->operation, word->data, word->length, word->argument,
                                   word->more, word->returned, word->moved)
                          : word->returned;
}

/*
 * The callback that stood there may be one that calls ours, as may one that the application has
 * put in our place: ours is deaf while it calls.
 */
static long overhear(BIO *bio, const struct word *word)
{
    const struct tg_foundation *library = tg_foundation_number(word->number);
    const struct tg_libcrypto *crypto = &library->crypto;
    struct tg_wire *wire = crypto->BIO_get_ex_data(bio, library->wire_index);
    BIO_callback_fn_ex theirs = NULL;
    long returned;

    if (wire == NULL || wire->busy)
        return word->returned;
    theirs = wire->theirs;
    if (word->operation == BIO_CB_READ || word->operation == BIO_CB_WRITE) {
        BIO_callback_fn_ex before = crypto->BIO_get_callback_ex(bio);
        int saved = errno;

        tg_gate_look(wire->hooked, wire->ssl, tg_connection_state_of(wire->hooked, wire->ssl));
        errno = saved;
        if (crypto->BIO_get_callback_ex(bio) != before) /* let go of, or refused and closed */
            return call(crypto->BIO_get_callback_ex(bio), bio, word);
    }
    wire->busy = true;
    returned = call(theirs, bio, word);
    wire->busy = false;
    return returned;
}

#define OVERHEAR(number)                                                                           \
    static long overhear_##number(BIO *bio, int operation, const char *data, size_t length,        \
                                  int argument, long more, int returned, size_t *moved)            \
    {                                                                                              \
        const struct word word = {                                                                 \
            number, operation, argument, data, length, more, returned, moved};                     \
                                                                                                   \
        return overhear(bio, &word);                                                               \
    }
OVERHEAR(0)
OVERHEAR(1)
OVERHEAR(2)
OVERHEAR(3)

static BIO_callback_fn_ex callback_of(size_t number)
{
    static const BIO_callback_fn_ex callbacks[TG_FOUNDATIONS] = {overhear_0, overhear_1, overhear_2,
                                                                 overhear_3};

    return callbacks[number];
}

/* Holds BIO, so that it is there to be let go of. */
static void hold(const struct tg_hooked *hooked, struct tg_wire *wire, BIO *bio, SSL *ssl)
{
    const struct tg_foundation *library = hooked->library;
    const struct tg_libcrypto *crypto = &library->crypto;
    BIO_callback_fn_ex ours = callback_of(library->number);
    BIO_callback_fn_ex theirs = crypto->BIO_get_callback_ex(bio);

    if (theirs == ours || !crypto->BIO_up_ref(bio))
        return;
    if (!crypto->BIO_set_ex_data(bio, library->wire_index, wire)) {
        crypto->BIO_free_all(bio);
        return;
    }
    *wire = (struct tg_wire){.bio = bio, .theirs = theirs, .hooked = hooked, .ssl = ssl};
    crypto->BIO_set_callback_ex(bio, ours);
}

void tg_wire_watch(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state)
{
    BIO *in = hooked->libssl.SSL_get_rbio(ssl), *out = hooked->libssl.SSL_get_wbio(ssl);

    if (hooked->library->kind == TG_BORINGSSL)
        return;
    tg_wire_leave(state);
    if (in != NULL)
        hold(hooked, &state->wires[0], in, ssl);
    if (out != NULL && out != in)
        hold(hooked, &state->wires[1], out, ssl);
}

void tg_wire_leave(struct tg_connection_state *state)
{
    for (size_t i = 0; i < TG_WIRES; i++) {
        struct tg_wire *wire = &state->wires[i];
        const struct tg_foundation *library = wire->bio != NULL ? wire->hooked->library : NULL;
        const struct tg_libcrypto *crypto = NULL;

        if (library == NULL)
            continue;
        crypto = &library->crypto;
        (void)crypto->BIO_set_ex_data(wire->bio, library->wire_index, NULL);
        if (crypto->BIO_get_callback_ex(wire->bio) == callback_of(library->number))
            crypto->BIO_set_callback_ex(wire->bio, wire->theirs);
        crypto->BIO_free_all(wire->bio); /* with what hangs behind it, as SSL_free does */
        *wire = (struct tg_wire){.bio = NULL};
    }
}
