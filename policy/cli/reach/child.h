/* child.h - work that may crash or hang, in a process of its own. */
#ifndef TG_CHILD_H
#define TG_CHILD_H

#include "text.h"

/*
 * Runs WORK(ARGUMENT) in a child with both outputs going to SAID. Returns what WORK returned, or
 * -1 with a sentence in SAID where the child crashed, couldn't be made, or took longer than ten
 * seconds.
 */
int tg_child_run(int (*work)(const char *), const char *argument, struct tg_buf *said);

#endif
