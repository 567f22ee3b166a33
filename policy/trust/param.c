#include "param.h"
#include "crl.h"
#include <openssl/x509v3.h>

/* USE_CHECK_TIME would go before NO_CHECK_TIME; the time that counts is set anew. */
#define WEAKENING                                                                                  \
    (X509_V_FLAG_USE_CHECK_TIME | X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_IGNORE_CRITICAL |        \
     X509_V_FLAG_ALLOW_PROXY_CERTS)

/* What the application asks for counts, except where it asks for less than a verification. */
static bool inherit(X509_VERIFY_PARAM *param, X509_STORE_CTX *app)
{
    /* Names are matched by name.c, which keeps the finding beside those of the path. */
    return X509_VERIFY_PARAM_set1(param, X509_STORE_CTX_get0_param(app)) &&
           X509_VERIFY_PARAM_clear_flags(param, WEAKENING) &&
           X509_VERIFY_PARAM_set1_host(param, NULL, 0) &&
           X509_VERIFY_PARAM_set1_email(param, NULL, 0) &&
           X509_VERIFY_PARAM_set1_ip(param, NULL, 0);
}

/* The rule's own, or the strictest of the connection's and PARAM's, which the application set. */
static int security_level(const struct tg_evaluation *evaluation, const X509_VERIFY_PARAM *param)
{
    const struct tg_rule *rule = evaluation->rule;
    int level = evaluation->query->security_level, set = X509_VERIFY_PARAM_get_auth_level(param);

    if (rule->set & TG_KEY_BIT(TG_KEY_SECURITY_LEVEL))
        return (int)rule->security_level;
    if (level < 0)
        level = TG_DEFAULT_SECURITY_LEVEL;
    return set > level ? set : level;
}

static bool inherit_app(const struct tg_evaluation *evaluation, X509_VERIFY_PARAM *param)
{
    X509_STORE_CTX *app = tg_evaluation_app(evaluation);

    if (app != NULL)
        return inherit(param, app);
    /* Where the subject counts as a name (name.c), the CAs' constraints hold for it too. */
    X509_VERIFY_PARAM_set_hostflags(param, tg_query_host_flags(evaluation->query) &
                                               X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT);
    return true;
}

/* A rule that only adds a pin must not lose what the application checks. */
static bool set_flags(const struct tg_evaluation *evaluation, X509_VERIFY_PARAM *param)
{
    const struct tg_rule *rule = evaluation->rule;
    unsigned long flags =
        X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST | tg_crl_flags(rule);

    if (rule->strict)
        flags |= X509_V_FLAG_X509_STRICT;
    else if (rule->set & TG_KEY_BIT(TG_KEY_STRICT))
        X509_VERIFY_PARAM_clear_flags(param, X509_V_FLAG_X509_STRICT);
    if (rule->skip_dates)
        flags |= X509_V_FLAG_NO_CHECK_TIME;
    else
        X509_VERIFY_PARAM_set_time(param, evaluation->when);
    return X509_VERIFY_PARAM_set_flags(param, flags);
}

bool tg_param_set(const struct tg_evaluation *evaluation, X509_STORE_CTX *context)
{
    bool any = evaluation->rule->purpose == TG_PURPOSE_ANY;
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);

    if (!inherit_app(evaluation, param) || !set_flags(evaluation, param) ||
        !X509_VERIFY_PARAM_set_purpose(param, any ? X509_PURPOSE_ANY : X509_PURPOSE_SSL_SERVER) ||
        !X509_VERIFY_PARAM_set_trust(param, X509_TRUST_SSL_SERVER))
        return false;
    X509_VERIFY_PARAM_set_auth_level(param, security_level(evaluation, param));
    return true;
}
