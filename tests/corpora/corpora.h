/*
 * corpora.h - what the parts of the corpora's evaluator share.
 *
 *   evaluate.c   the loop over the cases on standard input
 *   blobs.c      certificates and CRLs by their id
 *   question.c   a line of text into a case
 *   openssl.c    libcrypto's own verdict, and the proof of a path
 *   engine.c     the engine's verdict on the case as an anchors-only rule
 */
#ifndef CORPORA_H
#define CORPORA_H

#include "verdict.h"

/* One case. Its certificates and CRLs are the blobs', its strings the line's. */
struct question {
    const char *name; /* "pkits/4.1.1-..." */
    X509 *leaf;       /* NULL: it does not parse */
    STACK_OF(X509) *trusted, *untrusted;
    STACK_OF(X509_CRL) *crls;
    const char *host, *ip; /* one of them, or neither: no name is checked */
    time_t time;           /* 0: now */
    bool any_purpose;      /* else serverAuth */
    int level;
    unsigned long flags; /* X509_V_FLAG_* that the case asks for */
};

/* Ends the program with a sentence: a test that can't go on has failed. */
__attribute__((noreturn)) void corpora_fail(const char *sentence);
/* The same, unless FINE. */
void corpora_demand(bool fine, const char *sentence);

/* The blob of the line "KIND ID BASE64"; what does not parse is left out. */
void corpora_add_blob(char *line);
X509 *corpora_certificate(const char *id); /* NULL: none that parses */
X509_CRL *corpora_crl(const char *id);
void corpora_free_blobs(void);

/* Reads "NAME<tab>KEY=VALUE..."; the stacks are the caller's to free with question_clear. */
void question_read(char *line, struct question *out);
void question_clear(struct question *question);

/* X509_verify_cert's code for the case, with X509_V_FLAG_PARTIAL_CHAIN; 0 where it accepts. */
int openssl_verdict(const struct question *question);

/*
 * X509_verify_cert's code where it is given PATH, leaf first, and no other certificate: its last
 * one is the only anchor. A missing CRL of that anchor is no error, as it is none to the engine.
 * X509_V_ERR_CERT_REJECTED where that anchor is none of the case's, or where one of the case's
 * trusted certificates stands on the path and carries a reject setting (x509(1), -addreject).
 */
int openssl_proof(const struct question *question, const STACK_OF(X509) *path);

/* The engine's verdict; NULL without memory. The caller frees it. */
struct tg_verdict *engine_verdict(const struct question *question);

#endif
