/* contents.h - what an image holds besides sections: other files, and what is read of it at once.
 */
#ifndef TG_CONTENTS_H
#define TG_CONTENTS_H

#include "job.h"

/* Puts what all files hold that sections named. */
void tg_contents_put_files(struct tg_job *job);

/* Appends the root, for compiled.c. */
void tg_contents_add_root(const struct tg_job *job, struct tg_buf *root);

#endif
