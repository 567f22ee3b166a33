#include "settings.h"
#include <openssl/params.h>

void tg_settings_read(const struct tg_provider *provider, struct tg_settings *settings)
{
    char *policy = NULL;
    OSSL_PARAM request[] = {
        OSSL_PARAM_construct_utf8_ptr("policy", &policy, 0),
        OSSL_PARAM_construct_end(),
    };

    *settings = (struct tg_settings){.policy = NULL};
    if (provider->get_params == NULL || !provider->get_params(provider->core, request)) {
        settings->problem = "the provider's settings in openssl.cnf can't be read";
        return;
    }
    if (policy == NULL)
        return;
    if (policy[0] != '/') {
        settings->problem = "the provider's setting `policy` in openssl.cnf must be an absolute "
                            "path: the working directory never decides";
        return;
    }
    settings->policy = policy;
}
