/*
 * client.c - client PORT [WORD...]: one source for OpenSSL 3, a copy of it, OpenSSL 1.1, OpenSSL 4
 * and BoringSSL. Connects to PORT on loopback and says, a line each connection, what an application
 * gets to see. The words are in the table below and in wanted.c's; `name=value` where one is
 * wanted. Exit: 0 if the last connection brought the server's hello.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* what OpenSSL 1.1 and BoringSSL have as well */
#include "errors.h"
#include "policy.h"
#include "wanted.h"
#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef OPENSSL_IS_BORINGSSL
#undef SSL_get_peer_certificate /* of OpenSSL 1.1's name, which OpenSSL 3 has no more */
X509 *SSL_get1_peer_certificate(const SSL *ssl) __attribute__((weak));
X509 *SSL_get_peer_certificate(const SSL *ssl) __attribute__((weak));
#endif

static const char *ca, *sni, *match, *custom, *late, *callback, *verify_cb, *newest, *session_in,
    *session_out, *host, *next, *library, *given, *then;
static int port, unverified, resume, buffers, sni_once, connections = 1, calls, asked, info_calls;
static int strings;
static char along[512];

static const struct {
    const char *word;
    const char **value;
} words[] = {
    {"ca=", &ca},                   /* a file of anchors */
    {"sni=", &sni},                 /* the server name that is sent */
    {"host=", &host},               /* the address to connect to */
    {"match=", &match},             /* that the program matches by itself, after the handshake */
    {"custom=", &custom},           /* BoringSSL: ok, invalid or retry, on the context */
    {"late=", &late},               /* the same, on the connection */
    {"callback=", &callback},       /* cert_verify_callback: ok, refuse or verify */
    {"verify-cb=", &verify_cb},     /* its: pass, ok, refuse, nested, retry */
    {"tls=", &newest},              /* 1.2: no newer protocol */
    {"session-in=", &session_in},   /* from a file */
    {"session-out=", &session_out}, /* to a file */
    {"next=", &next},               /* the server name of all but the first connection */
    {"library=", &library},         /* libtrustgraft, to put the context under a policy: */
    {"given=", &given},             /* this, or "-" for that of the process */
    {"then=", &then},               /* what takes the process's place after the first connection */
};

static int dial(void);
static void prepare(SSL *ssl);

/* A connection beside the one that is being verified; what comes of it is of no concern. */
static void connect_beside(SSL_CTX *ctx)
{
    SSL *ssl = SSL_new(ctx);
    int fd = dial();

    if (ssl == NULL || !SSL_set_fd(ssl, fd))
        exit(2);
    prepare(ssl);
    (void)SSL_connect(ssl);
    ERR_clear_error();
    SSL_free(ssl);
    close(fd);
}

static int own_callback(X509_STORE_CTX *context, void *arg)
{
    (void)arg;
    asked++;
    if (strcmp(callback, "verify") == 0)
        return X509_verify_cert(context) == 1;
    return strcmp(callback, "ok") == 0;
}

static int own_verify_cb(int ok, X509_STORE_CTX *context)
{
    static int beside;
    X509 *certificate = X509_STORE_CTX_get_current_cert(context);
    SSL *ssl = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx());
    char cn[64] = "";

    if (certificate == NULL)
        abort();
    if (beside)
        return ok;
    calls++;
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, cn, sizeof(cn));
    (void)snprintf(along + strlen(along), sizeof(along) - strlen(along), "%s%d:%d:%d",
                   along[0] != '\0' ? "," : "", X509_STORE_CTX_get_error_depth(context), ok,
                   X509_STORE_CTX_get_error(context));
    if (strcmp(verify_cb, "nested") == 0) {
        beside = 1;
        connect_beside(SSL_get_SSL_CTX(ssl));
        beside = 0;
    }
    if (strcmp(verify_cb, "pass") == 0 || strcmp(verify_cb, "nested") == 0)
        return ok;
#ifndef OPENSSL_IS_BORINGSSL
    if (strcmp(verify_cb, "retry") == 0) {
        static int turns;

        if (ok && X509_STORE_CTX_get_error_depth(context) == 0 && ++turns < 3)
            SSL_ctrl(ssl, SSL_CTRL_SET_RETRY_VERIFY, 0, NULL);
        return ok;
    }
