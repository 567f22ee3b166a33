/* diag.h - what is said about a policy's text: errors and warnings with their place. */
#ifndef TG_DIAG_H
#define TG_DIAG_H

#include "trustgraft.h"
#include <stdbool.h>
#include <stddef.h>

enum tg_severity { TG_ERROR, TG_WARNING };

struct tg_diag {
    enum tg_severity severity;
    char *file;
    unsigned line, column; /* from 1; 0 where a whole file is meant */
    char *text;            /* one sentence, no newline, no control characters */
    char *source;          /* the source line for a terminal: control characters escaped, tabs
                              expanded, what is far from the column cut off; NULL if none */
    unsigned caret;        /* characters of `source` before the one that column means */
};

/* What is kept of a list; beyond it errors are only counted. */
#define TG_DIAGS_KEPT 10000

/* A growing list. Zero-initialise it; `lost` tells that memory ran out for one: an error. */
struct tg_diags {
    struct tg_diag *diag;
    size_t count, capacity, errors; /* `errors` counts those beyond TG_DIAGS_KEPT too */
    bool lost;
};

/*
 * Appends one. SOURCE is the whole line, in which COLUMN lies or just behind it; or NULL. FILE,
 * SOURCE and what FORMAT's arguments hold may be hostile bytes: controls are escaped here. Never
 * fails visibly: see `lost`, which counts as an error.
 */
__attribute__((format(printf, 7, 8))) void tg_diag_add(struct tg_diags *diags,
                                                       enum tg_severity severity, const char *file,
                                                       unsigned line, unsigned column,
                                                       const char *source, const char *format, ...);

/* True if the list holds an error or lost one. */
TG_MUST_USE bool tg_diags_failed(const struct tg_diags *diags);

/* All of it as text, "FILE:LINE:COLUMN: error: text" + source line + caret each; malloc'd. */
TG_MUST_USE char *tg_diags_text(const struct tg_diags *diags);

/* One on one line, "FILE:LINE:COLUMN: SEVERITYtext", without the numbers where a whole file is
 * meant; malloc'd, NULL: no memory. */
TG_MUST_USE char *tg_diag_line(const struct tg_diag *diag, const char *severity);

/* The first error on one line, "FILE:LINE:COLUMN: text (and N more)"; malloc'd, NULL: no memory. */
TG_MUST_USE char *tg_diags_summary(const struct tg_diags *diags);

/*
 * Puts the diagnostics from number FIRST on in the order of their files, as RANK tells it (ARG
 * is handed to it), then of their lines and columns; what is equal stays as it is.
 */
void tg_diags_sort(struct tg_diags *diags, size_t first,
                   unsigned (*rank)(void *arg, const char *file), void *arg);

/* Frees what the list holds and empties it. */
void tg_diags_clear(struct tg_diags *diags);

#endif
