/* transport.c - what a client writes and reads by, where the words ask for functions of its own. */
#include "client.h"
#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int descriptors[256];

static int descriptor_at(gnutls_transport_ptr_t at)
{
    return (uintptr_t)at < 256 ? descriptors[(uintptr_t)at] : *(int *)at;
}

static ssize_t push(gnutls_transport_ptr_t at, const void *data, size_t size)
{
    return send(descriptor_at(at), data, size, MSG_NOSIGNAL);
}

static ssize_t push_vector(gnutls_transport_ptr_t at, const giovec_t *data, int count)
{
    return writev(descriptor_at(at), (const struct iovec *)data, count);
}

static ssize_t pull(gnutls_transport_ptr_t at, void *data, size_t size)
{
    return recv(descriptor_at(at), data, size, 0);
}

static int timed(gnutls_transport_ptr_t at, unsigned wait)
{
    return gnutls_system_recv_timeout((gnutls_transport_ptr_t)(long)descriptor_at(at), wait);
}

static int elsewhere(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);

    if (inet_pton(AF_INET, "127.0.0.2", &to.sin_addr) != 1 || descriptor < 0 || descriptor > 255 ||
        connect(descriptor, (struct sockaddr *)&to, sizeof(to)) != 0)
        exit(2);
    return descriptor;
}

void client_set_transport(gnutls_session_t session, int descriptor)
{
    if (client_word("push") == NULL && client_word("vec") == NULL) {
        gnutls_transport_set_int(session, descriptor);
        return;
    }
    if (client_word("vec") != NULL) {
        descriptors[descriptor] = descriptor;
        gnutls_transport_set_ptr(session, &descriptors[descriptor]);
        gnutls_transport_set_vec_push_function(session, push_vector);
    } else {
        int decoy = elsewhere();

        descriptors[decoy] = descriptor;
        gnutls_transport_set_ptr(session, (gnutls_transport_ptr_t)(long)decoy);
        gnutls_transport_set_push_function(session, push);
    }
    gnutls_transport_set_pull_function(session, pull);
    gnutls_transport_set_pull_timeout_function(session, timed);
}
