#include "chains.h"
#include "turn.h"
#include <string.h>

#define CHAINS 256

static struct chain {
    uint8_t leaf[TG_SHA256_SIZE];
    STACK_OF(X509) *sent; /* leaf first; NULL: there is none here */
} chains[CHAINS];
static unsigned count; /* of all that there ever were: a newer one takes an older's place */
static atomic_bool lost;
static tg_turn turn;

static struct chain *find(const uint8_t leaf[TG_SHA256_SIZE])
{
    for (unsigned i = 0; i < CHAINS; i++)
        if (chains[i].sent != NULL && memcmp(chains[i].leaf, leaf, TG_SHA256_SIZE) == 0)
            return &chains[i];
    return NULL;
}

/* SENT's place from now on; what was there before. */
static STACK_OF(X509) *replace(struct chain *place, STACK_OF(X509) *sent)
{
    STACK_OF(X509) *old = place->sent;

    tg_turn_step();
    place->sent = sent;
    tg_turn_step();
    return old;
}

void tg_chains_keep(const uint8_t leaf[TG_SHA256_SIZE], const struct tg_foreign_server *server)
{
    STACK_OF(X509) *sent = X509_chain_up_ref(server->sent), *old = NULL;
    bool taken = tg_turn_take(&turn);
    struct chain *place = find(leaf);

    if (sent == NULL) {
        atomic_store(&lost, true);
    } else if (place != NULL) {
        old = replace(place, sent);
    } else {
        place = &chains[count++ % CHAINS];
        if (place->sent != NULL)
            atomic_store(&lost, true);
        old = replace(place, NULL);
        memcpy(place->leaf, leaf, TG_SHA256_SIZE);
        (void)replace(place, sent);
    }
    tg_turn_give(&turn, taken);
    sk_X509_pop_free(old, X509_free);
}

bool tg_chains_add(const uint8_t leaf[TG_SHA256_SIZE], struct tg_foreign_server *server)
{
    bool taken = tg_turn_take(&turn), added = true;
    const struct chain *chain = find(leaf);

    for (int i = 1; chain != NULL && i < sk_X509_num(chain->sent) && added; i++) {
        X509 *one = sk_X509_value(chain->sent, i);

        added = X509_up_ref(one);
        if (added && !sk_X509_push(server->sent, one)) {
            X509_free(one);
            added = false;
        }
    }
    tg_turn_give(&turn, taken);
    return added;
}

bool tg_chains_lost(void)
{
    return atomic_load(&lost);
}
