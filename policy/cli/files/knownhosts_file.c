#include "knownhosts_file.h"
#include "diag.h"
#include "diagnostics.h"
#include "pin.h"
#include "replace.h"
#include "terminal.h"
#include "write.h"
#include <string.h>

/* Bytes of a comment, of which each may become four: a line has to stay below TG_KNOWN_LINE_MAX. */
enum { LONGEST_COMMENT = 256 };

/* A host whose lines give way: found by its port, and without it, for such a line spoke for it. */
struct gone {
    struct tg_item item;
    struct tg_knownhosts_line *host;
};

struct update {
    struct tg_arena *arena;
    struct tg_table gone;
    struct tg_buf out;
};

static bool enter(struct update *update, struct tg_knownhosts_line *host, unsigned port)
{
    size_t length = strlen(host->host);
    struct gone *gone;

    if (tg_table_get(&update->gone, port, host->host, length) != NULL)
        return true;
    gone = tg_arena_alloc(update->arena, sizeof(*gone));
    if (gone == NULL)
        return false;
    *gone = (struct gone){{port, host->host, length}, host};
    return tg_table_put(update->arena, &update->gone, &gone->item) != 0;
}

/* Sets what becomes of each host, as far as the lines that there are decide. */
static bool judge(struct update *update, const struct tg_known *known,
                  struct tg_knownhosts_line *hosts, size_t count, bool replace)
{
    for (size_t i = 0; i < count; i++) {
        struct tg_knownhosts_line *host = &hosts[i];
        const struct tg_known_entry *own = tg_known_find(known, host->host, host->port);
        const struct tg_known_entry *any = tg_known_find(known, host->host, 0);

        if (tg_known_has(own, host->pin) || tg_known_has(any, host->pin))
            host->state = TG_KNOWNHOSTS_SAME;
        else
            host->state = own != NULL || any != NULL ? TG_KNOWNHOSTS_CHANGED : TG_KNOWNHOSTS_ADDED;
        if (replace && host->state == TG_KNOWNHOSTS_CHANGED &&
            (!enter(update, host, host->port) || !enter(update, host, 0)))
            return false;
    }
    return true;
}

static void add_line(struct tg_buf *out, const struct tg_knownhosts_line *host)
{
    char pin[TG_PIN_SIZE];

    tg_pin_text(host->pin, pin);
    tg_write_endpoint(out, host->host, host->port);
    tg_buf_printf(out, " %s", pin);
    if (host->comment != NULL) {
        tg_buf_add(out, "  # ");
        tg_buf_escape(out, host->comment, strnlen(host->comment, LONGEST_COMMENT));
    }
    tg_buf_add(out, "\n");
}

/* A line of the file, LENGTH bytes: kept, or replaced where it is the first of its host. */
static void copy(struct update *update, const char *text, size_t length)
{
    size_t bare = length > 0 && text[length - 1] == '\r' ? length - 1 : length, column;
    struct tg_known_line line = {0};
    const struct gone *gone;

    if (update->gone.count > 0 && tg_known_parse(update->arena, text, bare, &line, &column) != NULL)
        line.host[0] = '\0'; /* it was read once: memory ran out, and the line stays */
    gone =
        (const struct gone *)tg_table_get(&update->gone, line.port, line.host, strlen(line.host));
    if (gone == NULL) {
        tg_buf_addn(&update->out, text, length);
        tg_buf_add(&update->out, "\n");
    } else if (gone->host->state == TG_KNOWNHOSTS_CHANGED) {
        add_line(&update->out, gone->host);
        gone->host->state = TG_KNOWNHOSTS_REPLACED;
    }
}

static void rewrite(struct update *update, const struct tg_buf *old,
                    const struct tg_knownhosts_line *hosts, size_t count)
{
    const char *at = old->text, *end = old->text + old->length;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((newline != NULL ? newline : end) - at);

        copy(update, at, length);
        at += length + 1;
    }
    for (size_t i = 0; i < count; i++)
        if (hosts[i].state == TG_KNOWNHOSTS_ADDED)
            add_line(&update->out, &hosts[i]);
}

static bool changes(const struct tg_knownhosts_line *hosts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (hosts[i].state == TG_KNOWNHOSTS_ADDED || hosts[i].state == TG_KNOWNHOSTS_REPLACED)
            return true;
    return false;
}

/* What the file knows. NULL after a complaint. */
static struct tg_known *understand(const char *path, const struct tg_buf *old)
{
    struct tg_diags diags = {0};
    struct tg_buf text = {0};
    struct tg_known *known = NULL;

    tg_buf_addn(&text, old->length > 0 ? old->text : "", old->length); /* is written to */
    if (text.failed)
        tg_complain("%s", tg_no_memory);
    else
        known = tg_known_read(path, text.text, text.length, &diags);
    if (!text.failed && known == NULL)
        tg_diagnostics_print(stderr, &diags);
    tg_diags_clear(&diags);
    tg_buf_free(&text);
    return known;
}

bool tg_knownhosts_file_update(const char *path, struct tg_knownhosts_line *hosts, size_t count,
                               bool replace)
{
    struct update update = {.arena = tg_arena_new()};
    struct tg_replace file = {0};
    struct tg_known *known = NULL;
    struct tg_buf why = {0};
    bool done = false;

    if (!tg_replace_begin_own(&file, path, TG_KNOWN_FILE_MAX, &why) ||
        (known = understand(path, &file.text)) == NULL)
        goto end;
    if (update.arena == NULL || !judge(&update, known, hosts, count, replace)) {
        tg_buf_add(&why, tg_no_memory);
        goto end;
    }
    rewrite(&update, &file.text, hosts, count);
    done = !changes(hosts, count) || tg_replace_commit(&file, &update.out, &why);
end:
    if (why.length > 0)
        tg_complain("%s: %s", path, why.text);
    tg_replace_end(&file);
    tg_known_free(known);
    tg_arena_free(update.arena);
    tg_buf_free(&update.out);
    tg_buf_free(&why);
    return done;
}

void tg_knownhosts_file_complain(const char *path, const struct tg_knownhosts_line *host)
{
    struct tg_buf text = {0};
    char pin[TG_PIN_SIZE];

    tg_pin_text(host->pin, pin);
    tg_write_endpoint(&text, host->host, host->port);
    tg_complain("%s is known by another key in %s, and now has %s: someone may stand between you "
                "and it; if its owner changed the key, 'trustgraft pin --to %s --yes' replaces the "
                "line",
                text.text != NULL ? text.text : host->host, path, pin, path);
    tg_buf_free(&text);
}
