/*
 * client.c - stands for the closed program of a vendor who is gone: it speaks TLS, and whoever
 * wrote it switched verification off. client PORT
 */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    char address[64], answer[256];
    BIO *bio;
    SSL *ssl = NULL;

    if (argc != 2 || ctx == NULL)
        return 2;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    snprintf(address, sizeof(address), "127.0.0.1:%s", argv[1]);
    bio = BIO_new_ssl_connect(ctx);
    BIO_set_conn_hostname(bio, address);
    BIO_get_ssl(bio, &ssl);
    SSL_set_tlsext_host_name(ssl, "api.example.test");
    BIO_puts(bio, "GET / HTTP/1.0\r\n\r\n");
    if (BIO_read(bio, answer, sizeof(answer)) > 0) {
        puts("the program got an answer");
        return 0;
    }
    ERR_print_errors_fp(stderr);
    return 1;
}