#endif
    return strcmp(verify_cb, "ok") == 0;
}

#ifdef OPENSSL_IS_BORINGSSL
static enum ssl_verify_result_t own_custom(SSL *ssl, uint8_t *alert)
{
    static int turns;
    const char *what = late != NULL ? late : custom;

    asked++;
    if (strcmp(what, "retry") == 0)
        return ++turns % 3 != 0 ? ssl_verify_retry : ssl_verify_ok;
    if (SSL_get0_peer_certificates(ssl) == NULL || strcmp(what, "invalid") == 0) {
        *alert = SSL_AD_BAD_CERTIFICATE;
        return ssl_verify_invalid;
    }
    return ssl_verify_ok;
}
#endif

static void own_info(const SSL *ssl, int where, int value)
{
    (void)ssl, (void)value;
    info_calls += (where & SSL_CB_HANDSHAKE_DONE) != 0;
}

static SSL_SESSION *kept;

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

static SSL_CTX *make_context(void)
{
    SSL_CTX *ctx = NULL;

#ifdef OPENSSL_IS_BORINGSSL
    ctx = SSL_CTX_new(buffers ? TLS_with_buffers_method() : TLS_client_method());
#else
    ctx = SSL_CTX_new(TLS_client_method());
#endif
    if (ctx == NULL)
        return NULL;
    SSL_CTX_set_verify(ctx, unverified ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                       verify_cb != NULL ? own_verify_cb : NULL);
    if (ca != NULL && !SSL_CTX_load_verify_locations(ctx, ca, NULL))
        exit(2);
    if (callback != NULL)
        SSL_CTX_set_cert_verify_callback(ctx, own_callback, NULL);
    if (given != NULL)
        policy_put_under(ctx, library, given);
#ifdef OPENSSL_IS_BORINGSSL
    if (custom != NULL)
        SSL_CTX_set_custom_verify(ctx, unverified ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, own_custom);
#endif
    if (newest != NULL)
        SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    if (resume) {
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ctx, keep_session);
    }
    return ctx;
}

static int dial(void)
{
    struct sockaddr_in four = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6,
                               .sin6_port = htons((uint16_t)port),
                               .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int newer = host != NULL && strchr(host, ':') != NULL;
    int fd = socket(newer ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, newer ? (struct sockaddr *)&six : (struct sockaddr *)&four,
                          newer ? sizeof(six) : sizeof(four)) != 0)
        exit(2);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return fd;
}

static void prepare(SSL *ssl)
{
    if (sni != NULL && !(sni_once && kept != NULL) && !SSL_set_tlsext_host_name(ssl, sni))
        exit(2);
    wanted_set(SSL_get0_param(ssl));
#ifdef OPENSSL_IS_BORINGSSL
    if (late != NULL)
        SSL_set_custom_verify(ssl, unverified ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, own_custom);
#endif
    if (given != NULL)
        (void)SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
    else
        SSL_set_info_callback(ssl, own_info);
    if (kept != NULL)
        (void)SSL_set_session(ssl, kept);
}

/* As a program that walks the names itself. */
static const char *match_leaf(const SSL *ssl)
{
    X509 *leaf = NULL;
    int matched;

    if (match == NULL)
        return "-";
#ifndef OPENSSL_IS_BORINGSSL
    if (SSL_get1_peer_certificate != NULL)
        leaf = SSL_get1_peer_certificate(ssl);
    else
#endif
        leaf = SSL_get_peer_certificate(ssl);
    matched = leaf != NULL && X509_check_host(leaf, match, strlen(match), 0, NULL) == 1;
    X509_free(leaf);
    return matched ? "yes" : "no";
}

static int shake(SSL *ssl)
{
    for (int i = 0; i < 10; i++) {
        int done = SSL_connect(ssl);

        if (done == 1)
            return 1;
#ifdef OPENSSL_IS_BORINGSSL
        if (SSL_get_error(ssl, done) == SSL_ERROR_WANT_CERTIFICATE_VERIFY)
            continue;
#else
        if (SSL_get_error(ssl, done) == SSL_ERROR_WANT_RETRY_VERIFY)
            continue;
#endif
        return 0;
    }
    return 0;
}

