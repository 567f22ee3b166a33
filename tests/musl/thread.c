/*
 * thread.c - thread PORT NAME [CAFILE]: connects to PORT on loopback as NAME, in a thread with the
 * stack that musl gives when nobody asks for more, 128 KiB; without CAFILE it verifies nothing.
 * Says what the server does, or `refused`, and exits 0 or 1.
 */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static const char *name, *cafile;
static int port;

static int meet(void)
{
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    static const char request[] = "GET /hello HTTP/1.0\r\n\r\n";
    char answer[4096];
    int got, length = 0;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = context != NULL ? SSL_new(context) : NULL;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (ssl == NULL || connect(fd, (struct sockaddr *)&server, sizeof(server)) != 0)
        return 2;
    if (cafile != NULL) {
        SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
        if (SSL_CTX_load_verify_locations(context, cafile, NULL) != 1 ||
            SSL_set1_host(ssl, name) != 1)
            return 2;
    }
    if (SSL_set_tlsext_host_name(ssl, name) != 1 || SSL_set_fd(ssl, fd) != 1)
        return 2;
    if (SSL_connect(ssl) != 1 || SSL_write(ssl, request, sizeof(request) - 1) <= 0) {
        puts("refused");
        return 1;
    }
    while ((got = SSL_read(ssl, answer + length, (int)sizeof(answer) - 1 - length)) > 0)
        length += got;
    answer[length] = '\0';
    puts(answer);
    return 0;
}

static void *run(void *result)
{
    *(int *)result = meet();
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    int result = 2;

    if (argc < 3)
        return 2;
    port = (int)strtol(argv[1], NULL, 10);
    name = argv[2];
    cafile = argc > 3 ? argv[3] : NULL;
    if (pthread_create(&thread, NULL, run, &result) != 0 || pthread_join(thread, NULL) != 0)
        return 2;
    return result;
}
