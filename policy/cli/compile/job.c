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
    tg_policy *policy;

    part.before = before;
    part.file.data = malloc(length + 1);
    part.file.size = length;
    if (part.file.data == NULL) {
        job->diags->lost = true;
        return NULL;
    }
    memcpy(part.file.data, text, length); /* a NUL in it is for the parser to find */
    part.file.data[length] = '\0';
    policy = tg_policy_of_section(&job->base, &part, job->diags);
    free(part.file.data);
    return policy;
}
