/* facts.h - what a server's certificate is, and what of its path and rule ends soon. */
#ifndef TG_FACTS_H
#define TG_FACTS_H

#include "question.h"
#include "text.h"
#include "verdict.h"
#include <time.h>

/* Something that ends: a certificate, a CRL, pins, an exception. */
struct tg_ending {
    time_t when;
    char *what; /* "the certificate CN=a.example", escaped */
};

/* Zero: nothing is known. Strings are escaped; NULL where memory ran out. */
struct tg_facts {
    char *subject, *names, *key; /* "CN=a.example", "a.example, b.example", "EC P-256" */
    time_t not_after;            /* of the server's own certificate */
    struct tg_ending *endings;   /* the soonest first */
    size_t ending_count;
};

/*
 * Fills OUT from VERDICT's path, whose leaf is the server's; the endings are those before UNTIL,
 * also of the rule's CRLs and pins and of the exceptions that apply to the leaf.
 */
void tg_facts_take(struct tg_facts *out, const struct tg_question *question,
                   const struct tg_verdict *verdict, time_t until);

void tg_facts_clear(struct tg_facts *facts);

/* Whole days from NOW to WHEN, rounded down; negative when that has passed. */
long tg_facts_days(time_t when, time_t now);

/* Appends `,"key":...,"names":[...],"days_left":N` of the server's own certificate LEAF. */
void tg_facts_json(struct tg_buf *out, const X509 *leaf, time_t now);

#endif
