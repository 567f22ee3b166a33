#include "nss_line.h"
#include "named.h"

static struct tg_nss_socket *of(const struct tg_line *line)
{
    return ((const struct tg_nss_line *)line)->state;
}

/* Where the lowest layer is none of NSPR's own, it isn't known to be one. */
static int find_descriptor(const struct tg_line *line)
{
    return of(line)->library->PR_FileDesc2NativeHandle(of(line)->fd);
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

/* NSS tells it to nobody. */
static bool has_no_random(const struct tg_line *line, uint8_t random[TG_INJECT_RANDOM_SIZE])
{
    (void)line, (void)random;
    return false;
}

static void add_names(const struct tg_line *line, struct tg_peer *peer, bool at_verdict)
{
    const struct tg_nss_socket *state = of(line);
    char *url = state->library->SSL_RevealURL(state->fd);

    (void)at_verdict;
    tg_named_give(peer, url);
    if (url == NULL && state->set.named) {
        peer->unknown = "the name that it is to verify can't be read";
        peer->named = true;
        tg_peer_add(peer, "", 0, 0);
    }
    state->library->PR_Free(url);
}

static const struct tg_line_operations operations = {
    .descriptor = find_descriptor,
    .datagrams = is_datagrams,
    .sender = has_no_sender,
    .random = has_no_random,
    .names = add_names,
};

struct tg_nss_line tg_nss_line_of(struct tg_nss_socket *state)
{
    return (struct tg_nss_line){{&operations, &state->peer}, state};
}
