/*
 * peer.c - who is at the other end of a connection.
 *
 * The facts: the names that the application gave the library; where the connection leads, by
 * its own socket, or by the one that its ClientHello went to; the names that had been looked up
 * for that address. They are gathered at the start of a handshake; where the connection leads
 * may be seen only once its ClientHello is out. Of what can't be had nothing is guessed.
 */
#include "peer.h"
#include "reference.h"
#include "sockets.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* As many places as a connection may lead to. */
#define ENDS 8

static const struct tg_inject_sockets *_Atomic sockets;

void tg_peer_set_sockets(const struct tg_inject_sockets *given)
{
    atomic_store_explicit(&sockets, given, memory_order_release);
}

static const struct tg_inject_sockets *preload(void)
{
    return atomic_load_explicit(&sockets, memory_order_acquire);
}

void tg_peer_forget(struct tg_connection_state *state)
{
    free(state->peer);
    state->peer = NULL;
}

/* Before it is known where the connection leads. */
static void add_given(struct tg_peer *peer, const char *name)
{
    char host[TG_HOST_SIZE];

    if (name == NULL || name[0] == '\0')
        return;
    tg_peer_spell(name, host);
    peer->named = true;
    tg_peer_add(peer, host, 0, 0);
}

/* ---- the names that the application gave ---- */

/* NAME is ".example", which stands for any name below it, as SENT (may be NULL) is one. */
static bool stands_for(const char *name, const char *sent)
{
    size_t length = strlen(name), all = sent != NULL ? strlen(sent) : 0;

    return name[0] == '.' && all > length && strcasecmp(sent + all - length, name) == 0;
}

/* The names to verify; SENT counts too where there is none, or one that stands for many. False,
 * with none added, without memory. */
static bool add_names_in(struct tg_peer *peer, X509_VERIFY_PARAM *param, const char *sent)
{
    char *address = NULL;
    const char *name = NULL;
    bool open;

    if (!tg_reference_address(param, &address))
        return false;
    open = address == NULL && X509_VERIFY_PARAM_get0_host(param, 0) == NULL;
    for (int i = 0; (name = X509_VERIFY_PARAM_get0_host(param, i)) != NULL; i++)
        open = open || name[0] == '.';
    if (open)
        add_given(peer, sent);
    for (int i = 0; (name = X509_VERIFY_PARAM_get0_host(param, i)) != NULL; i++)
        if (!stands_for(name, sent))
            add_given(peer, name);
    add_given(peer, address);
    OPENSSL_free(address);
    return true;
}

/* What our libcrypto can't read may name anybody. */
static void add_names(struct tg_peer *peer, const struct tg_hooked *hooked, SSL *ssl)
{
    const struct tg_cryptolib *library = hooked->library;
    X509_VERIFY_PARAM *theirs = hooked->libssl.SSL_get0_param(ssl), *ours = NULL;
    const char *sent = library->backend->sent_name(hooked, ssl);
    bool read = true;

    ERR_set_mark();
    if (theirs == NULL)
        add_given(peer, sent);
    else if (!library->foreign)
        read = add_names_in(peer, theirs, sent);
    else
        read = (ours = X509_VERIFY_PARAM_new()) != NULL &&
               tg_param_import(&library->crypto, &library->layout, theirs, ours) &&
               add_names_in(peer, ours, sent);
    if (!read) {
        peer->named = true;
        peer->unknown = "the names that it is to verify can't be read";
        add_given(peer, sent);
        tg_peer_add(peer, "", 0, 0);
    }
    X509_VERIFY_PARAM_free(ours);
    ERR_pop_to_mark();
}

/* ---- where the connection leads ---- */

static void add_end(struct tg_peer *peer, const struct tg_inject_end *at, unsigned end)
{
    unsigned port = tg_socket_port(&at->address);
    const void *bytes = tg_socket_bytes(&at->address);
    char text[INET6_ADDRSTRLEN] = "", host[TG_HOST_SIZE];

    for (unsigned i = 0; i < at->names.count; i++) {
        tg_peer_spell(at->names.name[i], host);
        tg_peer_add(peer, host, port, end);
    }
    if (inet_ntop(at->address.ss_family, bytes, text, sizeof(text)) != NULL) {
        tg_peer_spell(text, host);
        tg_peer_add(peer, host, port, end);
        if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0) /* ip(7): this host */
            tg_peer_add(peer, host[0] == '0' ? "127.0.0.1" : "::1", port, end);
    }
    if (at->names.more) {
        peer->unknown = "more names were looked up for its address than are remembered";
        tg_peer_add(peer, "", port, end);
    }
}

