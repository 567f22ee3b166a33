/* record.h - a line of the log becomes what it says: as text or JSON, with what syslog has put
 * before it. Whoever may write to the log may have written it. */
#ifndef TG_RECORD_H
#define TG_RECORD_H

#include "text.h"

/* Zero-initialise; clear. */
struct tg_record {
    struct tg_buf time, program, host, said; /* as the line has them; TIME may be empty */
    unsigned long pid, port;                 /* 0: unknown */
    bool accepted, reported;
    const char *json; /* the line's object, which is borrowed; NULL: it is text */
};

/* Reads LINE, without a line feed. False: it is no verdict, or memory ran out, and there is nothing
 * to clear. */
TG_MUST_USE bool tg_record_read(const char *line, struct tg_record *record);
void tg_record_clear(struct tg_record *record);

/* "accept", "reject", or "report" for a refusal that was only reported. */
const char *tg_record_verdict(const struct tg_record *record);

/* Appends RECORD as a line: as text, coloured for standard output, or as JSON. */
void tg_record_write(const struct tg_record *record, bool json, struct tg_buf *out);

#endif
