#include "progress.h"
#include "deadline.h"
#include "terminal.h"
#include "text.h"
#include <string.h>

enum { BAR = 24, WIDEST = 200, INTERVAL = 100 /* ms */ };

static bool drawn;
static int64_t drawn_at;

/* Appends the bar, as far as a line of WIDTH columns has room for it. */
static void add_bar(struct tg_buf *line, uint64_t done, uint64_t total, unsigned width)
{
    uint64_t filled = done >= total ? BAR : done * BAR / total;

    if (width >= 2 * BAR) {
        tg_buf_printf(line, "%s[", tg_terminal_colour(stderr, TG_FAINT));
        for (uint64_t i = 0; i < BAR; i++)
            tg_buf_add(line, i < filled ? "#" : ".");
        tg_buf_printf(line, "]%s ", tg_terminal_colour(stderr, TG_PLAIN));
    }
    tg_buf_printf(line, "%3d%%  ", done >= total ? 100 : (int)(done * 100 / total));
}

void tg_progress_draw(uint64_t done, uint64_t total, const char *text)
{
    unsigned width = tg_terminal_width(stderr);
    struct tg_buf line = {0};
    size_t taken = total > 0 ? 6 + (width >= 2 * BAR ? BAR + 3 : 0) : 0;

    if (!tg_terminal_draws(stderr) || (drawn && tg_deadline_in(0) - drawn_at < INTERVAL))
        return;
    width = width < WIDEST ? width : WIDEST;
    if (total > 0)
        add_bar(&line, done, total, width);
    if (!line.failed)
        fprintf(stderr, "\r%s%.*s\x1B[K", line.text != NULL ? line.text : "",
                width > taken + 1 ? (int)(width - taken - 1) : 0, text);
    fflush(stderr);
    tg_buf_free(&line);
    drawn = true;
    drawn_at = tg_deadline_in(0);
}

void tg_progress_clear(void)
{
    if (drawn)
        fputs("\r\x1B[K", stderr);
    fflush(stderr);
    drawn = false;
}
