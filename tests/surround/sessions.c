/*
 * sessions.c - sessions SCENARIO PKI FILE: what a client brings along from before: sessions and
 * keys, and data that it sends before the server has shown a certificate. Prints, in one line,
 * what got through.
 */
#include "ends.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#define SECRET "these words go out early"

static const char *file;
static bool said; /* why data was not sent early */

/* A server that takes early data, and tickets of whoever has these keys. */
static SSL *server_with(const char *leaf, const char *words)
{
    unsigned char keys[80] = "";
    SSL_CTX *ctx = ends_server(leaf, 0);

    memcpy(keys, words, strlen(words));
    if (ctx != NULL) {
        (void)SSL_CTX_set_max_early_data(ctx, 4096);
        (void)SSL_CTX_set_options(ctx, SSL_OP_NO_ANTI_REPLAY);
        (void)SSL_CTX_set_tlsext_ticket_keys(ctx, keys, sizeof(keys));
    }
    return ends_accepting(ctx);
}

static SSL *server(void)
{
    return server_with("api", "the same in every process");
}

static int agree(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

/* Whoever it is, it is right. */
static SSL *client(void)
{
    SSL_CTX *ctx = ends_client();

    if (ctx != NULL)
        SSL_CTX_set_cert_verify_callback(ctx, agree, NULL);
    return ends_connecting(ctx, ENDS_HOST);
}

/* One more connection of CTX, with SESSION (may be NULL); what it has for the next. */
static SSL_SESSION *visit(SSL_CTX *ctx, SSL_SESSION *session)
{
    SSL *near = NULL, *far = server();
    SSL_SESSION *next = NULL;

    if (ctx == NULL || SSL_CTX_up_ref(ctx) != 1)
        return NULL;
    SSL_CTX_set_cert_verify_callback(ctx, agree, NULL);
    near = ends_connecting(ctx, ENDS_HOST);
    if (near != NULL && session != NULL)
        (void)SSL_set_session(near, session);
    (void)printf("%s ", ends_meet(near, far));
    (void)printf("%s; ", near != NULL && SSL_session_reused(near) ? "resumed" : "in full");
    next = near != NULL ? SSL_get1_session(near) : NULL;
    if (near != NULL)
        (void)SSL_shutdown(near);
    SSL_free(near);
    SSL_free(far);
    return next;
}

/* One context, another one like it, and a third with no anchors. */
static void contexts(void)
{
    SSL_CTX *all[] = {ends_client(), ends_client(), SSL_CTX_new(TLS_client_method())};
    SSL_SESSION *session = visit(all[0], NULL);

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        SSL_SESSION_free(visit(all[i], session));
        SSL_CTX_free(all[i]);
    }
    SSL_SESSION_free(session);
}

static SSL_SESSION *first(void)
{
    SSL *near = client(), *far = server();
    SSL_SESSION *session = NULL;

    (void)printf("first %s; ", ends_meet(near, far));
    if (near != NULL && SSL_is_init_finished(near))
        session = SSL_get1_session(near);
    if (near != NULL)
        (void)SSL_shutdown(near);
    SSL_free(near);
    SSL_free(far);
    return session;
}

/* True if TEXT lies open in what waits to be read from the other end. */
static bool lies_open(BIO *from, const char *text)
{
    char *waiting = NULL;
    int length = BIO_nread0(from, &waiting);

    return length > 0 && memmem(waiting, (size_t)length, text, strlen(text)) != NULL;
}

/* True if the queue says first that a session was not evaluated. */
static bool is_said(void)
{
    const char *data = "";
    int flags = 0;

    (void)ERR_peek_error_data(&data, &flags);
    return (flags & ERR_TXT_STRING) != 0 && strstr(data, "trustgraft: ") != NULL &&
           strstr(data, "did not evaluate") != NULL;
}

