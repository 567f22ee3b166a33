#include "diag.h"
#include "mem.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a source line that are shown before and after the column meant. */
enum { SHOWN_BEFORE = 120, SHOWN_AFTER = 80, TAB = 8 };

/* A sentence that quotes a word of a megabyte is cut after so many bytes. */
enum { LONGEST_TEXT = 1000 };

static void clear(struct tg_diag *diag)
{
    free(diag->file);
    free(diag->text);
    free(diag->source);
}

/* Characters, not bytes: BUF holds valid UTF-8 without controls. */
static unsigned characters(const struct tg_buf *buf)
{
    unsigned count = 0;

    for (size_t i = 0; i < buf->length; i++)
        count += ((unsigned char)buf->text[i] & 0xC0) != 0x80;
    return count;
}

/* Escaped, but for backslashes: this is read by people, and quotes are full of them. */
static void add_shown(struct tg_buf *buf, const char *text, size_t length)
{
    while (length > 0) {
        size_t plain = 0;

        while (plain < length && text[plain] != '\t' && text[plain] != '\\')
            plain++;
        tg_buf_escape(buf, text, plain);
        if (plain == length)
            return;
        if (text[plain] == '\t')
            tg_buf_printf(buf, "%*s", (int)(TAB - characters(buf) % TAB), "");
        else
            tg_buf_add(buf, "\\");
        text += plain + 1;
        length -= plain + 1;
    }
}

/* A cut between two bytes of one character would show its halves as escapes. */
static size_t at_character(const char *line, size_t at)
{
    size_t back = 0;

    while (back < 3 && back < at && ((unsigned char)line[at - back] & 0xC0) == 0x80)
        back++;
    return at - back;
}

/*
 * Sets DIAG's source and caret from the whole LINE, which may be very long and have an error
 * every few bytes: only what is shown is looked at.
 */
static void show_source(struct tg_diag *diag, const char *line)
{
    size_t at = diag->column > 0 ? diag->column - 1 : 0;
    size_t from = at > SHOWN_BEFORE ? at_character(line, at - SHOWN_BEFORE) : 0;
    size_t after = strnlen(line + at, SHOWN_AFTER);
    bool cut = line[at + after] != '\0';
    size_t to = cut ? at_character(line, at + after) : at + after;
    struct tg_buf shown = {0};

    tg_buf_add(&shown, from > 0 ? "..." : "");
    add_shown(&shown, line + from, at - from);
    diag->caret = characters(&shown);
    add_shown(&shown, line + at, to - at);
    tg_buf_add(&shown, cut ? "..." : "");
    diag->source = tg_buf_take(&shown);
}

__attribute__((format(printf, 1, 0))) static char *format_text(const char *format, va_list args)
{
    struct tg_buf shown = {0};
    char *text = NULL;
    int length = vasprintf(&text, format, args);

    if (length < 0)
        return NULL;
    if (length > LONGEST_TEXT) {
        add_shown(&shown, text, at_character(text, LONGEST_TEXT));
        tg_buf_add(&shown, "...");
    } else {
        add_shown(&shown, text, (size_t)length);
    }
    free(text);
    return tg_buf_take(&shown);
}

static bool grow(struct tg_diags *diags)
{
    size_t capacity = diags->capacity ? diags->capacity * 2 : 8;
    struct tg_diag *diag;

    if (diags->count < diags->capacity)
        return true;
    diag = realloc(diags->diag, capacity * sizeof(*diag));
    if (diag == NULL)
        return false;
    diags->diag = diag;
    diags->capacity = capacity;
    return true;
}

void tg_diag_add(struct tg_diags *diags, enum tg_severity severity, const char *file, unsigned line,
                 unsigned column, const char *source, const char *format, ...)
{
    struct tg_diag diag = {.severity = severity, .line = line, .column = column};
    va_list args;

    diags->errors += severity == TG_ERROR;
    if (diags->count >= TG_DIAGS_KEPT)
        return;
    diag.file = strdup(file);
    va_start(args, format);
    diag.text = format_text(format, args);
    va_end(args);
    if (source != NULL)
        show_source(&diag, source);
    if (diag.file == NULL || diag.text == NULL || (source != NULL && diag.source == NULL) ||
        !grow(diags)) {
        diags->lost = true;
        clear(&diag);
        return;
    }
    diags->diag[diags->count++] = diag;
}