/* The connection leads to one of ENDS. A name that was given stays, and gets their ports. */
static void place(struct tg_peer *peer, const struct tg_inject_end *ends, unsigned count)
{
    unsigned given = peer->named ? peer->count : 0;

    peer->unknown = NULL;
    peer->placed = true;
    peer->generation = 0;
    if (!peer->named)
        peer->count = 0;
    for (unsigned i = 0; i < given; i++)
        peer->candidates[i].port = tg_socket_port(&ends[0].address);
    for (unsigned i = peer->named ? 1 : 0; i < count; i++) {
        if (!peer->named)
            add_end(peer, &ends[i], i);
        for (unsigned j = 0; j < given; j++)
            tg_peer_add(peer, peer->candidates[j].host, tg_socket_port(&ends[i].address), i);
    }
}

static void find_names(int descriptor, struct tg_inject_end *end)
{
    const struct tg_inject_sockets *from = preload();

    end->names.count = 0;
    end->names.more = false;
    if (from != NULL)
        from->names(descriptor, (const void *)&end->address, sizeof(end->address), &end->names);
}

/* Of DTLS, whose socket needn't be connected; once a datagram has come, it is its sender. */
static bool datagram_peer(const struct tg_hooked *hooked, SSL *ssl, struct sockaddr_storage *to)
{
    const struct tg_libcrypto *crypto = &hooked->library->crypto;
    BIO *out = hooked->libssl.SSL_get_wbio(ssl);

    if (out == NULL || (out = crypto->BIO_find_type(out, BIO_TYPE_DGRAM)) == NULL)
        return false;
    memset(to, 0, sizeof(*to));
    return crypto->BIO_ctrl(out, BIO_CTRL_DGRAM_GET_PEER, 0, to) > 0 && tg_socket_port(to) != 0;
}

/* By its own descriptor. FIRST: nothing has come in yet. */
static bool place_by_socket(struct tg_peer *peer, const struct tg_hooked *hooked, SSL *ssl,
                            bool first)
{
    int descriptor = hooked->libssl.SSL_get_fd(ssl);
    struct tg_inject_end end;

    if (!(peer->own = descriptor >= 0))
        return false;
    if (!tg_socket_peer(descriptor, SOCK_STREAM, &end.address) &&
        !tg_socket_peer(descriptor, SOCK_DGRAM, &end.address) &&
        !(first && datagram_peer(hooked, ssl, &end.address))) {
        peer->unknown = "its descriptor is no connected socket of IP";
        return false;
    }
    find_names(descriptor, &end);
    place(peer, &end, 1);
    return true;
}

static bool is_datagram_version(int version)
{
    enum { QUIC = 1, ANY_DTLS = 0x1FFFF, OLD_DTLS = 0x100 }; /* OSSL_QUIC1_VERSION, DTLS_ANY... */

    return version == QUIC || version == ANY_DTLS || version == OLD_DTLS || version >> 8 == 0xFE;
}

/* QUIC over callbacks has no BIO at all, or one that leads nowhere (SSL_set_quic_tls_cbs(3)). */
static bool is_datagrams(const struct tg_hooked *hooked, SSL *ssl)
{
    BIO *out = hooked->libssl.SSL_get_wbio(ssl);

    if (is_datagram_version(hooked->libssl.SSL_version(ssl)))
        return true;
    return out == NULL ? hooked->libssl.SSL_get_rbio(ssl) == NULL
                       : hooked->library->crypto.BIO_find_type(out, BIO_TYPE_NULL) != NULL;
}

/* By the socket that the ClientHello went to. Encrypted as QUIC has it, it can't be told from
 * others of its time. */
