/* alike.h - whether two rules, of a policy's text and of its image, say the same. */
#ifndef TG_TEST_ALIKE_H
#define TG_TEST_ALIKE_H

#include "holding.h"
#include "policy.h"
#include <string.h>

static inline bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static inline bool same_words(const struct tg_words *a, const struct tg_words *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++)
        same = strcmp(a->word[i], b->word[i]) == 0;
    return same;
}

static inline bool same_digests(const struct tg_digests *a, const struct tg_digests *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->digest, b->digest, a->count * TG_SHA256_SIZE) == 0);
}

static inline bool same_certificates(const struct tg_holding *a, const struct tg_holding *b)
{
    bool same = (a == NULL) == (b == NULL) && tg_holding_count(a) == tg_holding_count(b);

    for (size_t i = 0; same && i < tg_holding_count(a); i++)
        same = X509_cmp(tg_holding_get(a, i), tg_holding_get(b, i)) == 0;
    return same;
}

static inline bool same_crls(const struct tg_rule *a, const struct tg_rule *b)
{
    bool same = (a->crls == NULL) == (b->crls == NULL) &&
                sk_X509_CRL_num(a->crls) == sk_X509_CRL_num(b->crls);

    for (int i = 0; same && i < sk_X509_CRL_num(a->crls); i++)
        same = X509_CRL_match(sk_X509_CRL_value(a->crls, i), sk_X509_CRL_value(b->crls, i)) == 0;
    return same &&
           (a->crl_moments == NULL || (a->crl_moments->count == b->crl_moments->count &&
                                       memcmp(a->crl_moments->moment, b->crl_moments->moment,
                                              a->crl_moments->count * sizeof(time_t)) == 0));
}

static inline bool same_rule(const struct tg_rule *a, const struct tg_rule *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return same_text(a->where.file, b->where.file) && a->where.line == b->where.line &&
           a->where.column == b->where.column && same_words(&a->patterns, &b->patterns) &&
           a->set == b->set && same_text(a->profile, b->profile) &&
           same_words(&a->programs, &b->programs) && same_words(&a->realpaths, &b->realpaths) &&
           a->action == b->action && a->mode == b->mode &&
           same_certificates(a->anchors, b->anchors) && a->anchors_system == b->anchors_system &&
           a->anchors_only == b->anchors_only &&
           same_certificates(a->intermediates, b->intermediates) &&
           same_words(&a->hostnames, &b->hostnames) && a->skip_hostname == b->skip_hostname &&
           same_digests(&a->trusted_leaves, &b->trusted_leaves) &&
           same_digests(&a->leaf_pins, &b->leaf_pins) && same_digests(&a->ca_pins, &b->ca_pins) &&
           same_digests(&a->path_pins, &b->path_pins) &&
           same_text(a->known_hosts ? a->known_hosts->path : NULL,
                     b->known_hosts ? b->known_hosts->path : NULL) &&
           a->pins_expire == b->pins_expire && a->verify_time == b->verify_time &&
           a->skip_dates == b->skip_dates && a->purpose == b->purpose && a->strict == b->strict &&
           a->revocation == b->revocation && same_crls(a, b) && a->min_tls == b->min_tls &&
           a->min_rsa_bits == b->min_rsa_bits && a->security_level == b->security_level &&
           b->problem == NULL;
}

#endif
