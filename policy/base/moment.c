#include "moment.h"

bool tg_moment_read(const ASN1_TIME *time, time_t *out)
{
    struct tm tm;

    if (!ASN1_TIME_to_tm(time, &tm))
        return false;
    *out = timegm(&tm);
    return true;
}
