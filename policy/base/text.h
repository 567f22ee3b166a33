/* text.h - a growing buffer, and what text of a hostile origin looks like in it. */
#ifndef TG_TEXT_H
#define TG_TEXT_H

#include "trustgraft.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The length in bytes of the UTF-8 character at TEXT, of which LENGTH > 0 bytes can be read,
 * with its value in *CODE; 0 if it isn't valid (overlong, surrogate, cut off, above U+10FFFF).
 */
size_t tg_utf8_decode(const char *text, size_t length, uint32_t *code);
/* True if CODE moves the cursor or reorders text on a terminal: controls, line separators,
 * and the bidirectional formatting characters. */
bool tg_utf8_unsafe(uint32_t code);

/* How many of the LENGTH bytes at TEXT, from the first, are ASCII that no writer escapes. */
size_t tg_utf8_plain(const char *text, size_t length);

/*
 * Zero-initialise; append; check `failed` once at the end (it is sticky). Text is always
 * NUL-terminated once something was appended.
 */
struct tg_buf {
    char *text;
    size_t length, capacity;
    bool failed;
};
void tg_buf_add(struct tg_buf *buf, const char *text);
void tg_buf_addn(struct tg_buf *buf, const char *text, size_t length);
__attribute__((format(printf, 2, 3))) void tg_buf_printf(struct tg_buf *buf, const char *format,
                                                         ...);
__attribute__((format(printf, 2, 0))) void tg_buf_vprintf(struct tg_buf *buf, const char *format,
                                                          va_list args);
/* Bytes of a hostile origin: controls, invalid UTF-8, DEL and backslashes as \xHH. */
void tg_buf_escape(struct tg_buf *buf, const char *text, size_t length);
/* A JSON string with its quotes; invalid UTF-8 becomes U+FFFD. NULL becomes null. */
void tg_buf_json(struct tg_buf *buf, const char *text);
/* Hands the text over (free() it), or NULL if `failed`; the buffer is empty again. */
TG_MUST_USE char *tg_buf_take(struct tg_buf *buf);
void tg_buf_free(struct tg_buf *buf);

#endif
