/*
 * findings.h - a growing list of findings, as one evaluation gathers them. One that can't be kept
 * for lack of memory is never lost silently: the list has failed then.
 */
#ifndef TG_FINDINGS_H
#define TG_FINDINGS_H

#include "finding.h"
#include "text.h"

/* Zero-initialise. `failed` is sticky: memory ran out, so the list isn't complete. */
struct tg_findings {
    struct tg_finding *item;
    size_t count, capacity;
    size_t reported; /* how many were added, those that were there already among them */
    bool failed;
};

/*
 * Appends one, or nothing where the list has one of this kind and depth. TEXT is taken over:
 * its buffer is empty afterwards; an empty one stands for the kind's sentence. X509_ERROR 0
 * stands for the kind's code.
 */
void tg_findings_add(struct tg_findings *list, enum tg_finding_kind kind, int depth, int x509_error,
                     struct tg_buf *text);

/* Appends what libcrypto reports about CERTIFICATE (NULL: none) with X509_ERROR at DEPTH. */
void tg_findings_add_x509(struct tg_findings *list, int x509_error, int depth, X509 *certificate);

/* Appends which certificate is meant: "the certificate", or 'the CA certificate "CN=..."'. */
void tg_findings_who(struct tg_buf *text, int depth, const X509 *certificate);

/* Appends TEXT to the text of the finding of KIND at DEPTH, if there is one. */
void tg_findings_extend(struct tg_findings *list, enum tg_finding_kind kind, int depth,
                        const char *text);

/* Bit (1 << kind) of each kind in the list. */
uint64_t tg_findings_kinds(const struct tg_findings *list);

/* The worst result in the list, TG_RESULT_UNSPECIFIED if it is empty. */
tg_result tg_findings_result(const struct tg_findings *list);

/* The X509_V_ERR_* of the first finding of the worst result; X509_V_OK if the list is empty. */
int tg_findings_x509(const struct tg_findings *list);

/* For comparing lists: the worse the result, then the more findings, the larger. */
unsigned tg_findings_badness(const struct tg_findings *list);

/* Orders by depth, keeping the order within one. */
void tg_findings_sort(struct tg_findings *list);

void tg_findings_clear(struct tg_findings *list);

#endif
