/* repeated.h - what no two sections may have in common. */
#ifndef TG_REPEATED_H
#define TG_REPEATED_H

#include "job.h"

/* Complains of rules of the same rank, and of exceptions of the same name; JOB's image is closed.
 */
void tg_repeated_check(struct tg_job *job);

#endif
