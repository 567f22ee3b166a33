/* transport.c - how the client's bytes go: by a socket of NSPR's, or by a layer of its own. */
#include "client.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <nspr.h>
#include <private/pprio.h>
#include <ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static PRDescIdentity memory;

static int descriptor_of(PRFileDesc *fd)
{
    return (int)(intptr_t)fd->secret;
}

static PRInt32 receive(PRFileDesc *fd, void *data, PRInt32 size, PRIntn flags, PRIntervalTime wait)
{
    (void)flags, (void)wait;
    return (PRInt32)recv(descriptor_of(fd), data, (size_t)size, 0);
}

static PRInt32 pass(PRFileDesc *fd, const void *data, PRInt32 size, PRIntn flags,
                    PRIntervalTime wait)
{
    (void)flags, (void)wait;
    return (PRInt32)send(descriptor_of(fd), data, (size_t)size, MSG_NOSIGNAL);
}

static PRStatus get_option(PRFileDesc *fd, PRSocketOptionData *data)
{
    (void)fd;
    data->value.non_blocking = PR_FALSE;
    return data->option == PR_SockOpt_Nonblocking ? PR_SUCCESS : PR_FAILURE;
}

static PRStatus get_peer(PRFileDesc *fd, PRNetAddr *address)
{
    (void)fd;
    memset(address, 0, sizeof(*address));
    address->inet.family = PR_AF_INET;
    address->inet.ip = htonl(INADDR_LOOPBACK);
    return PR_SUCCESS;
}

/* Nothing but its own functions knows the descriptor; whether it is shut down, too. */
static PRStatus stay_open(PRFileDesc *fd, PRIntn how)
{
    (void)fd, (void)how;
    return PR_SUCCESS;
}

static PRFileDesc *layer_of(int descriptor)
{
    static PRIOMethods methods;
    PRFileDesc *layer;

    memory = PR_GetUniqueIdentity("memory");
    methods = *PR_GetDefaultIOMethods();
    methods.recv = receive;
    methods.send = pass;
    methods.getsocketoption = get_option;
    methods.getpeername = get_peer;
    methods.shutdown = stay_open;
    layer = PR_CreateIOLayerStub(memory, &methods);
    layer->secret = (PRFilePrivate *)(intptr_t)descriptor;
    return layer;
}

PRFileDesc *client_dial(int port)
{
    bool datagrams = client_word("dtls") != NULL;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct addrinfo hints = {.ai_family = AF_INET}, *found = NULL;
    int descriptor = socket(AF_INET, datagrams ? SOCK_DGRAM : SOCK_STREAM, 0);
    PRSocketOptionData option;
    PRFileDesc *plain;

    if (client_word("connect") != NULL) {
        close(descriptor);
        return PR_NewTCPSocket();
    }
    if (client_word("dial") != NULL &&
        getaddrinfo(client_word("dial"), NULL, &hints, &found) == 0) {
        memcpy(&to, found->ai_addr, sizeof(to));
        freeaddrinfo(found);
    }
    to.sin_port = htons((uint16_t)port);
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&to, sizeof(to)) != 0)
        exit(2);
    if (client_word("memory") != NULL)
        return layer_of(descriptor);
    plain = datagrams ? PR_ImportUDPSocket(descriptor) : PR_ImportTCPSocket(descriptor);
    option.option = PR_SockOpt_Nonblocking;
    option.value.non_blocking = client_word("nonblocking") != NULL;
    (void)PR_SetSocketOption(plain, &option);
    return plain;
}

bool client_begin(PRFileDesc *socket, int port)
{
    PRNetAddr to;

    if (client_word("connect") == NULL)
        return SSL_ResetHandshake(socket, PR_FALSE) == SECSuccess;
    return PR_InitializeNetAddr(PR_IpAddrLoopback, (PRUint16)port, &to) == PR_SUCCESS &&
           PR_Connect(socket, &to, PR_INTERVAL_NO_TIMEOUT) == PR_SUCCESS &&
           (!client_is("connect", "server") ||
            SSL_OptionSet(socket, SSL_HANDSHAKE_AS_SERVER, PR_TRUE) == SECSuccess);
}
