#include "leaves.h"
#include "host.h"
#include "turn.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#define ACCEPTED 512
#define LEFT     (1u << 17) /* bits */

static struct accepted {
    uint8_t leaf[TG_SHA256_SIZE];
    char host[TG_HOST_SIZE];
} accepted[ACCEPTED];
static _Atomic unsigned count; /* of all that there ever were: a newer one takes an older's place */
static uint64_t left[LEFT / 64];
static tg_turn turn;

/* Two bits stand for a leaf. Where they are another's, what is good isn't told: never the reverse.
 */
static uint32_t bit_of(const uint8_t leaf[TG_SHA256_SIZE], unsigned which)
{
    uint32_t word;

    memcpy(&word, leaf + which * sizeof(word), sizeof(word));
    return word % LEFT;
}

static bool is_left(const uint8_t leaf[TG_SHA256_SIZE])
{
    for (unsigned i = 0; i < 2; i++)
        if (!(left[bit_of(leaf, i) / 64] >> bit_of(leaf, i) % 64 & 1))
            return false;
    return true;
}

static bool is_accepted(const uint8_t leaf[TG_SHA256_SIZE], const char *host)
{
    for (unsigned i = 0; i < ACCEPTED && i < count; i++)
        if (memcmp(accepted[i].leaf, leaf, TG_SHA256_SIZE) == 0 &&
            (host == NULL || strcmp(accepted[i].host, host) == 0))
            return true;
    return false;
}

bool tg_leaves_digest(const void *der, size_t size, uint8_t digest[TG_SHA256_SIZE])
{
    bool made;

    ERR_set_mark();
    made = EVP_Digest(der, size, digest, NULL, tg_hash_sha256(), NULL) == 1;
    ERR_pop_to_mark();
    return made;
}

void tg_leaves_accept(const uint8_t leaf[TG_SHA256_SIZE], const char *host)
{
    bool taken = tg_turn_take(&turn);
    size_t length = strlen(host);

    if (length < TG_HOST_SIZE && !is_accepted(leaf, host)) {
        struct accepted *place = &accepted[count % ACCEPTED];

        place->host[0] = '\0';
        tg_turn_step();
        memcpy(place->leaf, leaf, TG_SHA256_SIZE);
        memcpy(place->host + 1, host + 1, length);
        tg_turn_step();
        place->host[0] = host[0];
        count++;
    }
    tg_turn_give(&turn, taken);
}

void tg_leaves_leave(const uint8_t leaf[TG_SHA256_SIZE])
{
    bool taken = tg_turn_take(&turn);

    for (unsigned i = 0; i < 2; i++)
        left[bit_of(leaf, i) / 64] |= UINT64_C(1) << bit_of(leaf, i) % 64;
    tg_turn_give(&turn, taken);
}

bool tg_leaves_know(const uint8_t leaf[TG_SHA256_SIZE], const char *host)
{
    bool taken = tg_turn_take(&turn);
    bool known = is_accepted(leaf, host) && !is_left(leaf);

    tg_turn_give(&turn, taken);
    return known;
}

bool tg_leaves_any(void)
{
    return count > 0;
}
