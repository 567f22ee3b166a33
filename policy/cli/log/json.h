/* json.h - the members of a line of JSON as trustgraft writes it (report.h), without a parser for
 * all that JSON may be. */
#ifndef TG_JSON_H
#define TG_JSON_H

#include "text.h"

/* True if TEXT is one object of JSON, of values that aren't nested deeper than trustgraft's are. */
TG_MUST_USE bool tg_json_is(const char *text);

/* The value of the member NAME of the object, or of the first one that has it in the list, that
 * TEXT begins with; NULL: there is none. */
const char *tg_json_member(const char *text, const char *name);

/* The element behind the one that LIST, or the last returned value, stands at; from LIST itself the
 * first. NULL: there is none. */
const char *tg_json_next(const char *list);

/* Appends the string that VALUE (may be NULL) begins with; false if it is none. */
bool tg_json_string(const char *value, struct tg_buf *out);

/* The whole number there, from 0 to MOST; 0 where there is none. */
unsigned long tg_json_number(const char *value, unsigned long most);

#endif
