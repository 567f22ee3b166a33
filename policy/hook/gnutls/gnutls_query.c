#include "gnutls_query.h"
#include "convert.h"
#include "ownpath.h"
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
static X509 *find_one(struct tg_gnutls_query *question, const X509_NAME *subject)
{
    const struct tg_gnutls *library = question->state->library;
    gnutls_x509_crt_t found = NULL;
    unsigned char *name = NULL;
    X509 *ours = NULL;
    int size = question->trusted != NULL ? i2d_X509_NAME(subject, &name) : 0;

    if (size < 0)
        question->server.unread = true;
    if (size > 0 && library->gnutls_x509_trust_list_get_issuer_by_dn(
                        question->trusted, &(gnutls_datum_t){name, (unsigned)size}, &found,
                        TG_GNUTLS_TL_GET_COPY) == 0) {
        ours = import(library, found);
        question->server.unread = question->server.unread || ours == NULL;
        library->gnutls_x509_crt_deinit(found);
    }
    OPENSSL_free(name);
    return ours;
}

/* All whose key may be asked for: TRUSTED's has signed each that was sent with its name for the
 * issuer's. */
static bool is_the_one(const struct tg_gnutls_query *question, const X509 *trusted)
{
    for (int i = 0; i < sk_X509_num(question->server.sent); i++) {
        X509 *one = sk_X509_value(question->server.sent, i);

        if (X509_NAME_cmp(X509_get_issuer_name(one), X509_get_subject_name(trusted)) == 0 &&
            X509_verify(one, X509_get0_pubkey(trusted)) != 1)
            return false;
    }
    return true;
}

/* The library copies each for it, which takes long: they are fetched once, and when it must be. */
static void fetch_anchors(struct tg_gnutls_query *question)
{
    const struct tg_gnutls *library = question->state->library;
    gnutls_x509_crt_t one = NULL;
    gnutls_x509_trust_list_iter_t at = NULL;
    X509 *ours;

    if (question->anchors != NULL)
        return;
    question->anchors = sk_X509_new_null();
    while (library->gnutls_x509_trust_list_iter_get_ca(question->trusted, &at, &one) == 0) {
        ours = import(library, one);
        library->gnutls_x509_crt_deinit(one);
        if (ours != NULL && sk_X509_push(question->anchors, ours))
            continue;
        question->server.unread = true;
        X509_free(ours);
    }
}

/* An X509_STORE_CTX_lookup_certs_fn: NULL where there are none. */
static STACK_OF(X509) *lookup(X509_STORE_CTX *context, const X509_NAME *subject)
{
    struct tg_gnutls_query *question = X509_STORE_CTX_get_app_data(context);
    X509 *found = find_one(question, subject);
    STACK_OF(X509) *all = found != NULL ? sk_X509_new_null() : NULL;

    if (all != NULL && is_the_one(question, found)) {
        question->server.unread = !tg_ownpath_add(all, found) || question->server.unread;
    } else if (all != NULL) {
        fetch_anchors(question);
        for (int i = 0; i < sk_X509_num(question->anchors); i++) {
            X509 *one = sk_X509_value(question->anchors, i);

            if (X509_NAME_cmp(X509_get_subject_name(one), subject) == 0)
                question->server.unread = !tg_ownpath_add(all, one) || question->server.unread;
        }
        if (sk_X509_num(all) == 0) /* a token of PKCS #11 has it */
            question->server.unread = !tg_ownpath_add(all, found) || question->server.unread;
    } else if (found != NULL) {
        question->server.unread = true;
    }
    X509_free(found);
    return all;
}

static void open_anchors(struct tg_gnutls_query *question)
{
    const struct tg_gnutls_session *state = question->state;
    void *credentials = NULL;

    if (state->library->gnutls_credentials_get(state->session, TG_GNUTLS_CRD_CERTIFICATE,
                                               &credentials) == 0 &&
        credentials != NULL)
        state->library->gnutls_certificate_get_trust_list(credentials, &question->trusted);
    tg_foreign_anchor(&question->server, lookup);
}

/* ---- the server ---- */

/* False: not all of it can be read, as a raw public key (RFC 7250) can't. */
static bool read_sent(struct tg_gnutls_query *question)
{
    const struct tg_gnutls_session *state = question->state;
    unsigned count = 0;
    const gnutls_datum_t *list =
        state->library->gnutls_certificate_get_peers(state->session, &count);

    for (unsigned i = 0; list != NULL && i < count; i++)
        if (!tg_foreign_present(&question->server, list[i].data, list[i].size))
            return false;
    return true;
}

void tg_gnutls_query_open(struct tg_foreign_server *server)
{
    struct tg_gnutls_query *question = (struct tg_gnutls_query *)server;
    const struct tg_gnutls_session *state = question->state;
    gnutls_datum_t staple = {NULL, 0};

    server->query.security_level = -1;
    server->query.tls_version = version_of(state);
    if (!read_sent(question)) {
        server->problem = "what the server presented can't be read as certificates";
        return;
    }
    open_anchors(question);
    if (state->library->gnutls_ocsp_status_request_get(state->session, &staple) == 0 &&
        staple.size > 0) {
        server->query.staple = staple.data;
        server->query.staple_length = staple.size;
    }
}
