/* job.h - the image of a policy on its way, and what is wrong with it. */
#ifndef TG_JOB_H
#define TG_JOB_H

#include "imagefile.h"
#include "loading.h"
#include "written.h"

struct tg_job {
    struct tg_imagefile *out;
    struct tg_load base;
    struct tg_diags *diags;
    struct tg_buf *why;
    struct tg_buf own; /* the offsets of the base's sections */
    struct tg_written *done;
    bool staples;
    size_t source_count;
};

/* Says WHAT is wrong with the file PATH, if nothing was said yet; false. */
bool tg_job_blame(struct tg_job *job, const char *path, const char *what);

/* True if the image can't be had any more. */
TG_MUST_USE bool tg_job_is_hopeless(const struct tg_job *job);

/* The policy of one section of SOURCE, before which there are BEFORE lines. NULL after a complaint.
 */
TG_MUST_USE tg_policy *tg_job_build(struct tg_job *job, const struct tg_source *source,
                                    unsigned before, const char *text, size_t length);

#endif
