#include "nss_query.h"
#include "chains.h"
#include "convert.h"
#include "leaves.h"
#include <openssl/x509.h>
#include <time.h>

/* As SSL_version(3) tells it. NSS has the numbers of TLS for DTLS too. */
static int version_of(const struct tg_nss_socket *state)
{
    SSLPreliminaryChannelInfo info = {0};
    int version;

    if (state->library->SSL_GetPreliminaryChannelInfo(state->fd, &info, sizeof(info)) !=
            SECSuccess ||
        !(info.valuesSet & TG_ssl_preinfo_version))
        return 0;
    version = info.protocolVersion;
    if (!state->datagrams || version < TLS1_1_VERSION)
        return version;
    return version == TLS1_1_VERSION ? DTLS1_VERSION
                                     : DTLS1_VERSION - (version - TLS1_1_VERSION) - 1;
}

/* ---- the program's anchors ---- */

static bool is_anchor(const struct tg_nss *library, const CERTCertificate *certificate)
{
    CERTCertTrust trust = {0};

    return library->CERT_GetCertTrust(certificate, &trust) == SECSuccess &&
           trust.sslFlags & TG_CERTDB_TRUSTED_CA;
}

/* An X509_STORE_CTX_lookup_certs_fn: NULL where there are none. */
static STACK_OF(X509) *lookup(X509_STORE_CTX *context, const X509_NAME *subject)
{
    struct tg_nss_query *question = X509_STORE_CTX_get_app_data(context);
    const struct tg_nss *library = question->state->library;
    STACK_OF(X509) *all = sk_X509_new_null();
    SECItem name = {0};
    int size = i2d_X509_NAME(subject, &name.data);
    CERTCertList *list = NULL;

    if (size > 0) {
        name.len = (unsigned)size;
        list = library->CERT_CreateSubjectCertList(NULL, library->CERT_GetDefaultCertDB(), &name,
                                                   (PRTime)time(NULL) * 1000000, 0);
    }
    for (CERTCertListNode *node = list != NULL ? list->next : NULL;
         node != NULL && node != (CERTCertListNode *)list; node = node->next) {
        X509 *one = NULL;

        if (!is_anchor(library, node->cert))
            continue;
        one = tg_convert_read(node->cert->derCert.data, node->cert->derCert.len);
        if (one != NULL && all != NULL && sk_X509_push(all, one))
            continue;
        question->server.unread = true;
        X509_free(one);
    }
    question->server.unread |= size <= 0 || all == NULL;
    if (list != NULL)
        library->CERT_DestroyCertList(list);
    OPENSSL_free(name.data);
    if (sk_X509_num(all) <= 0) {
        sk_X509_free(all);
        all = NULL;
    }
    return all;
}

/* ---- the server ---- */

static bool read_sent(struct tg_nss_query *question)
{
    const struct tg_nss_socket *state = question->state;
    CERTCertList *list = state->library->SSL_PeerCertificateChain(state->fd);
    bool read = true;

    if (list == NULL)
        return true;
    for (CERTCertListNode *node = list->next; read && node != (CERTCertListNode *)list;
         node = node->next) {
        const SECItem *der = &node->cert->derCert;

        if (node == list->next) {
            question->digested = tg_leaves_digest(der->data, der->len, question->digest);
            question->undigested = !question->digested;
        }
        read = tg_foreign_present(&question->server, der->data, der->len);
    }
    state->library->CERT_DestroyCertList(list);
    return read;
}

/* A session that is resumed has the leaf alone. */
static bool complete(struct tg_nss_query *question)
{
    if (question->server.sent == NULL)
        return true;
    if (question->undigested)
        return false;
    if (sk_X509_num(question->server.sent) > 1)
        tg_chains_keep(question->digest, &question->server);
    else if (!question->asked)
        return tg_chains_add(question->digest, &question->server);
    return true;
}

void tg_nss_query_open(struct tg_foreign_server *server)
{
    struct tg_nss_query *question = (struct tg_nss_query *)server;
    const struct tg_nss_socket *state = question->state;
    const SECItemArray *staples = NULL;

    server->query.security_level = -1;
    server->query.tls_version = version_of(state);
    if (!read_sent(question) || !complete(question)) {
        server->problem = "what the server presented can't be read as certificates";
        return;
    }
    tg_foreign_anchor(server, lookup);
    staples = state->library->SSL_PeerStapledOCSPResponses(state->fd);
    if (staples != NULL && staples->len > 0) {
        server->query.staple = staples->items[0].data;
        server->query.staple_length = staples->items[0].len;
    }
}

/* ---- what the program knows of it ---- */

/* It is there to say that the certificate isn't trusted. */
static bool is_distrusted(const struct tg_nss *library, const CERTCertificate *certificate)
{
    CERTCertTrust trust = {0};

    return library->CERT_GetCertTrust(certificate, &trust) == SECSuccess &&
           trust.sslFlags & TG_CERTDB_TERMINAL_RECORD &&
           !(trust.sslFlags & (TG_CERTDB_TRUSTED | TG_CERTDB_TRUSTED_CA));
}

static bool is_revoked(const struct tg_nss_socket *state, CERTCertificate *leaf)
{
    const struct tg_nss *library = state->library;
    PRErrorCode error;

    if (library->CERT_VerifyCertificateNow(
            library->CERT_GetDefaultCertDB(), leaf, 1, TG_certificateUsageSSLServer,
            library->SSL_RevealPinArg(state->fd), NULL) == SECSuccess)
        return false;
    error = library->PR_GetError();
    return error == TG_SEC_ERROR_REVOKED_CERTIFICATE ||
           error == TG_SEC_ERROR_REVOKED_CERTIFICATE_CRL ||
           error == TG_SEC_ERROR_REVOKED_CERTIFICATE_OCSP;
}

bool tg_nss_query_revoked(const struct tg_foreign_server *server)
{
    const struct tg_nss_socket *state = ((const struct tg_nss_query *)server)->state;
    CERTCertList *list = state->library->SSL_PeerCertificateChain(state->fd);
    bool bad = list == NULL || is_revoked(state, list->next->cert);

    if (list == NULL)
        return bad;
    for (CERTCertListNode *node = list->next; !bad && node != (CERTCertListNode *)list;
         node = node->next)
        bad = is_distrusted(state->library, node->cert);
    state->library->CERT_DestroyCertList(list);
    return bad;
}
