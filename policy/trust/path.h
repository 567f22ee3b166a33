/*
 * path.h - candidate certification paths, in an order that finds a good one soon.
 *
 * OpenSSL builds one path and gives up when it fails; where certificates were cross-signed or
 * issued again, another path may be good (RFC 4158). Candidates are found by name and key
 * identifier alone, no signature is checked here.
 */
#ifndef TG_PATH_H
#define TG_PATH_H

#include "sources.h"

/* What no chain, however hostile, makes us exceed in one evaluation. */
#define TG_PATH_MAX_SENT     64  /* certificates that a server may send */
#define TG_PATH_MAX_LENGTH   24  /* certificates on a path */
#define TG_PATH_MAX_STEPS    256 /* certificates tried as the next one on some path */
#define TG_PATH_MAX_CHECKED  160 /* certificates on all candidates together: signature checks */
#define TG_PATH_MAX_ATTEMPTS 32  /* candidates */

/* What a visitor, or a whole walk, comes to. */
enum tg_walk {
    TG_WALK_FAILED = -1, /* memory ran out: stop */
    TG_WALK_ON,          /* go on with the next candidate; at the end, none was good */
    TG_WALK_FOUND        /* stop at this one */
};

/*
 * PATH runs from the leaf to the anchor, or, where ANCHORED is false, as far as it could be
 * followed; it is the walker's.
 */
typedef enum tg_walk tg_path_visit(void *arg, const STACK_OF(X509) *path, bool anchored);

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
 * Visits each anchored candidate for LEAF until VISIT stops it or the budget is spent; if there
 * was none, the longest path without an anchor. Returns what VISIT last returned, or
 * TG_WALK_FAILED. Fills *END; the caller frees what it refers to.
 */
TG_MUST_USE enum tg_walk tg_path_walk(const struct tg_sources *sources, X509 *leaf,
                                      tg_path_visit *visit, void *arg, struct tg_path_end *end);

#endif
