#include "terminal.h"
#include "cli.h"
#include "mem.h"
#include "text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { NARROWEST = 24 }; /* columns of text: in fewer it isn't broken */

int tg_terminal_close(int status)
{
    bool failed = ferror(stdout) != 0;

    errno = 0;
    if (fflush(stdout) == 0 && !failed)
        return status;
    tg_complain("the output can't be written: %s", errno != 0 ? strerror(errno) : "an error");
    return TG_EXIT_USAGE;
}

const char *tg_terminal_colour(FILE *to, enum tg_colour colour)
{
    static const char *const sequences[] = {
        [TG_PLAIN] = "\x1B[0m", [TG_GOOD] = "\x1B[32m", [TG_BAD] = "\x1B[31m",
        [TG_WARN] = "\x1B[33m", [TG_FAINT] = "\x1B[2m", [TG_STRONG] = "\x1B[1m"};
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

    if ((none != NULL && *none != '\0') || term == NULL || strcmp(term, "dumb") == 0 ||
        !isatty(fileno(to)))
        return "";
    return sequences[colour];
}

unsigned tg_terminal_width(FILE *to)
{
    struct winsize size;

    return isatty(fileno(to)) && ioctl(fileno(to), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool tg_terminal_draws(FILE *to)
{
    const char *term = getenv("TERM");

    return term != NULL && strcmp(term, "dumb") != 0 && tg_terminal_width(to) > 0;
}

/* In columns, as far as each character takes one. */
static size_t columns_of(const char *text, size_t length)
{
    size_t columns = 0;

    for (size_t i = 0; i < length; i++)
        columns += ((unsigned char)text[i] & 0xC0) != 0x80;
    return columns;
}

bool tg_terminal_narrow(FILE *to, size_t column)
{
    size_t width = tg_terminal_width(to);

    return width > 0 && width < column + NARROWEST;
}

void tg_terminal_wrap(struct tg_buf *buf, FILE *to, size_t from, size_t column, const char *text)
{
    size_t width = tg_terminal_width(to), at = from, begin = from;
    bool broken = width > 0 && !tg_terminal_narrow(to, column);

    while (*text != '\0') {
        size_t word = strcspn(text, " "), columns = columns_of(text, word);

        if (broken && at + (at > begin) + columns > width && at > column) {
            tg_buf_printf(buf, "\n%*s", (int)column, "");
            at = begin = column;
        } else if (at > begin) {
            tg_buf_add(buf, " ");
            at++;
        }
        tg_buf_addn(buf, text, word);
        at += columns;
        text += word + (text[word] == ' ');
    }
}

const char *tg_terminal_branch(FILE *to)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *locale = NULL;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && (locale == NULL || *locale == '\0');
         i++)
        locale = getenv(names[i]);
    if (tg_terminal_draws(to) && locale != NULL &&
        (strcasestr(locale, "UTF-8") != NULL || strcasestr(locale, "utf8") != NULL))
        return "\xE2\x94\x94\xE2\x94\x80 ";
    return "`- ";
}

void tg_complain(const char *format, ...)
{
    struct tg_buf line = {0};
    char *text = NULL;
    va_list args;
    int length;

    va_start(args, format);
    length = vasprintf(&text, format, args);
    va_end(args);
    tg_buf_add(&line, "trustgraft: ");
    if (length >= 0) {
        tg_buf_escape(&line, text, (size_t)length);
        free(text);
    }
    fprintf(stderr, "%s\n", length < 0 || line.failed ? "trustgraft: memory ran out" : line.text);
    tg_buf_free(&line);
}

const char *tg_why(const struct tg_buf *why)
{
    return why->text != NULL && !why->failed ? why->text : tg_no_memory;
}

void tg_complain_of(const char *what, const struct tg_buf *why)
{
    tg_complain("%s: %s", what, tg_why(why));
}

bool tg_terminal_write(FILE *to, struct tg_buf *buf)
{
    char *text = tg_buf_take(buf);

    if (text == NULL) {
        tg_complain("%s", tg_no_memory);
        return false;
    }
    fputs(text, to);
    free(text);
    return true;
}

bool tg_terminal_ask(const char *question)
{
    char answer[16] = "";

    fprintf(stderr, "%s [y/N] ", question);
    fflush(stderr);
    return fgets(answer, sizeof(answer), stdin) != NULL && strchr("yY", answer[0]) != NULL &&
           answer[0] != '\0';
}
