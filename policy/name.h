/* name.h - does a certificate name the host (RFC 6125, RFC 9525)? */
#ifndef TG_NAME_H
#define TG_NAME_H

#include "mem.h"
#include "policy.h"

/*
 * True if LEAF's subject alternative names, or its CN where it has no DNS name among them,
 * match HOST, a DNS name or IP literal. FLAGS are the application's X509_CHECK_FLAG_*; partial
 * wildcards ("w*.example") never match.
 */
bool tg_name_matches(X509 *leaf, const char *host, unsigned flags);

/* Appends the names that LEAF carries, escaped, at most a few: "a.example, 10.0.0.1". */
void tg_name_list(const X509 *leaf, struct tg_buf *out);

#endif
