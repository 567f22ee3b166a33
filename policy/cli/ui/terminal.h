/* terminal.h - standard output and error: colour, complaints, and whether it was all written. */
#ifndef TG_TERMINAL_H
#define TG_TERMINAL_H

#include "text.h"
#include "trustgraft.h"
#include <stdio.h>

enum tg_colour { TG_PLAIN, TG_GOOD, TG_BAD, TG_WARN, TG_FAINT, TG_STRONG };

/* Flushes standard output. STATUS, or TG_EXIT_USAGE after a complaint if it wasn't all written. */
int tg_terminal_close(int status);

/* The escape sequence for COLOUR, or "" where TO is no terminal or NO_COLOR is set. */
const char *tg_terminal_colour(FILE *to, enum tg_colour colour);

/* The columns of the terminal TO; 0 where it is none, or doesn't say. */
unsigned tg_terminal_width(FILE *to);

/* True if TO is a terminal on which a line can be drawn again. */
bool tg_terminal_draws(FILE *to);

/*
 * Appends TEXT, which begins at the column FROM, broken between words where the terminal TO is too
 * narrow for it; what is wrapped is indented to COLUMN. Not broken where TO is no terminal, nor in
 * a word: what is longer than a line can still be copied from the terminal as one.
 */
void tg_terminal_wrap(struct tg_buf *buf, FILE *to, size_t from, size_t column, const char *text);

/* True if beside COLUMN the terminal TO has no room for text; false where it is none. */
bool tg_terminal_narrow(FILE *to, size_t column);

/* What a branch of a tree begins with, three columns: drawn on a terminal that takes UTF-8. */
const char *tg_terminal_branch(FILE *to);

/* "trustgraft: " and the sentence on standard error, control characters escaped. */
__attribute__((format(printf, 1, 2))) void tg_complain(const char *format, ...);

/* The sentence in WHY, or where it couldn't be written that memory ran out. Lives as long as WHY.
 */
const char *tg_why(const struct tg_buf *why);

/* Complains of WHAT, a path or a server, with the sentence in WHY: "WHAT: WHY". */
void tg_complain_of(const char *what, const struct tg_buf *why);

/* Asks QUESTION on the terminal; true only for an answer that begins with y. */
TG_MUST_USE bool tg_terminal_ask(const char *question);

/* Writes BUF and frees it; complains where memory ran out for it. False after that complaint. */
TG_MUST_USE bool tg_terminal_write(FILE *to, struct tg_buf *buf);

#endif
