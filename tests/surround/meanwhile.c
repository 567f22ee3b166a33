/*
 * meanwhile.c - meanwhile resumed PKI trusting: a session out of a file, without the certificates
 * that came with its server's, is offered; before the server answers, the process meets very many
 * others. Prints, in one line, what got through.
 */
#include "ends.h"
#include <stdio.h>

#define OTHERS 2000

static SSL_CTX *near_context, *far_context;

static SSL *near_for(const char *host)
{
    return SSL_CTX_up_ref(near_context) == 1 ? ends_connecting(near_context, host) : NULL;
}

static SSL *far_end(void)
{
    return SSL_CTX_up_ref(far_context) == 1 ? ends_accepting(far_context) : NULL;
}

static SSL_SESSION *first(void)
{
    SSL *near = near_for(ENDS_HOST), *far = far_end();
    SSL_SESSION *session = NULL, *read = NULL;
    unsigned char bytes[16384], *to = bytes;
    const unsigned char *from = bytes;
    int length = 0;

    (void)printf("%s; ", ends_meet(near, far));
    session = SSL_get0_session(near);
    length = i2d_SSL_SESSION(session, NULL);
    if (length > 0 && (size_t)length <= sizeof(bytes) && i2d_SSL_SESSION(session, &to) == length)
        read = d2i_SSL_SESSION(NULL, &from, length);
    (void)SSL_shutdown(near);
    SSL_free(near);
    SSL_free(far);
    return read;
}

static void meet_others(void)
{
    int through = 0;

    for (int i = 0; i < OTHERS; i++) {
        char host[64];
        SSL *near = NULL, *far = far_end();

        (void)snprintf(host, sizeof(host), "%d.others.test", i);
        near = near_for(host);
        through += ends_meet(near, far)[0] == 't';
        SSL_free(near);
        SSL_free(far);
    }
    (void)printf("%s; ", through == OTHERS ? "all" : "not all");
}

static void resumed(void)
{
    SSL_SESSION *session = NULL;
    SSL *near = NULL, *far = NULL;

    near_context = ends_client();
    far_context = ends_server("api", TLS1_2_VERSION);
    session = first();
    near = near_for(ENDS_HOST);
    far = far_end();
    if (session == NULL || !ends_join(near, far) || SSL_set_session(near, session) != 1)
        return;
    (void)SSL_do_handshake(near);
    meet_others();
    (void)printf("%s, ", ends_shake(near, far) && ends_pass(near, far) ? "through" : "stopped");
    (void)printf("%s", SSL_session_reused(near) ? "resumed" : "in full");
    SSL_SESSION_free(session);
    SSL_free(near);
    SSL_free(far);
    SSL_CTX_free(near_context);
    SSL_CTX_free(far_context);
}

int main(int argc, char **argv)
{
    static const struct ends_scenario scenarios[] = {{"resumed", resumed}};

    return ends_main(argc, argv, scenarios, sizeof(scenarios) / sizeof(scenarios[0]));
}
