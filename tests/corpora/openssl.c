#include "corpora.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>

#define NAME_REFUSED (-3) /* as in the corpora's baseline.tsv */

/* False where libcrypto refuses the name itself. */
static bool set_param(const struct question *question, X509_VERIFY_PARAM *param)
{
    corpora_demand(X509_VERIFY_PARAM_set_flags(param, question->flags | X509_V_FLAG_PARTIAL_CHAIN),
                   "memory ran out");
    X509_VERIFY_PARAM_set_auth_level(param, question->level);
    /* A time that is set goes before NO_CHECK_TIME. */
    if (question->time != 0 && !(question->flags & X509_V_FLAG_NO_CHECK_TIME))
        X509_VERIFY_PARAM_set_time(param, question->time);
    if (question->host != NULL && !X509_VERIFY_PARAM_set1_host(param, question->host, 0))
        return false;
    return question->ip == NULL || X509_VERIFY_PARAM_set1_ip_asc(param, question->ip);
}

static int verify(const struct question *question, const STACK_OF(X509) *trusted,
                  STACK_OF(X509) *untrusted, X509_STORE_CTX_verify_cb callback)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_STORE *store = X509_STORE_new();
    int code = NAME_REFUSED;

    /* Not a trusted stack: the path of a CRL's own issuer is looked for in the store alone. */
    for (int i = 0; i < sk_X509_num(trusted); i++)
        corpora_demand(X509_STORE_add_cert(store, sk_X509_value(trusted, i)), "memory ran out");
    corpora_demand(context != NULL &&
                       X509_STORE_CTX_init(context, store, question->leaf, untrusted),
                   "memory ran out");
    X509_STORE_CTX_set0_crls(context, question->crls);
    X509_STORE_CTX_set_purpose(context,
                               question->any_purpose ? X509_PURPOSE_ANY : X509_PURPOSE_SSL_SERVER);
    if (callback != NULL)
        X509_STORE_CTX_set_verify_cb(context, callback);
    if (set_param(question, X509_STORE_CTX_get0_param(context))) {
        int verified = X509_verify_cert(context);

        code = X509_STORE_CTX_get_error(context);
        if (verified != 1 && code == X509_V_OK)
            code = X509_V_ERR_UNSPECIFIED;
    }
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    ERR_clear_error();
    return code;
}

int openssl_verdict(const struct question *question)
{
    return verify(question, question->trusted, question->untrusted, NULL);
}

static int excuse_anchor(int ok, X509_STORE_CTX *context)
{
    int depth = X509_STORE_CTX_get_error_depth(context);

    if (ok || X509_STORE_CTX_get_error(context) != X509_V_ERR_UNABLE_TO_GET_CRL || depth == 0 ||
        depth != sk_X509_num(X509_STORE_CTX_get0_chain(context)) - 1)
        return ok;
    X509_STORE_CTX_set_error(context, X509_V_OK);
    return 1;
}

/* The case's own copy of CERTIFICATE, which may say more than the bytes; NULL: it has none. */
static X509 *trusted_copy(const struct question *question, const X509 *certificate)
{
    for (int i = 0; i < sk_X509_num(question->trusted); i++)
        if (X509_cmp(sk_X509_value(question->trusted, i), certificate) == 0)
            return sk_X509_value(question->trusted, i);
    return NULL;
}

/* True if an anchor file says of a certificate on PATH that it is not for TLS servers. */
static bool mistrusted(const struct question *question, const STACK_OF(X509) *path)
{
    for (int i = 0; i < sk_X509_num(path); i++) {
        X509 *copy = trusted_copy(question, sk_X509_value(path, i));

        if (copy != NULL && X509_check_trust(copy, X509_TRUST_SSL_SERVER, 0) == X509_TRUST_REJECTED)
            return true;
    }
    return false;
}

int openssl_proof(const struct question *question, const STACK_OF(X509) *path)
{
    int length = sk_X509_num(path), code;
    X509 *anchor = trusted_copy(question, sk_X509_value(path, length - 1));
    STACK_OF(X509) *trusted = sk_X509_new_null(), *untrusted = sk_X509_new_null();

    for (int i = 1; i < length - 1; i++)
        corpora_demand(sk_X509_push(untrusted, sk_X509_value(path, i)) > 0, "memory ran out");
    corpora_demand(anchor == NULL || sk_X509_push(trusted, anchor) > 0, "memory ran out");
    code = anchor == NULL || mistrusted(question, path)
               ? X509_V_ERR_CERT_REJECTED
               : verify(question, trusted, untrusted, excuse_anchor);
    sk_X509_free(trusted);
    sk_X509_free(untrusted);
    return code;
}
