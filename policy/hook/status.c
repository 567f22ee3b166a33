#include "status.h"

bool tg_status_wanted(const struct tg_rule *rule)
{
    return rule != NULL && (rule->revocation == TG_REVOCATION_STAPLE ||
                            rule->revocation == TG_REVOCATION_STAPLE_REQUIRED);
}

/* An application that looks at the staple itself keeps its callback. */
static void set_answer(const struct tg_hooked *hooked, SSL_CTX *context,
                       int (*answer)(SSL *, void *))
{
    const struct tg_libssl *libssl = &hooked->libssl;
    int (*theirs)(SSL *, void *) = NULL;

    (void)libssl->SSL_CTX_ctrl(context, SSL_CTRL_GET_TLSEXT_STATUS_REQ_CB, 0, (void *)&theirs);
    if (theirs != NULL)
        return;
    (void)libssl->SSL_CTX_ctrl(context, SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB_ARG, 0, (void *)hooked);
    (void)libssl->SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB,
                                        (void (*)(void))answer);
}

void tg_status_request(const struct tg_hooked *hooked, SSL *ssl, int (*answer)(SSL *, void *))
{
    const struct tg_libssl *libssl = &hooked->libssl;

    if (hooked->library->kind == TG_KIND_BORINGSSL) {
        libssl->SSL_enable_ocsp_stapling(ssl);
        return;
    }
    if (answer != NULL)
        set_answer(hooked, libssl->SSL_get_SSL_CTX(ssl), answer);
    if (libssl->SSL_ctrl(ssl, SSL_CTRL_GET_TLSEXT_STATUS_REQ_TYPE, 0, NULL) !=
        TLSEXT_STATUSTYPE_ocsp)
        (void)libssl->SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE, TLSEXT_STATUSTYPE_ocsp,
                               NULL);
}

/*
 * TLS 1.3 sends the staple with the certificate, TLS 1.2 in a message of its own behind it,
 * which BoringSSL reads before it verifies.
 */
void tg_status_read(const struct tg_hooked *hooked, SSL *ssl, struct tg_query *query)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    bool boring = hooked->library->kind == TG_KIND_BORINGSSL;
    const unsigned char *answer = NULL;
    size_t size = 0;
    long length = 0;

    query->tls_version = libssl->SSL_version(ssl);
    query->staple_pending = !boring && query->tls_version != TLS1_3_VERSION;
    if (boring)
        libssl->SSL_get0_ocsp_response(ssl, &answer, &size);
    else if ((length = libssl->SSL_ctrl(ssl, SSL_CTRL_GET_TLSEXT_STATUS_REQ_OCSP_RESP, 0,
                                        (void *)&answer)) > 0)
        size = (size_t)length;
    if (answer == NULL || size == 0)
        return;
    query->staple = answer;
    query->staple_length = size;
}
