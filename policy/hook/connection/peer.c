#include "peer.h"
#include "named.h"
#include "sockets.h"
#include <stdlib.h>
#include <string.h>

/* A line of libssl's. */
struct ssl_line {
    struct tg_line line; /* the first */
    const struct tg_hooked *hooked;
    SSL *ssl;
    const X509_STORE_CTX *context;
};

static const struct ssl_line *of(const struct tg_line *line)
{
    return (const struct ssl_line *)line;
}

static int descriptor_of(const struct tg_line *line)
{
    return of(line)->hooked->libssl.SSL_get_fd(of(line)->ssl);
}

/* Of DTLS, whose socket needn't be connected; once a datagram has come, it is its sender. */
static bool find_sender(const struct tg_line *line, struct sockaddr_storage *to)
{
    const struct tg_hooked *hooked = of(line)->hooked;
    const struct tg_libcrypto *crypto = &hooked->library->crypto;
    BIO *out = hooked->libssl.SSL_get_wbio(of(line)->ssl);

    if (out == NULL || (out = crypto->BIO_find_type(out, BIO_TYPE_DGRAM)) == NULL)
        return false;
    memset(to, 0, sizeof(*to));
    return crypto->BIO_ctrl(out, BIO_CTRL_DGRAM_GET_PEER, 0, to) > 0 && tg_socket_port(to) != 0;
}

static bool is_datagram_version(int version)
{
    enum { QUIC = 1, ANY_DTLS = 0x1FFFF, OLD_DTLS = 0x100 }; /* OSSL_QUIC1_VERSION, DTLS_ANY... */

    return version == QUIC || version == ANY_DTLS || version == OLD_DTLS || version >> 8 == 0xFE;
}

/* QUIC over callbacks has no BIO at all, or one that leads nowhere (SSL_set_quic_tls_cbs(3)). */
static bool is_datagrams(const struct tg_line *line)
{
    const struct tg_hooked *hooked = of(line)->hooked;
    SSL *ssl = of(line)->ssl;
    BIO *out = hooked->libssl.SSL_get_wbio(ssl);

    if (is_datagram_version(hooked->libssl.SSL_version(ssl)))
        return true;
    return out == NULL ? hooked->libssl.SSL_get_rbio(ssl) == NULL
                       : hooked->library->crypto.BIO_find_type(out, BIO_TYPE_NULL) != NULL;
}

static bool find_random(const struct tg_line *line, uint8_t random[TG_INJECT_RANDOM_SIZE])
{
    return of(line)->hooked->libssl.SSL_get_client_random(
               of(line)->ssl, random, TG_INJECT_RANDOM_SIZE) == TG_INJECT_RANDOM_SIZE;
}

static void add_names(const struct tg_line *line, struct tg_peer *peer, bool at_verdict)
{
    tg_named_add(peer, of(line)->hooked, of(line)->ssl, at_verdict ? of(line)->context : NULL);
}

static const struct tg_line_operations operations = {
    .descriptor = descriptor_of,
    .datagrams = is_datagrams,
    .sender = find_sender,
    .random = find_random,
    .names = add_names,
};

static struct ssl_line line_of(const struct tg_hooked *hooked, SSL *ssl,
                               const X509_STORE_CTX *context)
{
    struct tg_connection_state *state = tg_connection_state_of(hooked, ssl);

    return (struct ssl_line){
        {&operations, state != NULL ? &state->peer : NULL}, hooked, ssl, context};
}

void tg_peer_of(const struct tg_hooked *hooked, SSL *ssl, struct tg_peer *peer)
{
    const struct ssl_line line = line_of(hooked, ssl, NULL);

    tg_line_peer(&line.line, peer);
}

void tg_peer_at_verdict(const struct tg_hooked *hooked, SSL *ssl, const X509_STORE_CTX *context,
                        struct tg_peer *peer)
{
    const struct ssl_line line = line_of(hooked, ssl, context);

    tg_line_peer_at_verdict(&line.line, peer);
}

void tg_peer_forget(struct tg_connection_state *state)
{
    free(state->peer);
    state->peer = NULL;
}
