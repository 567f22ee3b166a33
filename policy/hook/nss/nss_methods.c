#include "nss_methods.h"
#include "nss_decide.h"
#include <limits.h>

/* PR_INTERVAL_NO_TIMEOUT, as the methods without a timeout have it. */
static const PRIntervalTime forever = UINT_MAX;

/* The library's own methods, if data may pass; NULL: it may not. */
static const PRIOMethods *passing(PRFileDesc *fd, PRIntervalTime timeout)
{
    struct tg_nss_socket *state = tg_nss_socket_at(fd);

    return state != NULL && tg_nss_decide_pass(state, &timeout) ? state->original : NULL;
}

static int read_data(PRFileDesc *fd, void *data, int size)
{
    const PRIOMethods *real = passing(fd, forever);

    return real != NULL ? real->read(fd, data, size) : -1;
}

static int write_data(PRFileDesc *fd, const void *data, int size)
{
    const PRIOMethods *real = passing(fd, forever);

    return real != NULL ? real->write(fd, data, size) : -1;
}

static int writev_data(PRFileDesc *fd, const PRIOVec *data, int count, PRIntervalTime timeout)
{
    const PRIOMethods *real = passing(fd, timeout);

    return real != NULL ? real->writev(fd, data, count, timeout) : -1;
}

static int receive(PRFileDesc *fd, void *data, int size, int flags, PRIntervalTime timeout)
{
    const PRIOMethods *real = passing(fd, timeout);

    return real != NULL ? real->recv(fd, data, size, flags, timeout) : -1;
}

static int send_data(PRFileDesc *fd, const void *data, int size, int flags, PRIntervalTime timeout)
{
    const PRIOMethods *real = passing(fd, timeout);

    return real != NULL ? real->send(fd, data, size, flags, timeout) : -1;
}

static int receive_from(PRFileDesc *fd, void *data, int size, int flags, PRNetAddr *address,
                        PRIntervalTime timeout)
{
    const PRIOMethods *real = passing(fd, timeout);

    return real != NULL ? real->recvfrom(fd, data, size, flags, address, timeout) : -1;
}

static int send_to(PRFileDesc *fd, const void *data, int size, int flags, const PRNetAddr *address,
                   PRIntervalTime timeout)
{
    const PRIOMethods *real = passing(fd, timeout);

    return real != NULL ? real->sendto(fd, data, size, flags, address, timeout) : -1;
}

static int transmit_file(PRFileDesc *fd, PRFileDesc *file, const void *headers, int size, int flags,
                         PRIntervalTime timeout)
{
    const PRIOMethods *real = passing(fd, timeout);

    return real != NULL ? real->transmitfile(fd, file, headers, size, flags, timeout) : -1;
}

static int send_file(PRFileDesc *fd, PRSendFileData *data, int flags, PRIntervalTime timeout)
{
    const PRIOMethods *real = passing(fd, timeout);

    return real != NULL ? real->sendfile(fd, data, flags, timeout) : -1;
}

/* The library takes it from here on for what its option says now, whatever it was reset to. */
static PRStatus connect_socket(PRFileDesc *fd, const PRNetAddr *address, PRIntervalTime timeout)
{
    struct tg_nss_socket *state = tg_nss_socket_at(fd);
    PRBool as_server = 0;

    if (state == NULL)
        return PR_FAILURE;
    (void)state->library->SSL_OptionGet(fd, TG_SSL_HANDSHAKE_AS_SERVER, &as_server);
    state->role = as_server ? TG_NSS_SERVER : TG_NSS_CLIENT;
    return state->original->connect(fd, address, timeout);
}

/* What a server accepts the library makes by itself. */
static PRFileDesc *accept_client(PRFileDesc *fd, PRNetAddr *address, PRIntervalTime timeout)
{
    struct tg_nss_socket *listener = tg_nss_socket_at(fd), *state = NULL;
    PRFileDesc *accepted = NULL;
    PRBool as_client = 0;

    if (listener == NULL)
        return NULL;
    accepted = listener->original->accept(fd, address, timeout);
    if (accepted == NULL)
        return NULL;
    state = tg_nss_socket_make(listener->library, listener, accepted);
    if (state == NULL) {
        (void)accepted->methods->close(accepted);
        listener->library->PR_SetError(TG_PR_OUT_OF_MEMORY_ERROR, 0);
        return NULL;
    }
    (void)listener->library->SSL_OptionGet(fd, TG_SSL_HANDSHAKE_AS_CLIENT, &as_client);
    state->role = as_client ? TG_NSS_CLIENT : TG_NSS_SERVER;
    tg_nss_methods_install(state);
    return accepted;
}

/* The library waits for threads that are in the socket; another may get its address at once. */
static PRStatus close_socket(PRFileDesc *fd)
{
    struct tg_nss_socket *state = tg_nss_socket_take(fd->secret);
    PRStatus result;

    if (state == NULL)
        return PR_FAILURE;
    fd->methods = state->original;
    result = fd->methods->close(fd);
    tg_nss_socket_free(state);
    return result;
}

void tg_nss_methods_install(struct tg_nss_socket *state)
{
    PRIOMethods *methods = &state->methods;

    methods->close = close_socket;
    methods->read = read_data;
    methods->write = write_data;
    methods->writev = writev_data;
    methods->connect = connect_socket;
    methods->accept = accept_client;
    methods->recv = receive;
    methods->send = send_data;
    methods->recvfrom = receive_from;
    methods->sendto = send_to;
    methods->transmitfile = transmit_file;
    methods->sendfile = send_file;
    ((PRFileDesc *)state->fd)->methods = methods;
}
