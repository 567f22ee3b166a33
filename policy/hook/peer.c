#include "hook.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LISTENERS       64
#define LOW_DESCRIPTORS 32

static tg_name_source *looked_up;

void tg_peer_set_names(tg_name_source *names)
{
    __atomic_store_n(&looked_up, names, __ATOMIC_RELEASE);
}

static bool take(struct tg_peer *peer, const char *name)
{
    return name != NULL && tg_host_spell(name, peer->host);
}

/* ".example" means any name below and so names no host. */
static bool name_in(X509_VERIFY_PARAM *param, struct tg_peer *peer)
{
    char *address = NULL;
    bool found;

    if (take(peer, X509_VERIFY_PARAM_get0_host(param, 0)))
        return true;
    address = X509_VERIFY_PARAM_get1_ip_asc(param);
    found = take(peer, address);
    OPENSSL_free(address);
    return found;
}

/* The reference name that the application gave the library to verify. */
static bool reference_name(const struct tg_hooked *hooked, SSL *ssl, struct tg_peer *peer)
{
    const struct tg_foundation *library = hooked->library;
    X509_VERIFY_PARAM *theirs = hooked->libssl.SSL_get0_param(ssl), *ours = NULL;
    bool found = false;

    if (theirs == NULL || !library->foreign)
        return theirs != NULL && name_in(theirs, peer);
    ours = X509_VERIFY_PARAM_new();
    if (ours != NULL && tg_param_import(&library->crypto, &library->layout, theirs, ours))
        found = name_in(ours, peer);
    X509_VERIFY_PARAM_free(ours);
    return found;
}

/*
 * The server name that is sent. Before OpenSSL offers a session of TLS 1.2, it gives the session's
 * where the connection has none (SSL_get_servername(3)): that one says nothing of this server.
 */
static const char *sent_name(const struct tg_hooked *hooked, SSL *ssl)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    const char *name = libssl->SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    SSL_SESSION *session = libssl->SSL_get_session(ssl);

    if (hooked->library->kind != TG_BORINGSSL && session != NULL &&
        !libssl->SSL_session_reused(ssl) && name == libssl->SSL_SESSION_get0_hostname(session))
        return NULL;
    return name;
}

static unsigned port_of(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)address)->sin_port);
    if (address->ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    return 0;
}

static const void *bytes_of(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET
               ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
               : (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr;
}

/* The name that was looked up to reach ADDRESS, else ADDRESS itself. */
static bool name_of(const struct sockaddr_storage *address, struct tg_peer *peer)
{
    tg_name_source *names = __atomic_load_n(&looked_up, __ATOMIC_ACQUIRE);
    char text[TG_HOST_SIZE];

    if (port_of(address) == 0)
        return false;
    if (names != NULL && names((const struct sockaddr *)address, sizeof(*address), text) &&
        take(peer, text))
        return true;
    return inet_ntop(address->ss_family, bytes_of(address), text, sizeof(text)) != NULL &&
           take(peer, text);
}

/* The peer of DESCRIPTOR, if that is a connected socket of this type, over IP. */
static bool peer_by(int type, int descriptor, struct sockaddr_storage *address)
{
    socklen_t length = sizeof(*address), size = sizeof(int);
    int found = 0;

    memset(address, 0, sizeof(*address));
    return descriptor >= 0 && getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &found, &size) == 0 &&
           found == type && getpeername(descriptor, (struct sockaddr *)address, &length) == 0 &&
           port_of(address) != 0;
}

/* DTLS: the socket needn't be connected, then the BIO knows who was to be reached. */
static bool datagram_peer(const struct tg_hooked *hooked, SSL *ssl, int descriptor,
                          struct sockaddr_storage *address)
{
    const struct tg_libcrypto *crypto = hooked->crypto;
    BIO *out = hooked->libssl.SSL_get_wbio(ssl);

    if (out == NULL || crypto->BIO_method_type(out) != BIO_TYPE_DGRAM)
        return false;
    if (peer_by(SOCK_DGRAM, descriptor, address))
        return true;
    memset(address, 0, sizeof(*address));
    return crypto->BIO_ctrl(out, BIO_CTRL_DGRAM_GET_PEER, 0, address) > 0 && port_of(address) != 0;
}

/* What the TCP connections that a process made have in common. */
struct common {
    struct sockaddr_storage first;
    bool any, one_peer, one_port;
    struct sockaddr_storage listening[LISTENERS]; /* it accepted what is connected there */
    size_t listening_count;
};

static bool local_address(int descriptor, struct sockaddr_storage *address)
{
    socklen_t length = sizeof(*address);

    memset(address, 0, sizeof(*address));
    return getsockname(descriptor, (struct sockaddr *)address, &length) == 0 &&
           port_of(address) != 0;
}

