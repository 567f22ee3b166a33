#include "known.h"
#include "diag.h"
#include "file.h"
#include "knownimage.h"
#include "parents.h"
#include "pattern.h"
#include "pin.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

/* The longest pattern is a name, and the longest pin has 51 characters; a longer word is wrong. */
enum { WORD = 320 };

/* ---- one line ----------------------------------------------------------------------------- */

struct reader {
    struct tg_arena *arena;
    const char *text;
    size_t length, at;
    size_t *column;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static const char *blame(const struct reader *in, size_t at, const char *sentence)
{
    *in->column = at;
    return sentence;
}

/* As in a policy: text that shows as something else than it is has no place in comments either. */
static const char *judge_bytes(const struct reader *in)
{
    struct tg_piece bad;

    if (in->length > TG_KNOWN_LINE_MAX)
        return blame(in, TG_KNOWN_LINE_MAX, "the line is longer than 4096 bytes");
    if (tg_utf8_clean(in->text, in->length, &bad))
        return NULL;
    *in->column = (size_t)(bad.text - in->text);
    return bad.kind == TG_PIECE_BROKEN
               ? "this byte is not UTF-8"
               : tg_arena_sentence(in->arena, "the control character U+%04X", (unsigned)bad.code);
}

/* Goes to the next word. False at the end of the line, or where a comment begins. */
static bool skip_space(struct reader *in)
{
    while (in->at < in->length && is_space(in->text[in->at]))
        in->at++;
    return in->at < in->length && in->text[in->at] != '#';
}

/* The word up to white space or STOP into OUT, WORD bytes. False if it is too long. */
static bool take_word(struct reader *in, char stop, char *out)
{
    size_t from = in->at, size;

    while (in->at < in->length && !is_space(in->text[in->at]) && in->text[in->at] != stop)
        in->at++;
    size = in->at - from;
    if (size >= WORD)
        return false;
    memcpy(out, in->text + from, size);
    out[size] = '\0';
    return true;
}

static const char *read_host(struct reader *in, struct tg_known_line *out)
{
    size_t from = in->at, offset = 0;
    char word[WORD];
    const char *wrong;

    if (!take_word(in, '\0', word))
        return blame(in, from, "is longer than any host's name");
    wrong = tg_host_read(in->arena, word, out->host, &out->port, &offset);
    return wrong != NULL ? blame(in, from + offset, wrong) : NULL;
}

static const char *read_pins(struct reader *in, struct tg_known_line *out)
{
    const char *wrong;
    char word[WORD];

    for (;;) {
        size_t from = in->at;

        if (out->count == TG_KNOWN_PINS_MAX)
            return blame(in, from, "more than 16 pins: use another line for more");
        if (!take_word(in, ',', word))
            return blame(in, from, "is longer than a pin");
        wrong = tg_pin_read(in->arena, word, out->pins[out->count]);
        if (wrong != NULL)
            return blame(in, from, wrong);
        out->count++;
        if (in->at == in->length || in->text[in->at] != ',')
            return NULL;
        in->at++;
    }
}

const char *tg_known_parse(struct tg_arena *arena, const char *text, size_t length,
                           struct tg_known_line *out, size_t *column)
{
    struct reader in = {.arena = arena, .text = text, .length = length, .column = column};
    const char *wrong = judge_bytes(&in);

    out->host[0] = '\0';
    out->count = 0;
    if (wrong != NULL || !skip_space(&in))
        return wrong;
    wrong = read_host(&in, out);
    if (wrong != NULL)
        return wrong;
    if (!skip_space(&in))
        return blame(&in, in.at, "there is no pin behind the host: write HOST PIN[,PIN...]");
    wrong = read_pins(&in, out);
    if (wrong == NULL && skip_space(&in))
        wrong = blame(&in, in.at, "only a comment, \"# ...\", may stand behind the pins");
    return wrong;
}

/* ---- the file ----------------------------------------------------------------------------- */

struct tg_known {
    struct tg_arena *arena;
    struct tg_table table;
    struct tg_knownimage *image; /* NULL: all lines are in the table */
};

/* What is being read. */
struct loading {
    struct tg_known *known;
    struct tg_arena *scratch; /* for sentences */
    const char *path;
    struct tg_diags *diags;
    unsigned number;
};

static struct tg_known_entry *find(const struct tg_known *known, const char *host, unsigned port)
{
    return (struct tg_known_entry *)tg_table_get(&known->table, port, host, strlen(host));
}

static bool enter(struct loading *loading, const struct tg_known_line *line)
{
    struct tg_known *known = loading->known;
    size_t size = line->count * TG_SHA256_SIZE, length = strlen(line->host);
    struct tg_known_entry *entry = tg_arena_alloc(known->arena, sizeof(*entry) + size), *first;

    if (entry == NULL)
        return false;
    entry->line = loading->number;
    entry->count = (unsigned)line->count;
    memcpy(entry->pins, line->pins, size);
    first = find(known, line->host, line->port);
    if (first != NULL) {
        entry->next = first->next;
        first->next = entry;
        return true;
    }
    entry->item =
        (struct tg_item){line->port, tg_arena_strndup(known->arena, line->host, length), length};
    return entry->item.text != NULL && tg_table_put(known->arena, &known->table, &entry->item);
}

/* TEXT, LENGTH bytes, ends in a NUL. */
static void read_line(struct loading *loading, char *text, size_t length)
{
    struct tg_known_line line;
    size_t column = 0;
    const char *wrong = tg_known_parse(loading->scratch, text, length, &line, &column);

    if (wrong != NULL)
        tg_diag_add(loading->diags, TG_ERROR, loading->path, loading->number, (unsigned)column + 1,
                    text, "%s", wrong);
    else if (line.host[0] != '\0' && !enter(loading, &line))
        loading->diags->lost = true;
}

static size_t count_lines(const char *text, size_t length)
{
    const char *at = text, *end = text + length;
    size_t lines = 1;

    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        lines++;
    }
    return lines;
}