/* Sends SECRET early, then makes the handshake. */
static void send_early(SSL *near, SSL *far)
{
    char got[64] = "";
    size_t written = 0, length = 0;
    bool sent, open, arrived;

    if (!ends_join(near, far)) {
        (void)printf("broken");
        return;
    }
    ERR_clear_error();
    sent = SSL_write_early_data(near, SECRET, strlen(SECRET), &written) == 1;
    said = is_said(); /* the server's side empties the queue */
    open = lies_open(SSL_get_rbio(far), SECRET);
    arrived = SSL_read_early_data(far, got, sizeof(got), &length) == SSL_READ_EARLY_DATA_SUCCESS;
    (void)printf("early data %s, %s%s; ", sent ? "sent" : "kept",
                 arrived && strcmp(got, SECRET) == 0 ? "arrived" : "nothing arrived",
                 open ? ", for all to read" : "");
    for (int i = 0; arrived && i < 10; i++) {
        (void)SSL_do_handshake(near);
        if (SSL_read_early_data(far, got, sizeof(got), &length) == SSL_READ_EARLY_DATA_FINISH)
            break;
    }
    (void)printf("%s", ends_shake(near, far) && ends_pass(near, far) && ends_pass(far, near)
                           ? "through"
                           : "stopped");
}

static void resume_early(SSL_SESSION *session, SSL *far)
{
    SSL *near = client();

    if (near != NULL && session != NULL)
        (void)SSL_set_session(near, session);
    send_early(near, far);
    SSL_free(near);
    SSL_free(far);
    SSL_SESSION_free(session);
}

/* With a session of this process's own. */
static void own(void)
{
    resume_early(first(), server());
}

/* The same, but whom it meets knows nothing of the session, and shows this certificate. */
static void meet_another(const char *leaf)
{
    resume_early(first(), server_with(leaf, "of another server"));
}

static void newly_keyed(void)
{
    meet_another("api");
}

static void impostor(void)
{
    meet_another("api-other");
}

static void take_to_other(SSL *near, SSL_SESSION *session)
{
    if (near != NULL)
        (void)SSL_set_tlsext_host_name(near, "other.test");
    if (near != NULL && session != NULL)
        (void)SSL_set_session(near, session);
}

/* At another host, with data to be sent early, and without. */
static void elsewhere(void)
{
    SSL_SESSION *session = first();
    SSL *near = client(), *far = server();

    take_to_other(near, session);
    send_early(near, far);
    (void)printf("%s; ", said ? ", and said why" : "");
    SSL_free(near);
    SSL_free(far);
    near = client();
    far = server();
    take_to_other(near, session);
    (void)printf("%s", ends_meet(near, far));
    (void)printf(" %s", near != NULL && SSL_session_reused(near) ? "resumed" : "in full");
    SSL_SESSION_free(session);
    SSL_free(near);
    SSL_free(far);
}

static void save(void)
{
    SSL_SESSION *session = first();
    FILE *out = fopen(file, "w");

    if (out != NULL && session != NULL)
        (void)PEM_write_SSL_SESSION(out, session);
    if (out != NULL)
        (void)fclose(out);
    SSL_SESSION_free(session);
}

static SSL_SESSION *read_session(void)
{
    FILE *in = fopen(file, "r");
    SSL_SESSION *session = in != NULL ? PEM_read_SSL_SESSION(in, NULL, NULL, NULL) : NULL;

    if (in != NULL)
        (void)fclose(in);
    return session;
}

/* With one of another process, from a file. */
static void imported(void)
{
    resume_early(read_session(), server());
}

/* The same, without early data: it may come to a full handshake. */
static void resumed(void)
{
    SSL *near = client(), *far = server();
    SSL_SESSION *session = read_session();

    if (near != NULL && session != NULL)
        (void)SSL_set_session(near, session);
    (void)printf("%s", ends_meet(near, far));
    (void)printf(" %s", near != NULL && SSL_session_reused(near) ? "resumed" : "in full");
    SSL_SESSION_free(session);
    SSL_free(near);
    SSL_free(far);
}

static SSL_SESSION *like; /* what a key looks like, certificate and all; or NULL */

