#include "verifier.h"
#include "turn.h"

static void set(const struct tg_hooked *hooked, SSL_CTX *context, struct tg_seated seated)
{
    hooked->libssl.SSL_CTX_set_cert_verify_callback(context, seated.callback, seated.arg);
}

void tg_verifier_put(const struct tg_hooked *hooked, SSL_CTX *context,
                     struct tg_context_state *state, int (*callback)(X509_STORE_CTX *, void *))
{
    state->seat = tg_seat_find(&hooked->libssl, context);
    state->ours = (struct tg_seated){callback, (void *)hooked};
    set(hooked, context, state->ours);
}

/* Contexts are set up before threads share them, and of the handshakes that begin at once, of
 * servers too, the first one changes it: before any of them verifies. */
void tg_verifier_return(const struct tg_hooked *hooked, const SSL *ssl)
{
    static tg_turn turn;
    SSL_CTX *context = hooked->libssl.SSL_get_SSL_CTX(ssl);
    struct tg_context_state *state = tg_context_state_of(hooked, context);
    struct tg_seated seated;
    bool taken;

    if (state == NULL || state->seat == 0)
        return;
    taken = tg_turn_take(&turn);
    seated = tg_seat_read(context, state->seat);
    if (seated.callback != state->ours.callback) {
        state->verify = seated.callback;
        state->verify_arg = seated.arg;
        set(hooked, context, state->ours);
    }
    tg_turn_give(&turn, taken);
}
