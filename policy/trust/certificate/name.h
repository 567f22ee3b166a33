/*
 * name.h - does a certificate name the host (RFC 6125, RFC 9525)? What can't be read, or not for
 * lack of memory, names nobody.
 */
#ifndef TG_NAME_H
#define TG_NAME_H

#include "policy.h"
#include "text.h"
#include <openssl/x509v3.h>

/* The names of a leaf, read once however many are looked for in them: they may be thousands. */
struct tg_leaf_names {
    X509 *leaf;
    GENERAL_NAMES *alternative;
    bool unreadable; /* it has alternative names, but they can't be read */
};

/* Fills NAMES, which borrow LEAF, until they are freed. */
void tg_leaf_names_read(struct tg_leaf_names *names, X509 *leaf);
void tg_leaf_names_free(struct tg_leaf_names *names);

/*
 * True if LEAF's subject alternative names, or its CN where it has no DNS name among them,
 * match HOST, a DNS name or IP literal in any spelling. FLAGS are the application's
 * X509_CHECK_FLAG_*; a wildcard is the whole first label, stands for one label of any letters, and
 * has two labels behind it.
 */
bool tg_name_matches(X509 *leaf, const char *host, unsigned flags);
bool tg_leaf_names_match(const struct tg_leaf_names *names, const char *host, unsigned flags);

/*
 * True if X509_check_host(3) finds HOST, a name that the application has it look for (".example"
 * too), in LEAF: without the dot at its end, which no certificate has.
 */
bool tg_name_matches_app(X509 *leaf, const char *host, unsigned flags);

/*
 * Where tg_name_matches or tg_name_matches_app says no to HOST: why what stands in LEAF doesn't
 * count, as a clause, static; or NULL where nothing there is like HOST.
 */
const char *tg_name_objection(X509 *leaf, const char *host, unsigned flags);

/* Appends the names that LEAF carries, escaped, at most a few: "a.example, 10.0.0.1". */
void tg_name_list(const X509 *leaf, struct tg_buf *out);

#endif
