#include "gnutls_query.h"
#include "convert.h"
#include <openssl/x509v3.h>
#include <stdlib.h>

/* As SSL_version(3) tells it. */
static int version_of(const struct tg_gnutls_session *state)
{
    switch (state->library->gnutls_protocol_get_version(state->session)) {
    case TG_GNUTLS_SSL3:
        return SSL3_VERSION;
    case TG_GNUTLS_DTLS0_9:
        return DTLS1_BAD_VER;
    case TG_GNUTLS_TLS1_0:
        return TLS1_VERSION;
    case TG_GNUTLS_TLS1_1:
        return TLS1_1_VERSION;
    case TG_GNUTLS_TLS1_2:
        return TLS1_2_VERSION;
    case TG_GNUTLS_TLS1_3:
        return TLS1_3_VERSION;
    case TG_GNUTLS_DTLS1_0:
        return DTLS1_VERSION;
    case TG_GNUTLS_DTLS1_2:
        return DTLS1_2_VERSION;
    default:
        return 0;
    }
}

/* ---- the program's anchors ---- */

/* CERTIFICATE of the library's, as one of ours; NULL: it can't be had. */
static X509 *import(const struct tg_gnutls *library, gnutls_x509_crt_t certificate)
{
    X509 *ours = NULL;
    unsigned char *der = NULL;
    size_t size = 0;

    (void)library->gnutls_x509_crt_export(certificate, TG_GNUTLS_X509_FMT_DER, NULL, &size);
    if (size > 0 && (der = malloc(size)) != NULL &&
        library->gnutls_x509_crt_export(certificate, TG_GNUTLS_X509_FMT_DER, der, &size) == 0)
        ours = tg_convert_read(der, size);
    free(der);
    return ours;
}

/* Of several of one name the library gives one. */
static X509 *find_trusted(const struct tg_gnutls_query *question, const X509_NAME *subject)
{
    const struct tg_gnutls *library = question->state->library;
    gnutls_x509_crt_t found = NULL;
    unsigned char *name = NULL;
    X509 *ours = NULL;
    int size = question->trusted != NULL ? i2d_X509_NAME(subject, &name) : 0;

    if (size > 0 && library->gnutls_x509_trust_list_get_issuer_by_dn(
                        question->trusted, &(gnutls_datum_t){name, (unsigned)size}, &found,
                        TG_GNUTLS_TL_GET_COPY) == 0) {
        ours = import(library, found);
        library->gnutls_x509_crt_deinit(found);
    }
    OPENSSL_free(name);
    return ours;
}

/* An X509_STORE_CTX_lookup_certs_fn: NULL where there are none. */
static STACK_OF(X509) *lookup(X509_STORE_CTX *context, const X509_NAME *subject)
{
    const struct tg_gnutls_query *question = X509_STORE_CTX_get_app_data(context);
    X509 *found = find_trusted(question, subject);
    STACK_OF(X509) *all = found != NULL ? sk_X509_new_null() : NULL;

    if (all != NULL && sk_X509_push(all, found))
        return all;
    X509_free(found);
    sk_X509_free(all);
    return NULL;
}

/* In GnuTLS an intermediate that is trusted ends a path. */
static bool open_anchors(struct tg_gnutls_query *question)
{
    const struct tg_gnutls_session *state = question->state;
    void *credentials = NULL;

    if (state->library->gnutls_credentials_get(state->session, TG_GNUTLS_CRD_CERTIFICATE,
                                               &credentials) == 0 &&
        credentials != NULL)
        state->library->gnutls_certificate_get_trust_list(credentials, &question->trusted);
    question->store = X509_STORE_new();
    question->app = X509_STORE_CTX_new();
    if (question->store == NULL || question->app == NULL)
        return false;
    X509_STORE_set_lookup_certs(question->store, lookup);
    return X509_STORE_CTX_init(question->app, question->store, question->query.leaf,
                               question->sent) &&
           X509_STORE_CTX_set_default(question->app, "ssl_server") &&
           X509_STORE_CTX_set_app_data(question->app, question) &&
           X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(question->app),
                                       X509_V_FLAG_PARTIAL_CHAIN);
}

/* ---- the server ---- */

/* False: not all of it can be read, as a raw public key (RFC 7250) can't. */
static bool read_sent(struct tg_gnutls_query *question)
{
    const struct tg_gnutls_session *state = question->state;
    unsigned count = 0;
    const gnutls_datum_t *list =
        state->library->gnutls_certificate_get_peers(state->session, &count);

    question->sent = sk_X509_new_null();
    for (unsigned i = 0; question->sent != NULL && list != NULL && i < count; i++) {
        X509 *one = tg_convert_read(list[i].data, list[i].size);

        if (one == NULL)
            return false;
        if (!sk_X509_push(question->sent, one)) {
            X509_free(one);
            return false;
        }
    }
    return question->sent != NULL;
}

void tg_gnutls_query_open(struct tg_gnutls_query *question, const struct tg_gnutls_session *state)
{
    gnutls_datum_t staple = {NULL, 0};

    *question = (struct tg_gnutls_query){
        .query = {.security_level = -1, .tls_version = version_of(state)}, .state = state};
    if (!read_sent(question)) {
        question->problem = "what the server presented can't be read as certificates";
        return;
    }
    question->query.sent = question->sent;
    question->query.leaf =
        sk_X509_num(question->sent) > 0 ? sk_X509_value(question->sent, 0) : NULL;
    if (!open_anchors(question)) {
        question->problem = "memory ran out";
        return;
    }
    question->query.app = question->app;
    if (state->library->gnutls_ocsp_status_request_get(state->session, &staple) == 0 &&
        staple.size > 0) {
        question->query.staple = staple.data;
        question->query.staple_length = staple.size;
    }
}

void tg_gnutls_query_close(struct tg_gnutls_query *question)
{
    X509_STORE_CTX_free(question->app);
    X509_STORE_free(question->store);
    sk_X509_pop_free(question->sent, X509_free);
}

static X509 *issuer_sent(const struct tg_gnutls_query *question, X509 *end)
{
    for (int i = 0; i < sk_X509_num(question->sent); i++) {
        X509 *one = sk_X509_value(question->sent, i);

        if (X509_cmp(one, end) != 0 && X509_check_issued(one, end) == X509_V_OK)
            return X509_up_ref(one) ? one : NULL;
    }
    return NULL;
}

/* The caller's; *TRUSTED if the program's anchors have it, where its library ends. */
static X509 *issuer_of(const struct tg_gnutls_query *question, X509 *end, bool *trusted)
{
    X509 *issuer = find_trusted(question, X509_get_issuer_name(end));

    *trusted = issuer != NULL && X509_check_issued(issuer, end) == X509_V_OK;
    if (*trusted)
        return issuer;
    X509_free(issuer);
    return issuer_sent(question, end);
}

STACK_OF(X509) *tg_gnutls_query_path(const struct tg_gnutls_query *question)
{
    STACK_OF(X509) *path = sk_X509_new_null();
    X509 *next = question->query.leaf;
    bool last = false;

    if (path == NULL || next == NULL || !X509_up_ref(next)) {
        sk_X509_free(path);
        return NULL;
    }
    while (next != NULL) {
        if (!sk_X509_push(path, next)) {
            X509_free(next);
            sk_X509_pop_free(path, X509_free);
            return NULL;
        }
        if (last || sk_X509_num(path) > sk_X509_num(question->sent) + 1)
            break;
        next = issuer_of(question, next, &last);
    }
    return path;
}
