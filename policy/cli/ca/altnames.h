/* altnames.h - the subject alternative names of a certificate, and what a CA is for. */
#ifndef TG_ALTNAMES_H
#define TG_ALTNAMES_H

#include "match.h"
#include "text.h"
#include "trustgraft.h"

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

/* Appends them as they stand in a policy, with SEPARATOR between. */
void tg_altnames_text(struct tg_buf *out, const struct tg_altnames *names, const char *separator);

/* Appends them as openssl-x509v3_config(5) has them: "DNS:a.example,IP:10.0.0.1". */
void tg_altnames_san(struct tg_buf *out, const struct tg_altnames *names);

/* Appends the name constraints of a CA that speaks for ONLY and nothing else, spelled likewise. */
void tg_altnames_constraints(struct tg_buf *out, const struct tg_altnames *only);

#endif