bool tg_diags_failed(const struct tg_diags *diags)
{
    return diags->lost || diags->errors > 0;
}

static void add_place(struct tg_buf *buf, const struct tg_diag *diag)
{
    tg_buf_escape(buf, diag->file, strlen(diag->file));
    if (diag->line > 0)
        tg_buf_printf(buf, ":%u", diag->line);
    if (diag->line > 0 && diag->column > 0)
        tg_buf_printf(buf, ":%u", diag->column);
    tg_buf_add(buf, ": ");
}

char *tg_diag_line(const struct tg_diag *diag, const char *severity)
{
    struct tg_buf buf = {0};

    add_place(&buf, diag);
    tg_buf_add(&buf, severity);
    tg_buf_add(&buf, diag->text);
    return tg_buf_take(&buf);
}

static size_t kept_errors(const struct tg_diags *diags)
{
    size_t kept = 0;

    for (size_t i = 0; i < diags->count; i++)
        kept += diags->diag[i].severity == TG_ERROR;
    return kept;
}

char *tg_diags_text(const struct tg_diags *diags)
{
    static const char *const severities[] = {[TG_ERROR] = "error", [TG_WARNING] = "warning"};
    size_t unkept = diags->errors - kept_errors(diags);
    struct tg_buf buf = {0};

    for (size_t i = 0; i < diags->count; i++) {
        const struct tg_diag *diag = &diags->diag[i];

        add_place(&buf, diag);
        tg_buf_printf(&buf, "%s: %s\n", severities[diag->severity], diag->text);
        if (diag->source != NULL)
            tg_buf_printf(&buf, "  %s\n  %*s^\n", diag->source, (int)diag->caret, "");
    }
    if (diags->lost)
        tg_buf_add(&buf, "error: memory ran out; more may be wrong\n");
    else if (unkept > 0)
        tg_buf_printf(&buf, "and %zu more errors\n", unkept);
    return tg_buf_take(&buf);
}

char *tg_diags_summary(const struct tg_diags *diags)
{
    struct tg_buf buf = {0};
    size_t i = 0;

    while (i < diags->count && diags->diag[i].severity != TG_ERROR)
        i++;
    if (i < diags->count) {
        add_place(&buf, &diags->diag[i]);
        tg_buf_add(&buf, diags->diag[i].text);
        if (diags->errors > 1)
            tg_buf_printf(&buf, " (and %zu more)", diags->errors - 1);
    } else if (tg_diags_failed(diags)) {
        tg_buf_add(&buf, tg_no_memory);
    }
    return tg_buf_take(&buf);
}

struct ranked {
    unsigned key[4]; /* file, line, column, as it came */
    struct tg_diag diag;
};

static int compare(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    size_t i = 0;

    while (i < 3 && x->key[i] == y->key[i])
        i++;
    return (x->key[i] > y->key[i]) - (x->key[i] < y->key[i]);
}

void tg_diags_sort(struct tg_diags *diags, size_t first,
                   unsigned (*rank)(void *arg, const char *file), void *arg)
{
    size_t count = diags->count > first ? diags->count - first : 0;
    struct ranked *ranked = count > 0 ? calloc(count, sizeof(*ranked)) : NULL;

    if (ranked == NULL) /* nothing to sort, or no memory: the order is only a comfort */
        return;
    for (size_t i = 0; i < count; i++) {
        const struct tg_diag *diag = &diags->diag[first + i];

        ranked[i] =
            (struct ranked){{rank(arg, diag->file), diag->line, diag->column, (unsigned)i}, *diag};
    }
    qsort(ranked, count, sizeof(*ranked), compare);
    for (size_t i = 0; i < count; i++)
        diags->diag[first + i] = ranked[i].diag;
    free(ranked);
}

void tg_diags_clear(struct tg_diags *diags)
{
    for (size_t i = 0; i < diags->count; i++)
        clear(&diags->diag[i]);
    free(diags->diag);
    *diags = (struct tg_diags){0};
}
