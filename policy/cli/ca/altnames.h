/* altnames.h - the subject alternative names of a certificate, and what a CA is for. */
#ifndef TG_ALTNAMES_H
#define TG_ALTNAMES_H

#include "match.h"
#include "text.h"
#include "trustgraft.h"
#include <openssl/x509v3.h>

/* Who a certificate is for: exact names, wildcards and addresses. Free `item`. */
struct tg_altnames {
    struct tg_pattern *item;
    size_t count;
};

/*
 * Reads COUNT WORDS as names of certificates (BLOCKS false), or as domains and blocks of
 * addresses that a CA is for. False after a complaint about the first that is wrong.
 */
TG_MUST_USE bool tg_altnames_read(struct tg_altnames *names, char *const *words, size_t count,
                                  bool blocks);

/*
 * Takes FROM, the names of a certificate or of a request for one; the same is asked of them. WHOSE
 * is what has them, for the complaint. False after it: also about a kind of name that isn't here.
 */
TG_MUST_USE bool tg_altnames_take(struct tg_altnames *names, const GENERAL_NAMES *from,
                                  const char *whose);

/* The first name of NAMES that isn't among ALLOWED; NULL: there is none. */
const struct tg_pattern *tg_altnames_beyond(const struct tg_altnames *names,
                                            const struct tg_altnames *allowed);

/* Says of each name that some clients wouldn't accept why. */
void tg_altnames_warn(const struct tg_altnames *names);

/* Appends them as they stand in a policy, with SEPARATOR between. */
void tg_altnames_text(struct tg_buf *out, const struct tg_altnames *names, const char *separator);

/* Appends them as openssl-x509v3_config(5) has them: "DNS:a.example,IP:10.0.0.1". */
void tg_altnames_san(struct tg_buf *out, const struct tg_altnames *names);

/* Appends the name constraints of a CA that speaks for ONLY and nothing else, spelled likewise. */
void tg_altnames_constraints(struct tg_buf *out, const struct tg_altnames *only);

#endif
