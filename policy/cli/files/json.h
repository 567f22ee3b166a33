/*
 * json.h - what stands in a text of JSON (RFC 8259), read where it stands: a value is a pointer to
 * its first byte, and lives as long as the text. Only of what tg_json_is() holds is anything
 * promised but that nothing behind the text's end is read.
 */
#ifndef TG_JSON_H
#define TG_JSON_H

#include "text.h"

/* True if TEXT is one object of JSON, of values that aren't nested deeper than nine. */
TG_MUST_USE bool tg_json_is(const char *text);

/* The value of the member NAME of the object, or of the first one that has it in the list, that
 * TEXT begins with; NULL: there is none. */
const char *tg_json_member(const char *text, const char *name);

/* The element behind the one that LIST, or the last returned value, stands at; from LIST itself the
 * first. NULL: there is none. */
const char *tg_json_next(const char *list);

/* The first member of the object that OBJECT begins with, and the one behind the member whose value
 * VALUE is: its value, and in NAME, which is emptied before, its name. NULL: there is none, or no
 * memory for the name. */
const char *tg_json_first(const char *object, struct tg_buf *name);
const char *tg_json_after(const char *value, struct tg_buf *name);

/* Appends the string that VALUE (may be NULL) begins with; false if it is none. */
bool tg_json_string(const char *value, struct tg_buf *out);

/* The whole number there, from 0 to MOST; 0 where there is none. */
unsigned long tg_json_number(const char *value, unsigned long most);

#endif
