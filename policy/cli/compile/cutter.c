#include "cutter.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void read_line(struct tg_cutter *cutter)
{
    cutter->length = getline(&cutter->line, &cutter->room, cutter->in);
    if (cutter->length < 0 && errno == ENOMEM && !feof(cutter->in))
        cutter->text.failed = true;
    cutter->lines += cutter->length >= 0;
}

/* As tg_lex_begin. */
static void drop_mark(struct tg_cutter *cutter)
{
    static const char mark[] = "\xEF\xBB\xBF";

    if (cutter->length < 3 || memcmp(cutter->line, mark, 3) != 0)
        return;
    cutter->length -= 3;
    memmove(cutter->line, cutter->line + 3, (size_t)cutter->length + 1);
}

bool tg_cutter_begin(struct tg_cutter *cutter, const char *path, const struct stat *status)
{
    struct stat now;

    *cutter = (struct tg_cutter){.in = fopen(path, "re")};
    if (cutter->in == NULL)
        return false;
    errno = 0;
    if (fstat(fileno(cutter->in), &now) != 0 || now.st_dev != status->st_dev ||
        now.st_ino != status->st_ino)
        return false;
    read_line(cutter);
    drop_mark(cutter);
    return true;
}

static bool is_head(const struct tg_cutter *cutter)
{
    size_t at = 0;

    while (cutter->line[at] == ' ' || cutter->line[at] == '\t')
        at++;
    return cutter->line[at] == '[';
}

bool tg_cutter_next(struct tg_cutter *cutter)
{
    if (cutter->length < 0 || cutter->text.failed)
        return false;
    cutter->text.length = 0;
    cutter->before = cutter->lines - 1;
    do {
        tg_buf_addn(&cutter->text, cutter->line, (size_t)cutter->length);
        read_line(cutter);
    } while (cutter->length >= 0 && !is_head(cutter) && !cutter->text.failed);
    return !cutter->text.failed;
}

void tg_cutter_end(struct tg_cutter *cutter)
{
    if (cutter->in != NULL)
        fclose(cutter->in);
    free(cutter->line);
    tg_buf_free(&cutter->text);
}
