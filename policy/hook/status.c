#include "hook.h"

bool tg_status_wanted(const struct tg_rule *rule)
{
    return rule != NULL && (rule->revocation == TG_REVOCATION_STAPLE ||
                            rule->revocation == TG_REVOCATION_STAPLE_REQUIRED);
}

void tg_status_request(const struct tg_hooked *hooked, SSL *ssl, const struct tg_rule *rule)
{
    const struct tg_libssl *libssl = &hooked->libssl;

    if (tg_status_wanted(rule) && libssl->SSL_ctrl(ssl, SSL_CTRL_GET_TLSEXT_STATUS_REQ_TYPE, 0,
                                                   NULL) != TLSEXT_STATUSTYPE_ocsp)
        (void)libssl->SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE, TLSEXT_STATUSTYPE_ocsp,
                               NULL);
}

/* TLS 1.3 sends the staple with the certificate, TLS 1.2 in a message of its own behind it. */
void tg_status_read(const struct tg_hooked *hooked, SSL *ssl, struct tg_query *query)
{
    unsigned char *answer = NULL;
    long length =
        hooked->libssl.SSL_ctrl(ssl, SSL_CTRL_GET_TLSEXT_STATUS_REQ_OCSP_RESP, 0, (void *)&answer);

    query->tls_version = hooked->libssl.SSL_version(ssl);
    query->staple_pending = query->tls_version != TLS1_3_VERSION;
    if (answer == NULL || length <= 0)
        return;
    query->staple = answer;
    query->staple_length = (size_t)length;
}
