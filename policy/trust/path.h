/*
 * path.h - candidate certification paths, in an order that finds a good one soon.
 *
 * OpenSSL builds one path and gives up when it fails; where certificates were cross-signed or
 * issued again, another path may be good (RFC 4158). Candidates are found by name and key
 * identifier alone, no signature is checked here.
 */
#ifndef TG_PATH_H
#define TG_PATH_H

#include "trustgraft.h"
#include <stdbool.h>

/* What no chain, however hostile, makes us exceed in one evaluation. */
#define TG_PATH_MAX_SENT     64  /* certificates that a server may send */
#define TG_PATH_MAX_LENGTH   24  /* certificates on a path */
#define TG_PATH_MAX_STEPS    256 /* certificates tried as the next one on some path */
#define TG_PATH_MAX_CHECKED  160 /* certificates on all candidates together: signature checks */
#define TG_PATH_MAX_ATTEMPTS 32  /* candidates */

/* Where certificates come from. Everything is borrowed, everything may be NULL. */
struct tg_path_sources {
    const STACK_OF(X509) *anchors; /* any certificate here ends a path */
    X509_STORE_CTX *system;        /* so does any that this finds */
    X509_STORE_CTX *app;           /* here a certificate ends a path if it is self-signed, or */
    bool app_partial;              /* any does: X509_V_FLAG_PARTIAL_CHAIN */
    const STACK_OF(X509) *sent;
    const STACK_OF(X509) *intermediates;
    time_t when; /* candidates valid at this time come first */
};

/*
 * PATH runs from the leaf to the anchor, or, where ANCHORED is false, as far as it could be
 * followed; it is the walker's. Returns 1 to stop (found), 0 to go on, -1 to stop (failed).
 */
typedef int tg_path_visit(void *arg, const STACK_OF(X509) *path, bool anchored);

/* How a walk ended, for those who found no good path. */
struct tg_path_end {
    bool spent;         /* candidates were left untried, the budget was used up */
    X509 *unfit;        /* an issuer by name that may not sign certificates (RFC 5280 section
                           4.2.1.3), so that no path leads over it; a reference, NULL: none */
    int unfit_depth;    /* where on a path it would stand */
    X509 *rejected;     /* an issuer that a trusted source rejects for TLS servers; a reference, */
    int rejected_depth; /* NULL: none */
};

/*
 * Visits each anchored candidate for LEAF until VISIT stops it or the budget is spent; if
 * there was none, the longest path without an anchor. Returns what VISIT last returned, or -1
 * when memory ran out. Fills *END; the caller frees what it refers to.
 */
int tg_path_walk(const struct tg_path_sources *sources, X509 *leaf, tg_path_visit *visit, void *arg,
                 struct tg_path_end *end);

/*
 * True if a certificate is there that has the name of END's issuer, and isn't taken for it because
 * END's authority key identifier asks for another (RFC 5280 section 4.2.1.1): for another key,
 * where *KEY is true, or another issuer and serial number.
 */
bool tg_path_misfit(const struct tg_path_sources *sources, X509 *end, bool *key);

#endif
