#include "hook.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

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

static bool numeric(const struct sockaddr_storage *address, struct tg_peer *peer)
{
    const void *bytes = address->ss_family == AF_INET
                            ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
                            : (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr;
    char text[INET6_ADDRSTRLEN];

    return inet_ntop(address->ss_family, bytes, text, sizeof(text)) != NULL && take(peer, text);
}

void tg_peer_of(const struct tg_hooked *hooked, SSL *ssl, struct tg_peer *peer)
{
    tg_name_source *names = __atomic_load_n(&looked_up, __ATOMIC_ACQUIRE);
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t length = sizeof(address);
    int descriptor = hooked->libssl.SSL_get_fd(ssl);
    char name[TG_HOST_SIZE];

    *peer = (struct tg_peer){.port = 0};
    if (descriptor < 0 || getpeername(descriptor, (struct sockaddr *)&address, &length) != 0)
        address.ss_family = AF_UNSPEC;
    peer->port = port_of(&address);
    if (reference_name(hooked, ssl, peer) ||
        take(peer, hooked->libssl.SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)))
        return;
    if (address.ss_family == AF_INET || address.ss_family == AF_INET6) {
        if (names != NULL && names((struct sockaddr *)&address, length, name) && take(peer, name))
            return;
        if (numeric(&address, peer))
            return;
    }
    peer->host[0] = '\0';
}
