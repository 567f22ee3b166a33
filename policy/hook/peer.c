#include "hook.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* More connections than these make a guess a gamble, and a slow one. */
#define GUESSED_DESCRIPTORS 256

static tg_name_source *looked_up;

void tg_peer_set_names(tg_name_source *names)
{
    __atomic_store_n(&looked_up, names, __ATOMIC_RELEASE);
}

static bool take(struct tg_peer *peer, const char *name)
{
    return name != NULL && tg_host_canonical(name, peer->host) != TG_HOST_INVALID;
}

/* The reference name that the application gave the library to verify. ".example" means any
 * name below and so names no host. */
static bool reference_name(const struct tg_hooked *hooked, SSL *ssl, struct tg_peer *peer)
{
    X509_VERIFY_PARAM *param = hooked->libssl.SSL_get0_param(ssl);
    char *address = NULL;
    bool found;

    if (param == NULL)
        return false;
    if (take(peer, X509_VERIFY_PARAM_get0_host(param, 0)))
        return true;
    address = X509_VERIFY_PARAM_get1_ip_asc(param);
    found = take(peer, address);
    OPENSSL_free(address);
    return found;
}

static unsigned port_of(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)address)->sin_port);
    if (address->ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    return 0;
}

/* The name that was looked up to reach ADDRESS, else ADDRESS itself. */
static bool name_of(const struct sockaddr_storage *address, struct tg_peer *peer)
{
    tg_name_source *names = __atomic_load_n(&looked_up, __ATOMIC_ACQUIRE);
    const void *bytes = address->ss_family == AF_INET
                            ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
                            : (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr;
    char text[TG_HOST_SIZE];

    if (port_of(address) == 0)
        return false;
    if (names != NULL && names((const struct sockaddr *)address, sizeof(*address), text) &&
        take(peer, text))
        return true;
    return inet_ntop(address->ss_family, bytes, text, sizeof(text)) != NULL && take(peer, text);
}

/* The peer of DESCRIPTOR, if that is a connected TCP socket. */
static bool tcp_peer(int descriptor, struct sockaddr_storage *address)
{
    socklen_t length = sizeof(*address), size = sizeof(int);
    int type = 0;

    memset(address, 0, sizeof(*address));
    return descriptor >= 0 && getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
           type == SOCK_STREAM &&
           getpeername(descriptor, (struct sockaddr *)address, &length) == 0 &&
           port_of(address) != 0;
}

/*
 * Programs that hand the library no socket (curl, Node, asyncio: they pump the bytes
 * themselves) still have one. Where all connections of the process lead to one peer, or to
 * one port, that is the one; otherwise it stays unknown.
 */
void tg_peer_guess(struct tg_peer *peer)
{
    struct sockaddr_storage first, next;
    bool one_peer = false, one_port = false;

    for (int descriptor = 0, seen = 0; descriptor < GUESSED_DESCRIPTORS; descriptor++) {
        if (!tcp_peer(descriptor, &next))
            continue;
        if (seen++ == 0) {
            first = next;
            one_peer = one_port = true;
            continue;
        }
        one_peer = one_peer && memcmp(&first, &next, sizeof(first)) == 0;
        one_port = one_port && port_of(&first) == port_of(&next);
    }
    if (one_port && peer->port == 0)
        peer->port = port_of(&first);
    if (one_peer && peer->host[0] == '\0' && !name_of(&first, peer))
        peer->host[0] = '\0';
}

void tg_peer_of(const struct tg_hooked *hooked, SSL *ssl, struct tg_peer *peer)
{
    struct sockaddr_storage address;
    bool connected = tcp_peer(hooked->libssl.SSL_get_fd(ssl), &address);

    *peer = (struct tg_peer){.port = connected ? port_of(&address) : 0};
    ERR_set_mark();
    if (!reference_name(hooked, ssl, peer) &&
        !take(peer, hooked->libssl.SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) &&
        !(connected && name_of(&address, peer))) {
        peer->host[0] = '\0';
        if (!connected)
            tg_peer_guess(peer);
    }
    ERR_pop_to_mark();
}