static int visit(SSL_CTX *ctx)
{
    int fd = dial(), hello = 0;
    SSL *ssl = ctx != NULL ? SSL_new(ctx) : NULL;
    char answer[256] = "", reason[512] = "-";
    const char *data = NULL;
    int flags = 0, done = 0;
    unsigned long error = 0;

    calls = asked = info_calls = 0;
    along[0] = '\0';
    if (ssl != NULL)
        ERR_clear_error();
    if (ssl == NULL || !SSL_set_fd(ssl, fd)) {
        (void)puts("no connection");
        ERR_print_errors_fp(stderr);
        close(fd);
        return 1;
    }
    prepare(ssl);
    done = shake(ssl);
    if (strings)
        errors_print();
    error = done == 1 ? 0 : ERR_peek_error_line_data(NULL, NULL, &data, &flags);
    if (error != 0)
        (void)snprintf(reason, sizeof(reason), "%s: %s", ERR_reason_error_string(error),
                       flags & ERR_TXT_STRING ? data : "");
    (void)printf("%s result=%ld resumed=%d match=%s calls=%s asked=%d info=%d queue=%d version=%s ",
                 done ? "connected" : "refused", SSL_get_verify_result(ssl),
                 SSL_session_reused(ssl), done ? match_leaf(ssl) : "-", along, asked, info_calls,
                 done && ERR_peek_error() != 0, SSL_get_version(ssl));
    if (done == 1 && SSL_write(ssl, "GET / HTTP/1.0\r\n\r\n", 18) == 18)
        for (int got, filled = 0;
             (got = SSL_read(ssl, answer + filled, (int)sizeof(answer) - 1 - filled)) > 0;)
            filled += got;
    hello = strstr(answer, "hello from") != NULL;
    (void)printf("hello=%d error=%s\n", hello, reason);
    (void)SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
    return !hello;
}

static void read_word(const char *word)
{
    if (wanted_read(word))
        return;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strncmp(word, words[i].word, strlen(words[i].word)) == 0) {
            *words[i].value = word + strlen(words[i].word);
            return;
        }
    if (strcmp(word, "unverified") == 0)
        unverified = 1;
    else if (strcmp(word, "resume") == 0)
        resume = 1;
    else if (strcmp(word, "strings") == 0)
        strings = 1;
    else if (strcmp(word, "sni-once") == 0)
        sni_once = 1; /* nor with a session */
    else if (strcmp(word, "buffers") == 0)
        buffers = 1; /* BoringSSL, without X509 */
    else if (strncmp(word, "connections=", 12) == 0)
        connections = (int)strtol(word + 12, NULL, 10);
    else
        exit(2);
}

/* Of memory that malloc gave out. */
static size_t in_use(void)
{
    return mallinfo2().uordblks;
}

static void load_session(void)
{
    FILE *file = session_in != NULL ? fopen(session_in, "r") : NULL;

    if (file == NULL)
        return;
    kept = PEM_read_SSL_SESSION(file, NULL, NULL, NULL);
    (void)fclose(file);
}

static void save_session(void)
{
    FILE *file = session_out != NULL && kept != NULL ? fopen(session_out, "w") : NULL;

    if (file == NULL)
        return;
    (void)PEM_write_SSL_SESSION(file, kept);
    (void)fclose(file);
}

int main(int argc, char **argv)
{
    SSL_CTX *ctx = NULL;
    int result = 1;

    if (argc < 2)
        return 2;
    port = (int)strtol(argv[1], NULL, 10);
    for (int i = 2; i < argc; i++)
        read_word(argv[i]);
    load_session();
    ctx = make_context();
    for (int i = 0; i < connections; i++) {
        result = visit(ctx);
        sni = next != NULL ? next : sni;
        if (i == 0 && then != NULL)
            policy_replace(then);
    }
    (void)printf("bytes=%zu\n", in_use());
    save_session();
    SSL_SESSION_free(kept);
    SSL_CTX_free(ctx);
    return result;
}
