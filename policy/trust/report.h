/* report.h - how certificates, times and rules are written in a verdict's text and JSON. */
#ifndef TG_REPORT_H
#define TG_REPORT_H

#include "text.h"
#include "verdict.h"

/* Appends {"subject","issuer","not_before","not_after","sha256","spki"} of CERTIFICATE. */
void tg_report_certificate_json(struct tg_buf *buf, const X509 *certificate);

/* Appends {"file","line","pattern"}, or null where RULE is NULL or stands in no file. */
void tg_report_rule_json(struct tg_buf *buf, const struct tg_rule *rule, const char *pattern);

/* Appends the array of VERDICT's path: subject, issuer, dates and digests of each certificate. */
void tg_report_path_json(struct tg_buf *buf, const struct tg_verdict *verdict);

/* Appends `,"host":...,"port":...`, null for what is unknown. */
void tg_report_endpoint_json(struct tg_buf *buf, const char *host, unsigned port);

/* The sentence of FINDING: its own, or what its kind means. */
const char *tg_report_finding(const struct tg_finding *finding);

#endif
