/* write.h - how names, times, digests and endpoints are written for people and in JSON. */
#ifndef TG_WRITE_H
#define TG_WRITE_H

#include "text.h"
#include <openssl/x509.h>
#include <time.h>

/* More of a subject than this many bytes is cut off, with "..." in its place. */
#define TG_WRITE_NAME_MAX 512

/*
 * Appends NAME as "CN=www.example.com, O=Example": in its own order, UTF-8, separators
 * and whatever a terminal could act upon escaped as RFC 4514 does (\0A). Nothing for an empty
 * name. Leaves OpenSSL's error queue as it was.
 */
void tg_write_name(struct tg_buf *buf, const X509_NAME *name);

/* Appends WHEN as RFC 3339 in UTC, "2026-11-21T20:40:00Z"; "?" if it can't be written so. */
void tg_write_time(struct tg_buf *buf, time_t when);
/* Appends WHEN as tg_write_time does, as a string of JSON; null for 0. */
void tg_write_time_json(struct tg_buf *buf, time_t when);
/* Appends WHEN as tg_write_time does; "?" for NULL and what is malformed. */
void tg_write_asn1_time(struct tg_buf *buf, const ASN1_TIME *when);

/* Appends "sha256:HEX" of CERTIFICATE, or the "sha256/BASE64" pin of its key. */
void tg_write_fingerprint(struct tg_buf *buf, const X509 *certificate);
void tg_write_pin(struct tg_buf *buf, const X509 *certificate);

/* Appends "HOST:PORT", "[2001:db8::1]:PORT", without the port where it is 0; escaped. */
void tg_write_endpoint(struct tg_buf *buf, const char *host, unsigned port);

#endif
