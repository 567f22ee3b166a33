/* report.h - how certificates, times and rules are written in a verdict's text and JSON. */
#ifndef TG_REPORT_H
#define TG_REPORT_H

#include "mem.h"
#include "verdict.h"

/* More of a subject than this many bytes is cut off, with "..." in its place. */
#define TG_REPORT_NAME_MAX 512

/*
 * Appends NAME as "CN=www.example.com, O=Example": in its own order, UTF-8, separators
 * and whatever a terminal could act upon escaped as RFC 4514 does (\0A). Nothing for an empty
 * name. Leaves OpenSSL's error queue as it was.
 */
void tg_report_name(struct tg_buf *buf, const X509_NAME *name);

/* Appends WHEN as RFC 3339 in UTC, "2026-11-21T20:40:00Z"; "?" if it can't be written so. */
void tg_report_time(struct tg_buf *buf, time_t when);
/* The same as a string of JSON; null for 0. */
void tg_report_time_json(struct tg_buf *buf, time_t when);
void tg_report_asn1_time(struct tg_buf *buf, const ASN1_TIME *when);

/* Appends "sha256:HEX" of CERTIFICATE, or the "sha256/BASE64" pin of its key. */
void tg_report_fingerprint(struct tg_buf *buf, const X509 *certificate);
void tg_report_pin(struct tg_buf *buf, const X509 *certificate);

/* Appends {"subject","issuer","not_before","not_after","sha256","spki"} of CERTIFICATE. */
void tg_report_certificate_json(struct tg_buf *buf, const X509 *certificate);

/* Appends "HOST:PORT", "[2001:db8::1]:PORT", without the port where it is 0; escaped. */
void tg_report_endpoint(struct tg_buf *buf, const char *host, unsigned port);

/* Appends {"file","line","pattern"}, or null where RULE is NULL or stands in no file. */
void tg_report_rule_json(struct tg_buf *buf, const struct tg_rule *rule, const char *pattern);

/* Appends the array of VERDICT's path: subject, issuer, dates and digests of each certificate. */
void tg_report_path_json(struct tg_buf *buf, const struct tg_verdict *verdict);

/* Appends `,"host":...,"port":...`, null for what is unknown. */
void tg_report_endpoint_json(struct tg_buf *buf, const char *host, unsigned port);

/* The sentence of FINDING: its own, or what its kind means. */
const char *tg_report_finding(const struct tg_finding *finding);

#endif
