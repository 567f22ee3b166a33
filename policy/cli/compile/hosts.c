#include "hosts.h"
#include "file.h"
#include "imagefile.h"
#include "known.h"
#include "parents.h"
#include "settle.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct job {
    struct tg_imagefile out;
    struct tg_arena *arena; /* of the watch */
    struct tg_watch *watch;
    struct tg_written *done;
    struct tg_diags *diags;
    struct tg_buf *why;
    const char *path;
};

static bool see_line(struct job *job, char *text, size_t length, unsigned number)
{
    struct tg_arena *scratch = tg_arena_new();
    struct tg_known_line line;
    size_t column = 0;
    const char *wrong;
    uint64_t offset;

    if (scratch == NULL) {
        job->diags->lost = true;
        return false;
    }
    wrong = tg_known_parse(scratch, text, length, &line, &column);
    if (wrong != NULL) {
        tg_diag_add(job->diags, TG_ERROR, job->path, number, (unsigned)column + 1, text, "%s",
                    wrong);
    } else if (line.host[0] != '\0') {
        offset = tg_imagefile_put(&job->out, TG_IMAGE_LINE, number, line.count, line.pins,
                                  line.count * TG_SHA256_SIZE);
        tg_imagefile_key(&job->out, TG_IMAGE_KNOWN, line.port, line.host, strlen(line.host),
                         offset);
        job->done->hosts++;
    }
    tg_arena_free(scratch);
    return job->diags->errors < TG_DIAGS_KEPT && job->out.error == 0;
}

static void read_lines(struct job *job, FILE *in)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    unsigned number = 0;
    bool going = true;

    while (going && (length = getline(&line, &room, in)) >= 0) {
        if (length > 0 && line[length - 1] == '\n')
            length--;
        if (length > 0 && line[length - 1] == '\r')
            length--;
        line[length] = '\0';
        going = see_line(job, line, (size_t)length, ++number);
    }
    if (going && !feof(in)) /* getline(3) sets no ferror(3) without memory */
        tg_buf_add(job->why, ferror(in) ? "can't be read" : tg_no_memory);
    free(line);
}

/* Opened and checked as a process does. */
static FILE *open_file(struct job *job)
{
    const struct tg_watching watching = {job->arena, &job->watch};
    struct stat status;
    int fd = -1;
    const char *wrong = tg_parents_check(job->arena, job->path, &watching);
    FILE *in;

    if (wrong == NULL)
        wrong = tg_file_open(job->arena, AT_FDCWD, job->path, S_IFREG, &fd, &status);
    if (wrong != NULL) {
        tg_diag_add(job->diags, TG_ERROR, job->path, 0, 0, NULL, "%s", wrong);
        return NULL;
    }
    in = fdopen(fd, "r");
    if (in == NULL)
        close(fd);
    job->diags->lost = in == NULL || !tg_watch_opened(&watching, job->path, &status);
    return in;
}

static bool attempt(struct job *job, bool *again)
{
    FILE *in;
    bool done = false;
    gid_t group;
    mode_t mode;

    *again = false;
    if (!tg_imagefile_begin(&job->out, job->path, TG_IMAGE_KNOWN_HOSTS, job->why))
        return false;
    in = open_file(job);
    if (in != NULL) {
        read_lines(job, in);
        fclose(in);
        tg_imagefile_close(&job->out);
    }
    if (tg_diags_failed(job->diags) || job->why->length > 0)
        return false;
    *again = tg_settle(&job->out, job->watch) == TG_SETTLE_AGAIN;
    mode = tg_settle_mode(job->watch, &group);
    if (!*again)
        done =
            tg_imagefile_commit(&job->out, job->watch, &(struct tg_buf){0}, mode, group, job->why);
    job->done->size = job->out.header.size;
    return done;
}

bool tg_hosts_compile(const char *path, struct tg_written *done, struct tg_diags *diags,
                      struct tg_buf *why)
{
    bool again = true, written = false;

    tg_settle_wait(path);
    for (int i = 0; again && i < TG_SETTLE_TRIES; i++) {
        struct job job = {
            .arena = tg_arena_new(), .done = done, .diags = diags, .why = why, .path = path};

        *done = (struct tg_written){0};
        again = false;
        if (job.arena != NULL)
            written = attempt(&job, &again);
        else
            diags->lost = true;
        tg_imagefile_end(&job.out);
        tg_arena_free(job.arena);
    }
    if (again)
        tg_buf_add(why, "the file changed each time it was read");
    return written;
}
