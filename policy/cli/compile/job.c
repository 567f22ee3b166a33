#include "job.h"
#include "load.h"
#include <stdlib.h>
#include <string.h>

bool tg_job_blame(struct tg_job *job, const char *path, const char *what)
{
    if (job->why->length == 0) {
        tg_buf_escape(job->why, path, strlen(path));
        tg_buf_printf(job->why, ": %s", what);
    }
    return false;
}

bool tg_job_is_hopeless(const struct tg_job *job)
{
    return job->why->length > 0 || job->why->failed || job->out->error != 0 || job->diags->lost ||
           job->diags->errors >= TG_DIAGS_KEPT;
}

tg_policy *tg_job_build(struct tg_job *job, const struct tg_source *source, unsigned before,
                        const char *text, size_t length)
{
    struct tg_source part = *source;
    tg_policy *policy = NULL;

    part.before = before;
    part.file.data = strndup(text, length);
    part.file.size = length;
    if (part.file.data != NULL)
        policy = tg_policy_of_section(&job->base, &part, job->diags);
    else
        job->diags->lost = true;
    free(part.file.data);
    return policy;
}