static SSL_SESSION *make_key(SSL *ssl)
{
    static const unsigned char key[32] = "known to whoever reads this file", id[] = {0x13, 0x01};
    SSL_SESSION *session = like != NULL ? SSL_SESSION_dup(like) : SSL_SESSION_new();

    if (session != NULL && SSL_SESSION_set1_master_key(session, key, sizeof(key)) &&
        SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, id)) &&
        SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) &&
        SSL_SESSION_set_max_early_data(session, 4096))
        return session;
    SSL_SESSION_free(session);
    return NULL;
}

static int use_key(SSL *ssl, const EVP_MD *digest, const unsigned char **id, size_t *length,
                   SSL_SESSION **session)
{
    (void)digest;
    *session = make_key(ssl);
    *id = (const unsigned char *)"key";
    *length = 3;
    return *session != NULL;
}

static int find_key(SSL *ssl, const unsigned char *id, size_t length, SSL_SESSION **session)
{
    (void)id, (void)length;
    *session = make_key(ssl);
    return *session != NULL;
}

/* A pre-shared key that carries early data; on the connection, and from the context. */
static void with_key(bool on_context)
{
    SSL_CTX *ctx = ends_client();
    SSL *near = NULL, *far = server();

    if (ctx != NULL)
        (void)SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256");
    if (ctx != NULL && on_context)
        SSL_CTX_set_psk_use_session_callback(ctx, use_key);
    near = ends_connecting(ctx, ENDS_HOST);
    if (near != NULL && !on_context)
        SSL_set_psk_use_session_callback(near, use_key);
    if (far != NULL)
        SSL_set_psk_find_session_callback(far, find_key);
    send_early(near, far);
    SSL_free(near);
    SSL_free(far);
}

static void key_of_connection(void)
{
    with_key(false);
}

static void key_of_context(void)
{
    with_key(true);
}

/* A connection that brings such a key, and meets who has it too. */
static SSL *with_likeness(SSL **far)
{
    SSL_CTX *ctx = ends_client();
    SSL *near = NULL;

    if (ctx != NULL && SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") == 1)
        SSL_CTX_set_psk_use_session_callback(ctx, use_key);
    near = ends_connecting(ctx, ENDS_HOST);
    *far = server_with("api-other", "of another server");
    if (*far != NULL)
        SSL_set_psk_find_session_callback(*far, find_key);
    return near;
}

/* The key carries the certificate of a server that was met before. */
static void likeness(void)
{
    SSL *near = NULL, *far = NULL;

    like = first();
    near = with_likeness(&far);
    (void)printf("%s", ends_meet(near, far));
    SSL_free(near);
    SSL_free(far);
    SSL_SESSION_free(like);
}

/* The server's session is offered beside it, and allows for no early data: the key does. */
static void likeness_early(void)
{
    SSL_SESSION *session = NULL;
    SSL *near = NULL, *far = NULL;

    like = first();
    session = like != NULL ? SSL_SESSION_dup(like) : NULL;
    near = with_likeness(&far);
    if (session != NULL && SSL_SESSION_set_max_early_data(session, 0) == 1 && near != NULL)
        (void)SSL_set_session(near, session);
    send_early(near, far);
    SSL_free(near);
    SSL_free(far);
    SSL_SESSION_free(session);
    SSL_SESSION_free(like);
}

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    {"own", own},
    {"newly-keyed", newly_keyed},
    {"impostor", impostor},
    {"elsewhere", elsewhere},
    {"save", save},
    {"imported", imported},
    {"resumed", resumed},
    {"key", key_of_connection},
    {"context-key", key_of_context},
    {"contexts", contexts},
    {"likeness", likeness},
    {"likeness-early", likeness_early},
};

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    ends_setup(argv[2], true);
    file = argv[3];
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        if (strcmp(scenarios[i].name, argv[1]) != 0)
            continue;
        scenarios[i].run();
        (void)puts("");
        return 0;
    }
    return 2;
}
