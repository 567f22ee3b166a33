/* url.h - a server named by a URL (RFC 3986), as people paste it. */
#ifndef TG_URL_H
#define TG_URL_H

#include "text.h"
#include "trustgraft.h"

bool tg_url_is(const char *word);

/*
 * Appends to OUT the HOST:PORT of URL, whose scheme says the port if it doesn't, if TLS begins at
 * once there. False with a sentence in WHY: it doesn't, or the scheme isn't known.
 */
TG_MUST_USE bool tg_url_endpoint(const char *url, struct tg_buf *out, struct tg_buf *why);

#endif