static void read_lines(struct loading *loading, char *text, size_t size)
{
    char *at = text, *end = text + size;

    if (!tg_table_reserve(loading->known->arena, &loading->known->table, count_lines(text, size)))
        loading->diags->lost = true;
    while (at < end && !loading->diags->lost && loading->diags->errors < TG_DIAGS_KEPT) {
        char *newline = memchr(at, '\n', (size_t)(end - at));
        char *stop = newline != NULL ? newline : end;
        size_t length = (size_t)(stop - at);

        if (length > 0 && at[length - 1] == '\r')
            length--;
        at[length] = '\0';
        loading->number++;
        read_line(loading, at, length);
        at = newline != NULL ? newline + 1 : end;
    }
}

struct tg_known *tg_known_read(const char *path, char *text, size_t length, struct tg_diags *diags)
{
    struct tg_known *known = calloc(1, sizeof(*known));
    struct loading loading = {
        .known = known, .scratch = tg_arena_new(), .path = path, .diags = diags};
    size_t errors = diags->errors;

    if (known != NULL)
        known->arena = tg_arena_new();
    if (loading.scratch != NULL && known != NULL && known->arena != NULL)
        read_lines(&loading, text, length);
    else
        diags->lost = true;
    tg_arena_free(loading.scratch);
    if (!diags->lost && diags->errors == errors)
        return known;
    tg_known_free(known);
    return NULL;
}

struct tg_known *tg_known_load(const char *path, struct tg_diags *diags)
{
    struct tg_arena *scratch = tg_arena_new();
    struct tg_known *known = NULL;
    struct tg_file file = {0};
    const char *wrong = tg_no_memory;

    if (scratch != NULL)
        wrong = tg_parents_check(scratch, path, NULL);
    if (wrong == NULL)
        wrong = tg_file_read_most(scratch, path, TG_KNOWN_FILE_MAX, &file);
    if (wrong != NULL)
        tg_diag_add(diags, TG_ERROR, path, 0, 0, NULL, "%s", wrong);
    else
        known = tg_known_read(path, file.data, file.size, diags);
    tg_file_clear(&file);
    tg_arena_free(scratch);
    return known;
}

/* ---- either ------------------------------------------------------------------------------- */

/* NULL where there is none that counts; why not, if there is one, is added to NOTE. */
static struct tg_known *open_image(const char *path, struct tg_buf *note)
{
    struct tg_knownimage *image = path[0] == '/' ? tg_knownimage_open(path, note) : NULL;
    struct tg_known *known = image != NULL ? calloc(1, sizeof(*known)) : NULL;

    if (known != NULL)
        known->image = image;
    else
        tg_knownimage_free(image);
    return known;
}

struct tg_known *tg_known_open(const char *path, struct tg_diags *diags, char **note)
{
    struct tg_buf why = {0};
    struct tg_known *known = open_image(path, &why);

    *note = NULL;
    if (known == NULL)
        known = tg_known_load(path, diags);
    if (known == NULL && why.length > 0)
        tg_diag_add(diags, TG_ERROR, path, 0, 0, NULL, "%s", why.text);
    else if (why.length > 0)
        *note = tg_buf_take(&why);
    tg_buf_free(&why);
    return known;
}

void tg_known_free(struct tg_known *known)
{
    if (known == NULL)
        return;
    tg_knownimage_free(known->image);
    tg_arena_free(known->arena);
    free(known);
}

const struct tg_known_entry *tg_known_find(const struct tg_known *known, const char *host,
                                           unsigned port)
{
    return known->image != NULL ? tg_knownimage_find(known->image, host, port)
                                : find(known, host, port);
}

bool tg_known_damaged(const struct tg_known_entry *entry)
{
    return tg_knownimage_damaged(entry);
}

bool tg_known_has(const struct tg_known_entry *entry, const uint8_t pin[TG_SHA256_SIZE])
{
    for (; entry != NULL; entry = entry->next)
        for (unsigned i = 0; i < entry->count; i++)
            if (memcmp(entry->pins[i], pin, TG_SHA256_SIZE) == 0)
                return true;
    return false;
}

void tg_known_files_free(struct tg_known_file *files)
{
    for (; files != NULL; files = files->next) {
        tg_known_free(files->known);
        free(files->problem);
        free(files->note);
    }
}
