/*
 * unconnected.c - a DTLS client whose socket is connected to nobody: unconnected ADDRESS PORT. It
 * names no host and verifies nothing; prints "through" or "stopped".
 */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

int main(int argc, char **argv)
{
    struct timeval limit = {60, 0};
    struct in_addr address;
    SSL_CTX *context = SSL_CTX_new(DTLS_client_method());
    SSL *ssl = context != NULL ? SSL_new(context) : NULL;
    BIO *bio = BIO_new_dgram(socket(AF_INET, SOCK_DGRAM, 0), BIO_CLOSE);
    BIO_ADDR *to = BIO_ADDR_new();

    if (argc != 3 || ssl == NULL || inet_pton(AF_INET, argv[1], &address) != 1)
        return 2;
    (void)BIO_ADDR_rawmake(to, AF_INET, &address, sizeof address,
                           htons((unsigned short)strtol(argv[2], NULL, 10)));
    (void)BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_PEER, 0, to);
    (void)BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_RECV_TIMEOUT, 0, &limit);
    SSL_set_bio(ssl, bio, bio);
    (void)puts(SSL_connect(ssl) == 1 ? "through" : "stopped");
    ERR_print_errors_fp(stderr);
    BIO_ADDR_free(to);
    SSL_free(ssl);
    SSL_CTX_free(context);
    return 0;
}