/* A listener has the address family of what it accepts; the address zero stands for any. */
static bool accepts_at(const struct sockaddr_storage *listener,
                       const struct sockaddr_storage *local)
{
    static const uint8_t any[sizeof(struct in6_addr)];
    size_t size = listener->ss_family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);

    return listener->ss_family == local->ss_family && port_of(listener) == port_of(local) &&
           (memcmp(bytes_of(listener), any, size) == 0 ||
            memcmp(bytes_of(listener), bytes_of(local), size) == 0);
}

/* One too many isn't noted: what it accepted then counts, and nothing may be known. */
static void see_listener(struct common *common, int descriptor)
{
    int listens = 0;
    socklen_t size = sizeof(listens);

    if (common->listening_count < LISTENERS &&
        getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens &&
        local_address(descriptor, &common->listening[common->listening_count]))
        common->listening_count++;
}

/* connect(2) takes no place at which someone listens. */
static bool is_accepted(const struct common *common, int descriptor)
{
    struct sockaddr_storage local;

    if (!local_address(descriptor, &local))
        return false;
    for (size_t i = 0; i < common->listening_count; i++)
        if (accepts_at(&common->listening[i], &local))
            return true;
    return false;
}

static void see_connection(struct common *common, int descriptor)
{
    struct sockaddr_storage next;

    if (!peer_by(SOCK_STREAM, descriptor, &next) || is_accepted(common, descriptor))
        return;
    if (!common->any) {
        common->first = next;
        common->any = common->one_peer = common->one_port = true;
        return;
    }
    common->one_peer = common->one_peer && memcmp(&common->first, &next, sizeof(next)) == 0;
    common->one_port = common->one_port && port_of(&common->first) == port_of(&next);
}

/* All of them, or none: with too many to look at, nothing is known. */
static bool look_at_all(struct common *common, int most, void (*see)(struct common *, int))
{
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry = NULL;
    int left = most;

    if (directory == NULL)
        return false;
    while (left > 0 && (entry = readdir(directory)) != NULL) {
        left--;
        if (entry->d_name[0] != '.')
            see(common, (int)strtol(entry->d_name, NULL, 10));
    }
    closedir(directory);
    return left > 0;
}

/* /proc costs more than a log line may: it is read only where there is something to be found. */
static bool has_connection(void)
{
    struct pollfd low[LOW_DESCRIPTORS] = {{.fd = 0}};
    struct sockaddr_storage peer;

    for (int i = 0; i < LOW_DESCRIPTORS; i++)
        low[i].fd = i;
    if (poll(low, LOW_DESCRIPTORS, 0) < 0) /* tells in one call which there are */
        return false;
    for (int i = 0; i < LOW_DESCRIPTORS; i++)
        if (!(low[i].revents & POLLNVAL) && peer_by(SOCK_STREAM, i, &peer))
            return true;
    return false;
}

/*
 * Programs that hand the library no socket (curl, Node, haproxy: they pump the bytes
 * themselves) still have one. Where all connections that the process made lead to one peer, or
 * to one port, that is the one; otherwise it stays unknown.
 */
void tg_peer_guess(struct tg_peer *peer, int most)
{
    struct common common = {.any = false};

    if (peer->elsewhere || (most == TG_GUESS_SHOWN && !has_connection()) ||
        !look_at_all(&common, most, see_listener) || !look_at_all(&common, most, see_connection) ||
        !common.any)
        return;
    if (common.one_port && peer->port == 0)
        peer->port = port_of(&common.first);
    if (common.one_peer && peer->host[0] == '\0' && !name_of(&common.first, peer))
        peer->host[0] = '\0';
}

void tg_peer_of(const struct tg_hooked *hooked, SSL *ssl, struct tg_peer *peer)
{
    struct sockaddr_storage address;
    int descriptor = hooked->libssl.SSL_get_fd(ssl);
    bool connected = peer_by(SOCK_STREAM, descriptor, &address) ||
                     datagram_peer(hooked, ssl, descriptor, &address);

    *peer = (struct tg_peer){.port = connected ? port_of(&address) : 0,
                             .elsewhere = descriptor >= 0 && !connected};
    ERR_set_mark();
    if (!reference_name(hooked, ssl, peer) && !take(peer, sent_name(hooked, ssl)) &&
        !(connected && name_of(&address, peer))) {
        peer->host[0] = '\0';
        if (!connected)
            tg_peer_guess(peer, TG_GUESS_MATTERS);
    }
    ERR_pop_to_mark();
}
