#include "handshake.h"
#include "host.h"
#include "mem.h"
#include "presented.h"
#include "text.h"
#include <dlfcn.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* One handshake. */
struct attempt {
    struct tg_stream *stream;
    SSL_CTX *context;
    SSL *ssl;
    bool asked_for_certificate; /* the server wants to know who we are */
    bool timed_out;
    char first[6]; /* what the server said first, with a NUL behind it */
    size_t said;   /* bytes of it */
};

void tg_handshake_prepare(void)
{
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

const char *tg_handshake_version(int version)
{
    switch (version) {
    case TLS1_3_VERSION:
        return "TLS 1.3";
    case TLS1_2_VERSION:
        return "TLS 1.2";
    case TLS1_1_VERSION:
        return "TLS 1.1";
    case TLS1_VERSION:
        return "TLS 1.0";
    default:
        return "an unknown TLS version";
    }
}

/*
 * libssl's own function NAME, past the preload library where this command itself runs under it:
 * that one would put our connection under the policy, and end it before it can be explained. Where
 * libssl is inside this executable, LINKED is that: what it defines comes before all libraries.
 */
static void *own_function(const char *name, const void *linked)
{
    Dl_info libssl, command;
    void *handle = NULL, *found = NULL;

    if (dladdr((const void *)(uintptr_t)TLS_client_method, &libssl) == 0 ||
        dladdr((const void *)(uintptr_t)own_function, &command) == 0)
        return NULL;
    if (libssl.dli_fbase == command.dli_fbase)
        return (void *)linked;
    handle = dlopen(libssl.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (handle != NULL) {
        found = dlsym(handle, name);
        dlclose(handle);
    }
    return found;
}

static int note_request(SSL *ssl, X509 **certificate, EVP_PKEY **key)
{
    struct attempt *attempt = SSL_get_app_data(ssl);

    (void)certificate, (void)key;
    attempt->asked_for_certificate = true;
    return 0;
}

/*
 * A BIO_callback_fn_ex: keeps the first bytes that libssl reads, and reads no more once the time is
 * over, for of some messages (HelloRequest) libssl takes any number as fast as they come.
 */
static long keep_first(BIO *bio, int operation, const char *bytes, size_t size, int unused,
                       long unused_either, int result, size_t *processed)
{
    struct attempt *attempt = (struct attempt *)BIO_get_callback_arg(bio);

    (void)unused, (void)unused_either;
    if (operation == BIO_CB_READ && tg_stream_is_over(attempt->stream)) {
        attempt->timed_out = true;
        return -1;
    }
    if (operation != (BIO_CB_READ | BIO_CB_RETURN) || result <= 0)
        return result;
    size = sizeof(attempt->first) - 1 - attempt->said;
    size = *processed < size ? *processed : size;
    memcpy(attempt->first + attempt->said, bytes, size);
    attempt->said += size;
    return result;
}

static bool watch(struct attempt *attempt)
{
    BIO *bio = SSL_get_rbio(attempt->ssl);

    BIO_set_callback_ex(bio, keep_first);
    BIO_set_callback_arg(bio, (char *)attempt);
    return bio != NULL;
}

/*
 * As lenient as libssl can be: what is too weak or too old is a finding of the evaluation, not
 * a reason to see nothing. Nothing secret is ever sent.
 */
static bool open_attempt(struct attempt *attempt, const char *host)
{
    __typeof__(&SSL_CTX_new_ex) new_context = /* SSL_CTX_new itself calls this one by name */
        (__typeof__(&SSL_CTX_new_ex))own_function("SSL_CTX_new_ex", (void *)SSL_CTX_new_ex);
    __typeof__(&SSL_new) new_connection =
        (__typeof__(&SSL_new))own_function("SSL_new", (void *)SSL_new);
    char ignored[TG_HOST_SIZE];

    if (new_context == NULL || new_connection == NULL)
        return false;
    attempt->context = new_context(NULL, NULL, TLS_client_method());
    if (attempt->context == NULL ||
        SSL_CTX_set_min_proto_version(attempt->context, TLS1_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(attempt->context, "ALL:@SECLEVEL=0") != 1)
        return false;
    SSL_CTX_set_verify(attempt->context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_client_cert_cb(attempt->context, note_request);
    attempt->ssl = new_connection(attempt->context);
    return attempt->ssl != NULL && SSL_set_app_data(attempt->ssl, attempt) == 1 &&
           SSL_set_fd(attempt->ssl, attempt->stream->fd) == 1 && watch(attempt) &&
           SSL_set_tlsext_status_type(attempt->ssl, TLSEXT_STATUSTYPE_ocsp) == 1 &&
           (tg_host_canonical(host, ignored) != TG_HOST_NAME ||
            SSL_set_tlsext_host_name(attempt->ssl, host) == 1);
}

static bool shake(struct attempt *attempt)
{
    for (;;) {
        int result, error;
        short events;

        ERR_clear_error();
        errno = 0;
        result = SSL_connect(attempt->ssl);
        if (result == 1)
            return true;
        error = SSL_get_error(attempt->ssl, result);
        if (attempt->timed_out || (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE))
            return false;
        events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
        attempt->timed_out = !tg_stream_wait(attempt->stream, events);
        if (attempt->timed_out)
            return false;
    }
}

/* ---- what went wrong ---------------------------------------------------------------------- */

/* Protocols whose servers speak first, in the clear. */
static const char *greeting(const char *first)
{
    static const struct {
        const char *begin, *protocol;
    } greetings[] = {{"220", "smtp or ftp"}, {"* OK", "imap"}, {"+OK", "pop3"}};

    for (size_t i = 0; i < sizeof(greetings) / sizeof(greetings[0]); i++)
        if (strncmp(first, greetings[i].begin, strlen(greetings[i].begin)) == 0)
            return greetings[i].protocol;
    return NULL;
}

/* As far as it was said. */
static bool is_tls(const struct attempt *attempt)
{
    return (attempt->first[0] == SSL3_RT_HANDSHAKE || attempt->first[0] == SSL3_RT_ALERT) &&
           (attempt->said < 2 || attempt->first[1] == SSL3_VERSION_MAJOR);
}

static void explain_plain(const struct attempt *attempt, struct tg_buf *why)
{
    const char *first = attempt->first, *protocol = greeting(first);

    if (strncmp(first, "HTTP/", 5) == 0) {
        tg_buf_add(why, "the server answers in plain HTTP where TLS was expected");
    } else if (protocol != NULL) {
        tg_buf_printf(why,
                      "the server greets in the clear where TLS was expected: try --starttls %s",
                      protocol);
    } else {
        tg_buf_printf(why, "the server answers with what isn't TLS: \"%s\"...", first);
    }
}

static void explain_tls(const struct attempt *attempt, struct tg_buf *why)
{
    unsigned long error = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(error);

    if (reason != NULL && ERR_GET_REASON(error) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
        tg_buf_printf(why, "the TLS handshake failed: %s", reason);
    else if (attempt->said == 0)
        tg_buf_add(why, "the server closed the connection without an answer to TLS");
    else
        tg_buf_add(why, "the server closed the connection in the midst of the TLS handshake");
}

static void explain(const struct attempt *attempt, struct tg_buf *why)
{
    if (attempt->ssl == NULL)
        tg_buf_add(why, "libssl can't make a connection");
    else if (attempt->said > 0 && !is_tls(attempt))
        explain_plain(attempt, why);
    else if (attempt->timed_out && attempt->said == 0)
        tg_buf_add(why, "the server accepts the connection, but doesn't answer to TLS in time");
    else if (attempt->timed_out)
        tg_buf_add(why, "the server stopped in the midst of the TLS handshake");
    else
        explain_tls(attempt, why);
}

/* ---- what was presented ------------------------------------------------------------------- */

static bool take_chain(const SSL *ssl, struct tg_presented *presented)
{
    const STACK_OF(X509) *sent = SSL_get_peer_cert_chain(ssl);

    if (sk_X509_num(sent) < 1)
        return false;
    presented->chain = X509_chain_up_ref((STACK_OF(X509) *)sent);
    return presented->chain != NULL;
}

static bool take_staple(SSL *ssl, struct tg_presented *presented)
{
    const unsigned char *answer = NULL;
    long length = SSL_get_tlsext_status_ocsp_resp(ssl, &answer);

    if (answer == NULL || length <= 0)
        return true;
    presented->staple = malloc((size_t)length);
    if (presented->staple == NULL)
        return false;
    memcpy(presented->staple, answer, (size_t)length);
    presented->staple_length = (size_t)length;
    return true;
}

static bool take(const struct attempt *attempt, struct tg_presented *presented, struct tg_buf *why)
{
    presented->tls_version = SSL_version(attempt->ssl);
    if (sk_X509_num(SSL_get_peer_cert_chain(attempt->ssl)) < 1)
        tg_buf_add(why, "the server presents no certificate");
    else if (!take_chain(attempt->ssl, presented) || !take_staple(attempt->ssl, presented))
        tg_buf_add(why, tg_no_memory);
    else
        return true;
    return false;
}

/*
 * shake(), in which a server that closes early makes libssl write to nobody: SIGPIPE, which would
 * end the command without a word, is held from this thread and taken away. It stays as it is for
 * what reads our output.
 */
static bool shake_quietly(struct attempt *attempt)
{
    sigset_t broken, before;
    bool shaken;

    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken, &before);
    shaken = shake(attempt);
    while (sigtimedwait(&broken, NULL, &(struct timespec){0}) == -1 && errno == EINTR)
        ;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return shaken;
}

bool tg_handshake(struct tg_stream *stream, const char *host, struct tg_presented *presented,
                  struct tg_buf *why, struct tg_buf *note)
{
    struct attempt attempt = {.stream = stream};
    bool opened = open_attempt(&attempt, host), shaken = opened && shake_quietly(&attempt),
         taken = false;

    /* In TLS 1.2 such a server fails after it has shown and proven its own identity. */
    if (opened && !shaken && attempt.asked_for_certificate &&
        sk_X509_num(SSL_get_peer_cert_chain(attempt.ssl)) > 0) {
        tg_buf_add(note, "the server ended the handshake, for it wants a client certificate; its "
                         "own was seen before");
        shaken = true;
    }
    if (shaken)
        taken = take(&attempt, presented, why);
    else
        explain(&attempt, why);
    SSL_free(attempt.ssl);
    SSL_CTX_free(attempt.context);
    ERR_clear_error();
    return taken;
}
