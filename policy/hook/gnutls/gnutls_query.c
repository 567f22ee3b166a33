#include "gnutls_query.h"
#include "convert.h"
#include <openssl/x509v3.h>
#include <stdlib.h>

/* As many are checked for one path: more can only be looked for. */
enum { SIGNATURES = 64 };

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
        question->unread = true;
    if (size > 0 && library->gnutls_x509_trust_list_get_issuer_by_dn(
                        question->trusted, &(gnutls_datum_t){name, (unsigned)size}, &found,
                        TG_GNUTLS_TL_GET_COPY) == 0) {
        ours = import(library, found);
        question->unread = question->unread || ours == NULL;
        library->gnutls_x509_crt_deinit(found);
    }
    OPENSSL_free(name);
    return ours;
}

/* All whose key may be asked for: TRUSTED's has signed each that was sent with its name for the
 * issuer's. */
static bool is_the_one(const struct tg_gnutls_query *question, const X509 *trusted)
{
    for (int i = 0; i < sk_X509_num(question->sent); i++) {
        X509 *one = sk_X509_value(question->sent, i);

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
        question->unread = true;
        X509_free(ours);
    }
}

/* The caller's; false: no memory. */
static bool add(STACK_OF(X509) *all, X509 *certificate)
{
    if (!X509_up_ref(certificate))
        return false;
    if (sk_X509_push(all, certificate))
        return true;
    X509_free(certificate);
    return false;
}

/* An X509_STORE_CTX_lookup_certs_fn: NULL where there are none. */
static STACK_OF(X509) *lookup(X509_STORE_CTX *context, const X509_NAME *subject)
{
    struct tg_gnutls_query *question = X509_STORE_CTX_get_app_data(context);
    X509 *found = find_one(question, subject);
    STACK_OF(X509) *all = found != NULL ? sk_X509_new_null() : NULL;

    if (all != NULL && is_the_one(question, found)) {
        question->unread = !add(all, found) || question->unread;
    } else if (all != NULL) {
        fetch_anchors(question);
        for (int i = 0; i < sk_X509_num(question->anchors); i++) {
            X509 *one = sk_X509_value(question->anchors, i);

            if (X509_NAME_cmp(X509_get_subject_name(one), subject) == 0)
                question->unread = !add(all, one) || question->unread;
        }
        if (sk_X509_num(all) == 0) /* a token of PKCS #11 has it */
            question->unread = !add(all, found) || question->unread;
    } else if (found != NULL) {
        question->unread = true;
    }
    X509_free(found);
    return all;
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
    sk_X509_pop_free(question->anchors, X509_free);
    sk_X509_pop_free(question->sent, X509_free);
}

/* ---- the path to the program's anchors ---- */

static bool is_signed_by(X509 *end, X509 *issuer, unsigned *budget)
{
    if (*budget == 0)
        return false;
    --*budget;
    return X509_verify(end, X509_get0_pubkey(issuer)) == 1;
}

static bool is_current(const X509 *certificate)
{
    return X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0 &&
           X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

/* ISSUER is there twice then. */
static bool is_on(const STACK_OF(X509) *path, const X509 *issuer)
{
    for (int i = 0; i < sk_X509_num(path); i++)
        if (sk_X509_value(path, i) == issuer)
            return true;
    return false;
}

static bool ends_at_anchor(const struct tg_gnutls_query *question, STACK_OF(X509) *path,
                           unsigned *budget)
{
    X509 *end = sk_X509_value(path, sk_X509_num(path) - 1);
    STACK_OF(X509) *anchors = lookup(question->app, X509_get_issuer_name(end));
    bool ends = false;

    for (int i = 0; i < sk_X509_num(anchors) && !ends; i++) {
        X509 *one = sk_X509_value(anchors, i);

        ends = is_current(one) && is_signed_by(end, one, budget) && add(path, one);
    }
    sk_X509_pop_free(anchors, X509_free);
    return ends;
}

/* Names alone don't tell which of those that were sent the library goes by. */
static bool complete(const struct tg_gnutls_query *question, STACK_OF(X509) *path, unsigned *budget)
{
    X509 *end = sk_X509_value(path, sk_X509_num(path) - 1);

    if (ends_at_anchor(question, path, budget))
        return true;
    for (int i = 0; i < sk_X509_num(question->sent); i++) {
        X509 *one = sk_X509_value(question->sent, i);

        if (is_on(path, one) ||
            X509_NAME_cmp(X509_get_subject_name(one), X509_get_issuer_name(end)) != 0 ||
            !is_signed_by(end, one, budget) || !add(path, one))
            continue;
        if (complete(question, path, budget))
            return true;
        X509_free(sk_X509_pop(path));
    }
    return false;
}

STACK_OF(X509) *tg_gnutls_query_path(const struct tg_gnutls_query *question, bool *whole)
{
    STACK_OF(X509) *path = sk_X509_new_null();
    X509 *leaf = question->query.leaf;
    unsigned budget = SIGNATURES;

    if (path == NULL || leaf == NULL || !add(path, leaf)) {
        sk_X509_free(path);
        return NULL;
    }
    *whole = complete(question, path, &budget);
    return path;
}
