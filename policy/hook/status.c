#include "status.h"
#include "query.h"

bool tg_status_wanted(const struct tg_rule *rule)
{
    return rule != NULL && (rule->revocation == TG_REVOCATION_STAPLE ||
                            rule->revocation == TG_REVOCATION_STAPLE_REQUIRED);
}

void tg_status_request(const struct tg_hooked *hooked, SSL *ssl, int (*answer)(SSL *, void *))
{
    hooked->library->backend->request_staple(hooked, ssl, answer);
}

void tg_status_read(const struct tg_hooked *hooked, SSL *ssl, struct tg_query *query)
{
    const unsigned char *answer = NULL;
    size_t length = hooked->library->backend->staple(hooked, ssl, &answer);

    query->tls_version = hooked->libssl.SSL_version(ssl);
    query->staple_pending = hooked->library->backend->staple_is_late(hooked, ssl);
    if (answer == NULL || length == 0)
        return;
    query->staple = answer;
    query->staple_length = length;
}
