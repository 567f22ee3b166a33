#include "validity.h"
#include "moment.h"

static void narrow(struct tg_verdict *verdict, time_t until)
{
    if (until != 0 && (verdict->valid_until == 0 || until < verdict->valid_until))
        verdict->valid_until = until;
}

/* A new CRL may say otherwise: until the first of the rule's begins or ends. */
static void narrow_to_crls(struct tg_verdict *verdict, const struct tg_evaluation *evaluation)
{
    const struct tg_moments *moments = evaluation->rule->crl_moments;
    size_t first = 0, end = moments != NULL ? moments->count : 0;

    while (first < end) {
        size_t middle = first + (end - first) / 2;

        if (moments->moment[middle] > evaluation->now)
            end = middle;
        else
            first = middle + 1;
    }
    if (moments != NULL && first < moments->count)
        narrow(verdict, moments->moment[first]);
}

/* False for a certificate that isn't valid now: its dates were forgiven, or are odd. */
static bool narrow_to_certificate(struct tg_verdict *verdict, const X509 *certificate, time_t now)
{
    time_t from, until;

    if (!tg_moment_read(X509_get0_notBefore(certificate), &from) ||
        !tg_moment_read(X509_get0_notAfter(certificate), &until) || from > now || until <= now)
        return false;
    narrow(verdict, until);
    if (from > verdict->valid_from)
        verdict->valid_from = from;
    return true;
}

void tg_validity_set(struct tg_verdict *verdict, const struct tg_evaluation *evaluation,
                     bool trusted)
{
    const struct tg_rule *rule = evaluation->rule;

    if (evaluation->pins_enforced)
        narrow(verdict, rule->pins_expire);
    if (verdict->finding_count > 0)
        narrow(verdict, evaluation->forgiven_until);
    narrow(verdict, evaluation->staple_until);
    narrow_to_crls(verdict, evaluation);
    if (trusted || rule->verify_time != 0 || rule->skip_dates)
        return;
    for (int i = 0; i < sk_X509_num(verdict->path); i++)
        if (!narrow_to_certificate(verdict, sk_X509_value(verdict->path, i), evaluation->now)) {
            verdict->valid_until = 1; /* long ago: not to be remembered */
            return;
        }
}

bool tg_validity_holds(const struct tg_verdict *verdict, time_t now)
{
    return now >= verdict->valid_from && (verdict->valid_until == 0 || now < verdict->valid_until);
}
