#include "gnutls_line.h"
#include "named.h"
#include <limits.h>
#include <string.h>

static struct tg_gnutls_session *of(const struct tg_line *line)
{
    return ((const struct tg_gnutls_line *)line)->state;
}

/* What the library's own functions write to is a descriptor; whatever others are given isn't known
 * to be one. */
static int find_descriptor(const struct tg_line *line)
{
    const struct tg_gnutls_session *state = of(line);
    void *in = NULL, *out = NULL;

    if (state->pushed)
        return -1;
    state->library->gnutls_transport_get_ptr2(state->session, &in, &out);
    return (uintptr_t)out <= INT_MAX ? (int)(uintptr_t)out : -1;
}

static bool is_datagrams(const struct tg_line *line)
{
    return of(line)->datagrams;
}

static bool has_no_sender(const struct tg_line *line, struct sockaddr_storage *address)
{
    (void)line, (void)address;
    return false;
}

static bool find_random(const struct tg_line *line, uint8_t random[TG_INJECT_RANDOM_SIZE])
{
    gnutls_datum_t client = {NULL, 0};

    of(line)->library->gnutls_session_get_random(of(line)->session, &client, NULL);
    if (client.data == NULL || client.size != TG_INJECT_RANDOM_SIZE)
        return false;
    memcpy(random, client.data, TG_INJECT_RANDOM_SIZE);
    return true;
}

static void add_names(const struct tg_line *line, struct tg_peer *peer, bool at_verdict)
{
    const struct tg_gnutls_session *state = of(line);

    (void)at_verdict;
    for (unsigned i = 0; i < state->given_count; i++)
        tg_named_give(peer, state->given[i]);
    if (state->given_count == 0)
        tg_named_give(peer, state->sent);
    if (!state->given_more)
        return;
    peer->unknown = "the names that it is to verify can't be kept";
    peer->named = true;
    tg_peer_add(peer, "", 0, 0);
}

static const struct tg_line_operations operations = {
    .descriptor = find_descriptor,
    .datagrams = is_datagrams,
    .sender = has_no_sender,
    .random = find_random,
    .names = add_names,
};

struct tg_gnutls_line tg_gnutls_line_of(struct tg_gnutls_session *state)
{
    return (struct tg_gnutls_line){{&operations, &state->peer}, state};
}
