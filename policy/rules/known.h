/*
 * known.h - known-hosts files: lines of HOST[:PORT] PIN[,PIN...] [# comment], kept so that a
 * host among a million is found with two look-ups.
 */
#ifndef TG_KNOWN_H
#define TG_KNOWN_H

#include "diag.h"
#include "host.h"
#include "knownentry.h"
#include "rule.h"

#define TG_KNOWN_LINE_MAX 4096         /* bytes of a line */
#define TG_KNOWN_FILE_MAX (256u << 20) /* bytes of a file: more than a million lines */

/* A line. */
struct tg_known_line {
    char host[TG_HOST_SIZE]; /* canonical (tg_host_canonical); "": the line is empty or a comment */
    unsigned port;           /* 0: none, so any */
    size_t count;
    uint8_t pins[TG_KNOWN_PINS_MAX][TG_SHA256_SIZE];
};

/*
 * Reads TEXT, LENGTH bytes without a newline. NULL and *OUT, or a sentence, static or ARENA's,
 * with *COLUMN the offset of the byte meant.
 */
TG_MUST_USE const char *tg_known_parse(struct tg_arena *arena, const char *text, size_t length,
                                       struct tg_known_line *out, size_t *column);

struct tg_known;

/*
 * Reads the file PATH, whole, with the checks of tg_file_read. NULL after errors were added to
 * DIAGS. The caller frees it.
 */
TG_MUST_USE struct tg_known *tg_known_load(const char *path, struct tg_diags *diags);
/*
 * tg_known_load for LENGTH bytes of TEXT, which ends in a NUL behind them and is written to, as if
 * they stood in the file PATH.
 */
TG_MUST_USE struct tg_known *tg_known_read(const char *path, char *text, size_t length,
                                           struct tg_diags *diags);
void tg_known_free(struct tg_known *known); /* NULL is fine */

/*
 * tg_known_load, or its image if it has one that counts: then lines are read when they are asked
 * for. *NOTE is malloc'd: why an image that is there wasn't used; NULL: it was, or there is none.
 * Where the file can't be read either, DIAGS has both.
 */
TG_MUST_USE struct tg_known *tg_known_open(const char *path, struct tg_diags *diags, char **note);

/* True if what ENTRY stands for can't be told: the image is damaged, or memory ran out. */
TG_MUST_USE bool tg_known_damaged(const struct tg_known_entry *entry);

/* Frees what FILES, a policy's list, hold. */
void tg_known_files_free(struct tg_known_file *files);

/* The lines for exactly HOST (canonical) and PORT (0: those without one), or NULL. */
const struct tg_known_entry *tg_known_find(const struct tg_known *known, const char *host,
                                           unsigned port);

/* True if PIN is one of ENTRY's or of the lines behind it. NULL has none. */
TG_MUST_USE bool tg_known_has(const struct tg_known_entry *entry,
                              const uint8_t pin[TG_SHA256_SIZE]);

#endif