static void place_by_hello(struct tg_peer *peer, const struct tg_hooked *hooked, SSL *ssl)
{
    const struct tg_inject_sockets *from = preload();
    static const uint8_t none[TG_INJECT_RANDOM_SIZE];
    uint8_t random[TG_INJECT_RANDOM_SIZE];
    unsigned count = 0;
    struct tg_inject_end *ends = from != NULL ? malloc(ENDS * sizeof(*ends)) : NULL;

    if (ends == NULL) /* on the heap, for a host's threads may have small stacks */
        return;
    if (hooked->libssl.SSL_get_client_random(ssl, random, sizeof(random)) == sizeof(random) &&
        memcmp(random, none, sizeof(random)) != 0)
        count = from->hello(random, ends, ENDS);
    peer->own = count > ENDS || (count > 0 && ends[0].address.ss_family == AF_UNSPEC);
    if (peer->own)
        peer->unknown = count > ENDS ? "its ClientHello went to more places than are told"
                                     : "its ClientHello went to no socket of IP";
    else if (count == 0 && peer->datagrams)
        (void)from->initials(peer->since, ends, ENDS, &count);
    if (!peer->own && count > 0 && count <= ENDS)
        place(peer, ends, count);
    free(ends);
}

static int type_of(const struct tg_peer *peer)
{
    return peer->datagrams ? SOCK_DGRAM : SOCK_STREAM;
}

bool tg_peer_search(struct tg_peer *peer)
{
    struct sockaddr_storage peers[ENDS];
    struct tg_inject_end *ends = NULL;
    unsigned count = 0;

    if (peer->placed || peer->searched || peer->own)
        return false;
    peer->searched = true;
    peer->unknown = tg_sockets_peers(type_of(peer), TG_SOCKETS_MOST, peers, ENDS, &count);
    if (peer->unknown == NULL && count == 0)
        peer->unknown = "the process has no connection that it could be";
    if (count > 0)
        ends = malloc(count * sizeof(*ends));
    if (ends == NULL)
        return false;
    for (unsigned i = 0; i < count; i++) {
        ends[i].address = peers[i];
        find_names(-1, &ends[i]);
    }
    place(peer, ends, count);
    free(ends);
    return true;
}

unsigned tg_peer_shown_port(const struct tg_peer *peer)
{
    struct sockaddr_storage peers[ENDS];
    unsigned port = tg_peer_port(peer), count = 0;

    if (port != 0 || peer->placed || peer->searched || peer->own ||
        tg_sockets_peers(type_of(peer), TG_SOCKETS_FEW, peers, ENDS, &count) != NULL || count == 0)
        return port;
    for (unsigned i = 1; i < count; i++)
        if (tg_socket_port(&peers[i]) != tg_socket_port(&peers[0]))
            return 0;
    return tg_socket_port(&peers[0]);
}

/* ---- once for a connection ---- */

static void begin(struct tg_peer *peer, const struct tg_hooked *hooked, SSL *ssl, bool first)
{
    const struct tg_inject_sockets *from = preload();
    unsigned ignored;

    memset(peer, 0, offsetof(struct tg_peer, candidates));
    peer->datagrams = is_datagrams(hooked, ssl);
    if (peer->datagrams && from != NULL)
        peer->since = from->initials(UINT64_MAX, NULL, 0, &ignored);
    add_names(peer, hooked, ssl);
    if (!place_by_socket(peer, hooked, ssl, first) && peer->count == 0) {
        if (peer->unknown == NULL)
            peer->unknown = "the program names none, and gives the library no socket";
        tg_peer_add(peer, "", 0, 0);
    }
}

/* Without memory it is told anew each time, which may come out otherwise: then it's unknown. */
static void keep(struct tg_connection_state *state, struct tg_peer *peer)
{
    size_t size = offsetof(struct tg_peer, candidates) + peer->count * sizeof(peer->candidates[0]);

    tg_peer_forget(state);
    state->peer = malloc(size);
    if (state->peer != NULL) {
        memcpy(state->peer, peer, size);
        return;
    }
    peer->unknown = "memory ran out";
    peer->count = 0;
    peer->placed = true;
    tg_peer_add(peer, "", 0, 0);
}

void tg_peer_of(const struct tg_hooked *hooked, SSL *ssl, struct tg_peer *peer)
{
    struct tg_connection_state *state = tg_connection_state_of(hooked, ssl);
    bool kept = state != NULL && state->peer != NULL;

    if (kept)
        memcpy(peer, state->peer,
               offsetof(struct tg_peer, candidates) +
                   state->peer->count * sizeof(peer->candidates[0]));
    else
        begin(peer, hooked, ssl, state != NULL);
    if (!peer->placed && kept)
        (void)place_by_socket(peer, hooked, ssl, false);
    if (!peer->placed && !peer->own)
        place_by_hello(peer, hooked, ssl);
    if (state != NULL && (!kept || peer->placed != state->peer->placed))
        keep(state, peer);
}
