#include "loading.h"
#include "diag.h"
#include "text.h"
#include "watch.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tg_load *tg_load_home(struct tg_load *load)
{
    return load->base != NULL ? load->base : load;
}

bool tg_load_compiles(const struct tg_load *load)
{
    const struct tg_load *home = load->base != NULL ? load->base : load;

    return home->partial && home->compiled == NULL;
}

void tg_load_lost(struct tg_load *load)
{
    load->diags->lost = true;
}

static void *alloc(struct tg_load *load, struct tg_arena *arena, size_t size)
{
    void *bytes = tg_arena_alloc(arena, size);

    if (bytes == NULL)
        tg_load_lost(load);
    return bytes;
}

void *tg_load_alloc(struct tg_load *load, size_t size)
{
    return alloc(load, load->scratch, size);
}

void *tg_load_keep(struct tg_load *load, size_t size)
{
    return alloc(load, load->policy->arena, size);
}

const char *tg_load_keep_text(struct tg_load *load, const char *text)
{
    const char *copy = tg_arena_strndup(load->policy->arena, text, strlen(text));

    if (copy == NULL)
        tg_load_lost(load);
    return copy;
}

const char *tg_load_keep_path(struct tg_load *load, const char *path)
{
    struct tg_buf text = {0};
    char *directory = path[0] == '/' ? NULL : getcwd(NULL, 0);
    const char *copy = NULL;

    if (directory != NULL)
        tg_buf_printf(&text, "%s/", directory);
    tg_buf_add(&text, path);
    if (text.failed || (path[0] != '/' && directory == NULL))
        tg_load_lost(load);
    else
        copy = tg_load_keep_text(load, text.text);
    free(directory);
    tg_buf_free(&text);
    return copy;
}

struct tg_watching tg_load_watching(struct tg_load *load)
{
    tg_policy *policy = tg_load_home(load)->policy;

    return (struct tg_watching){policy->arena, &policy->watch};
}

/* ", in [host *.example ...]" */
static void add_section(struct tg_buf *text, const struct tg_section *section)
{
    const struct tg_word *name = section->names;

    tg_buf_printf(text, ", in [%s", section->head->text);
    if (name != NULL)
        tg_buf_printf(text, " %s%s", name->text, name->next != NULL ? " ..." : "");
    tg_buf_add(text, "]");
}

static void say(struct tg_load *load, enum tg_severity severity, const struct tg_word *word,
                const struct tg_buf *text)
{
    if (text->failed)
        tg_load_lost(load);
    else
        tg_diag_add(load->diags, severity, word->where.file, word->where.line, word->where.column,
                    word->line, "%s", text->text);
}

void tg_load_error(struct tg_load *load, struct tg_section *section, const struct tg_word *word,
                   const char *hint, const char *format, ...)
{
    struct tg_buf text = {0};
    va_list args;

    va_start(args, format);
    tg_buf_vprintf(&text, format, args);
    va_end(args);
    if (section != NULL)
        add_section(&text, section);
    if (hint != NULL)
        tg_buf_printf(&text, " (%s)", hint);
    if (section != NULL)
        section->broken = true;
    say(load, TG_ERROR, word, &text);
    tg_buf_free(&text);
}

void tg_load_warn(struct tg_load *load, const struct tg_section *section,
                  const struct tg_word *word, const char *format, ...)
{
    struct tg_buf text = {0};
    va_list args;

    va_start(args, format);
    tg_buf_vprintf(&text, format, args);
    va_end(args);
    add_section(&text, section);
    say(load, TG_WARNING, word, &text);
    tg_buf_free(&text);
}
