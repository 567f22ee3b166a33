/* issuers.h - the path of a server's certificate, completed by what its certificates refer to. */
#ifndef TG_ISSUERS_H
#define TG_ISSUERS_H

#include "download.h"
#include "question.h"
#include <openssl/x509v3.h>

#define TG_ISSUERS_MOST 10 /* certificates on a path; more is no server's */

/* How a certificate came to be on the path. */
enum tg_issuer_from { TG_FROM_SENT, TG_FROM_POLICY, TG_FROM_ANCHOR, TG_FROM_WEB };

/* Zero-initialise; tg_issuers_clear it. */
struct tg_issuers {
    struct tg_issuer {
        X509 *certificate; /* a reference */
        enum tg_issuer_from from;
        char *url; /* of TG_FROM_WEB */
    } path[TG_ISSUERS_MOST];
    int count;
    bool complete;   /* it ends at an anchor, or at a root */
    bool unreferred; /* its last certificate tells no address of its issuer's */
};

/*
 * Finds the path of PRESENTED's leaf: among what was sent, the intermediates and anchors of
 * QUESTION's rule (none where it has no policy) and its store, and else by the leaf's and its
 * issuers' references (RFC 5280 section 4.2.2.1). What is downloaded is on the path only if it is
 * a CA, is valid now and its key signed the certificate that refers to it.
 */
void tg_issuers_find(struct tg_issuers *issuers, const struct tg_question *question,
                     const struct tg_presented *presented, const struct tg_download *how);

void tg_issuers_clear(struct tg_issuers *issuers);

/* The http addresses of NAMES, up to COUNT, as copies in URL; how many. */
int tg_issuers_urls(const GENERAL_NAMES *names, char **url, int count);

#endif
