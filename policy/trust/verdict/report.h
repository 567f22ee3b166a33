/*
 * report.h - a verdict as a line of text and as JSON, and the parts that other JSON shares.
 * Whatever a server or a policy wrote is escaped, so that it can neither forge a line nor steer a
 * terminal.
 */
#ifndef TG_REPORT_H
#define TG_REPORT_H

#include "text.h"
#include "verdict.h"

/* Whose connection the verdict is about, for its text and JSON. */
struct tg_occasion {
    time_t time;
    const char *program;
    long pid;
    const char *host; /* NULL: unknown */
    unsigned port;    /* 0: unknown */
};

/*
 * The log's text line ("curl[4711]: reject api.example.com:443 ... ") and the JSON object of
 * trustgraft(1), both without a newline, safe against control characters in certificates;
 * malloc'd, NULL: no memory.
 */
TG_MUST_USE char *tg_verdict_text(const struct tg_verdict *verdict,
                                  const struct tg_occasion *occasion);
TG_MUST_USE char *tg_verdict_json(const struct tg_verdict *verdict,
                                  const struct tg_occasion *occasion);
/*
 * The same in at most MOST bytes, 4000 or more: what doesn't fit is left out, first the path, then
 * findings and the ends of long texts, and "truncated" is true.
 */
TG_MUST_USE char *tg_verdict_json_within(const struct tg_verdict *verdict,
                                         const struct tg_occasion *occasion, size_t most);

/*
 * What a program's own message is to say of a refusal, "trustgraft: refused by FILE:LINE: ...": one
 * line of at most MOST bytes, 16 or more, without a percent sign; malloc'd, NULL: no memory.
 */
TG_MUST_USE char *tg_verdict_reason(const struct tg_verdict *verdict, size_t most);

/*
 * The same where there is hardly room, "trustgraft: leaf-pin-mismatch (FILE:LINE)": the worst
 * finding alone, and of a long FILE its end.
 */
TG_MUST_USE char *tg_verdict_brief(const struct tg_verdict *verdict, size_t most);

/* Appends the beginning of a verdict's JSON object, {"time","program","pid","host","port". */
void tg_report_occasion_json(struct tg_buf *buf, const struct tg_occasion *occasion);

/* Appends {"file","line","pattern"}, or null where RULE is NULL or stands in no file. */
void tg_report_rule_json(struct tg_buf *buf, const struct tg_rule *rule, const char *pattern);

/* Appends `,"host":...,"port":...`, null for what is unknown. */
void tg_report_endpoint_json(struct tg_buf *buf, const char *host, unsigned port);

/* The sentence of FINDING: its own, or what its kind means. */
const char *tg_report_finding(const struct tg_finding *finding);

#endif
