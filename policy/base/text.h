/*
 * text.h - a growing buffer that fails once and for all, UTF-8, and how text of a hostile origin is
 * written so that neither a terminal nor a reader of JSON acts on it.
 */
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

/* What text is made of, for who writes or judges it. */
enum tg_piece_kind {
    TG_PIECE_PLAIN,  /* a run of ASCII that no writer escapes */
    TG_PIECE_SAFE,   /* another character that a terminal only shows: quotes and backslashes too */
    TG_PIECE_UNSAFE, /* a character of tg_utf8_unsafe */
    TG_PIECE_BROKEN  /* a byte that is no UTF-8 */
};
struct tg_piece {
    enum tg_piece_kind kind;
    const char *text;
    size_t length;
    uint32_t code; /* the character; of a run, the first; undefined for TG_PIECE_BROKEN */
};

/* The piece that TEXT begins with, of which LENGTH > 0 bytes can be read. */
struct tg_piece tg_utf8_next(const char *text, size_t length);

/*
 * True if the LENGTH bytes at TEXT show as what they are: UTF-8 without unsafe characters, but for
 * tabs. *BAD is the first piece that isn't, otherwise.
 */
TG_MUST_USE bool tg_utf8_clean(const char *text, size_t length, struct tg_piece *bad);

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
void tg_buf_number(struct tg_buf *buf, long number);
/* As much is to come, so that it needn't grow by and by. */
void tg_buf_expect(struct tg_buf *buf, size_t size);
/* Bytes of a hostile origin: controls, invalid UTF-8, DEL and backslashes as \xHH. */
void tg_buf_escape(struct tg_buf *buf, const char *text, size_t length);
/* A JSON string with its quotes; invalid UTF-8 becomes U+FFFD. NULL becomes null. */
void tg_buf_json(struct tg_buf *buf, const char *text);
/* Hands the text over (free() it), or NULL if `failed`; the buffer is empty again. */
TG_MUST_USE char *tg_buf_take(struct tg_buf *buf);
void tg_buf_free(struct tg_buf *buf);

#endif
