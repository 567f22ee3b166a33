#include "candidate.h"
#include "arrival.h"
#include <arpa/inet.h>
#include <string.h>

static const char *known(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

const char *tg_peer_host(const struct tg_peer *peer)
{
    return known(peer->candidates[peer->shown].host);
}

unsigned tg_peer_port(const struct tg_peer *peer)
{
    return peer->candidates[peer->shown].port;
}

/* More than there is room for are unknown: the last place is theirs. */
void tg_peer_add(struct tg_peer *peer, const char *host, unsigned port, unsigned end)
{
    struct tg_candidate *next = &peer->candidates[peer->count];

    for (unsigned i = 0; i < peer->count; i++)
        if (peer->candidates[i].end == end && peer->candidates[i].port == port &&
            strcmp(peer->candidates[i].host, host) == 0)
            return;
    if (peer->count == TG_CANDIDATES - 1) {
        peer->unknown = "it may be one of more names than can be looked at";
        host = "";
        port = 0;
    } else if (peer->count == TG_CANDIDATES) {
        return;
    }
    peer->generation = 0;
    *next = (struct tg_candidate){.port = port, .end = end};
    memcpy(next->host, host, strlen(host) + 1);
    peer->count++;
}

void tg_peer_spell(const char *name, char out[TG_HOST_SIZE])
{
    struct in_addr address;
    size_t length = strlen(name);

    if (tg_host_spell(name, out))
        return;
    if (strpbrk(name, " \t\n\r\v\f") == NULL && inet_aton(name, &address) != 0) {
        (void)inet_ntop(AF_INET, &address, out, TG_HOST_SIZE);
        return;
    }
    if (length >= TG_HOST_SIZE)
        name += length - (TG_HOST_SIZE - 1);
    if (tg_host_canonical(name, out) == TG_HOST_INVALID)
        memcpy(out, name, strlen(name) + 1);
}

void tg_peer_match(struct tg_peer *peer, const tg_policy *policy)
{
    if (peer->generation != 0 && peer->generation == policy->generation)
        return;
    for (unsigned i = 0; i < peer->count; i++) {
        struct tg_candidate *who = &peer->candidates[i];

        who->match =
            tg_policy_match(policy, known(who->host), who->port, known(tg_process_program()));
    }
    peer->generation = policy->generation;
}

static bool is_same(const struct tg_candidate *one, const struct tg_candidate *other)
{
    return one->port == other->port && one->end == other->end &&
           strcmp(one->host, other->host) == 0;
}

void tg_peer_keep_matches(struct tg_connection_state *state, const struct tg_peer *peer)
{
    struct tg_peer *kept = state != NULL ? state->peer : NULL;
    bool same = kept != NULL && kept->count == peer->count;

    for (unsigned i = 0; same && i < peer->count; i++)
        same = is_same(&kept->candidates[i], &peer->candidates[i]);
    if (!same)
        return;
    for (unsigned i = 0; i < peer->count; i++)
        kept->candidates[i].match = peer->candidates[i].match;
    kept->generation = peer->generation;
}
