#include "query.h"

X509_VERIFY_PARAM *tg_query_param(const struct tg_query *query)
{
    return query->app != NULL ? X509_STORE_CTX_get0_param(query->app) : NULL;
}

unsigned tg_query_host_flags(const struct tg_query *query)
{
    const X509_VERIFY_PARAM *param = tg_query_param(query);

    return param != NULL ? X509_VERIFY_PARAM_get_hostflags(param) : 0;
}

bool tg_query_verify_time(const struct tg_query *query, time_t *when)
{
    X509_VERIFY_PARAM *param = tg_query_param(query);

    if (param == NULL || !(X509_VERIFY_PARAM_get_flags(param) & X509_V_FLAG_USE_CHECK_TIME))
        return false;
    *when = X509_VERIFY_PARAM_get_time(param);
    return true;
}
