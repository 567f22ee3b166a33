/* cutter.h - a policy's text, however long, section by section. */
#ifndef TG_CUTTER_H
#define TG_CUTTER_H

#include "text.h"
#include "trustgraft.h"
#include <stdio.h>
#include <sys/stat.h>

struct tg_cutter {
    FILE *in;
    char *line; /* that the next section begins with */
    size_t room;
    ssize_t length;  /* of that line; -1: the end */
    unsigned lines;  /* read so far */
    unsigned before; /* lines that stand before `text` */
    struct tg_buf text;
};

/* Opens PATH, which is to be the file of STATUS. False: errno, 0 where it isn't any more. */
TG_MUST_USE bool tg_cutter_begin(struct tg_cutter *cutter, const char *path,
                                 const struct stat *status);

/*
 * Has the next section, from its head's line to that of the next, in `text`; what stands before the
 * first comes first. False at the end, or when memory ran out, see text.failed, or when
 * reading failed, see ferror(3).
 */
TG_MUST_USE bool tg_cutter_next(struct tg_cutter *cutter);
void tg_cutter_end(struct tg_cutter *cutter);

#endif
