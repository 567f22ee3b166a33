/* lines.h - where the lines of the log come from: a file, which may be rotated and grow, and the
 * journal of systemd, as journalctl(1) tells it. */
#ifndef TG_LINES_H
#define TG_LINES_H

#include "trustgraft.h"
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* Called with each whole line, without its line feed; it may be changed, and stays until the next.
 */
typedef void tg_lines_take(void *arg, char *line);

/* Zero-initialise but for PATH; close. */
struct tg_lines {
    const char *path; /* NULL: the journal */
    FILE *from;
    dev_t device;
    ino_t inode;
    char *line; /* as far as it has come */
    size_t length, room;
    pid_t journalctl; /* 0: none runs */
};

/* Opens it; false with *WHY, a sentence, where that can't be done. A file is read from its last 64
 * MiB on. FOLLOWING: of the journal only what is yet to come. */
TG_MUST_USE bool tg_lines_open(struct tg_lines *lines, bool following, const char **why);

/* Takes what has come by now; of the journal, that isn't followed, until its end. */
void tg_lines_read(struct tg_lines *lines, tg_lines_take *take, void *arg);

/* The same later, also where another file has taken the place of the first. */
void tg_lines_more(struct tg_lines *lines, tg_lines_take *take, void *arg);

void tg_lines_close(struct tg_lines *lines);

/* True if there is a journalctl(1) to be asked. */
bool tg_lines_has_journal(void);

#endif
