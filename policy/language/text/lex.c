#include "lex.h"
#include "diag.h"
#include "text.h"
#include <string.h>

/* More words than this make no policy, but would fill the memory of the host process. */
enum { MOST_WORDS = 2 << 20 };

void tg_lex_begin(struct tg_lexer *lexer, struct tg_load *load, struct tg_source *source)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* a byte order mark, which some editors write */
    bool whole = !tg_load_home(load)->partial; /* else the mark is off its file's first section */
    bool marked = whole && source->file.size >= 3 && memcmp(source->file.data, mark, 3) == 0;

    *lexer = (struct tg_lexer){
        .load = load,
        .source = source,
        .number = source->before,
        .next = source->file.data + (marked ? 3 : 0),
        .end = source->file.data + source->file.size,
    };
}

static struct tg_where where(const struct tg_lexer *lexer, const char *at)
{
    return (struct tg_where){lexer->source->path, lexer->number, (unsigned)(at - lexer->line) + 1};
}

__attribute__((format(printf, 3, 4))) static enum tg_token
complain(struct tg_lexer *lexer, const char *at, const char *format, ...)
{
    struct tg_word place = {.line = lexer->line, .where = where(lexer, at)};
    struct tg_buf text = {0};
    va_list args;

    va_start(args, format);
    tg_buf_vprintf(&text, format, args);
    va_end(args);
    if (text.failed)
        tg_load_lost(lexer->load);
    else
        tg_load_error(lexer->load, lexer->section, &place, NULL, "%s", text.text);
    tg_buf_free(&text);
    return TG_TOKEN_BAD;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* Goes to the next byte that counts, or to the NUL that ends the line. */
static void skip_space(struct tg_lexer *lexer)
{
    while (is_space(*lexer->at))
        lexer->at++;
    if (*lexer->at == '#' && (lexer->at == lexer->line || is_space(lexer->at[-1])))
        lexer->at += strlen(lexer->at);
}

/*
 * Cuts the next line off. A file that ends without a newline has room for the NUL: what
 * tg_file_read returns is NUL-terminated.
 */
static size_t cut_line(struct tg_lexer *lexer)
{
    char *line = lexer->next;
    char *newline = memchr(line, '\n', (size_t)(lexer->end - line));
    char *stop = newline != NULL ? newline : lexer->end;

    lexer->next = newline != NULL ? newline + 1 : lexer->end;
    if (stop > line && stop[-1] == '\r')
        stop--;
    *stop = '\0';
    lexer->line = lexer->at = line;
    lexer->number++;
    return (size_t)(stop - line);
}

/* Text that shows as something else than it is has no place in a policy, not in comments either. */
static bool is_clean(struct tg_lexer *lexer, size_t length)
{
    struct tg_piece bad;

    if (tg_utf8_clean(lexer->line, length, &bad))
        return true;
    if (bad.kind == TG_PIECE_BROKEN)
        complain(lexer, bad.text, "this byte is not UTF-8");
    else
        complain(lexer, bad.text, "the control character U+%04X", (unsigned)bad.code);
    return false;
}

/* No more errors are kept, or no more words can be. */
static bool is_hopeless(const struct tg_lexer *lexer)
{
    return lexer->load->diags->errors >= TG_DIAGS_KEPT || lexer->load->words > MOST_WORDS;
}

enum tg_line tg_lex_line(struct tg_lexer *lexer)
{
    while (lexer->next < lexer->end && !is_hopeless(lexer)) {
        if (!is_clean(lexer, cut_line(lexer)))
            return TG_LINE_BAD;
        skip_space(lexer);
        if (*lexer->at == '[') {
            lexer->at++;
            return TG_LINE_SECTION;
        }
        if (*lexer->at != '\0')
            return TG_LINE_SETTING;
    }
    return TG_LINE_END;
}

static enum tg_token make_word(struct tg_lexer *lexer, const char *start, char *text,
                               struct tg_word **out)
{
    struct tg_word *word = text != NULL ? tg_load_alloc(lexer->load, sizeof(*word)) : NULL;

    if (lexer->load->words++ == MOST_WORDS)
        return complain(lexer, start, "more than %d words: nothing is read from here on",
                        MOST_WORDS);
    if (word == NULL) {
        tg_load_lost(lexer->load);
        return TG_TOKEN_BAD;
    }
    word->text = text;
    word->line = lexer->line;
    word->where = where(lexer, start);
    *out = word;
    return TG_TOKEN_WORD;
}

/* At the opening quote; the word's column is that of what is quoted. */
static enum tg_token quoted(struct tg_lexer *lexer, struct tg_word **out)
{
    const char *open = lexer->at, *at = open + 1;
    char *text, *to;

    while (*at != '"' && *at != '\0')
        at += *at == '\\' && at[1] != '\0' ? 2 : 1;
    if (*at == '\0')
        return complain(lexer, open, "the quote is not closed on this line");
    if (at == open + 1)
        return complain(lexer, open, "an empty value");
    text = to = tg_arena_alloc(lexer->load->scratch, (size_t)(at - open));
    lexer->at = at + 1;
    for (at = open + 1; text != NULL && *at != '"'; at++) {
        if (*at == '\\' && *++at != '"' && *at != '\\')
            return complain(lexer, at - 1,
                            "\"\\%c\" means nothing in quotes: only \\\" and \\\\ do", *at);
        *to++ = *at;
    }
    if (*lexer->at != '\0' && strchr(" \t,]=", *lexer->at) == NULL)
        return complain(lexer, lexer->at, "text directly behind a closing quote");
    return make_word(lexer, open + 1, text, out);
}

/* LENGTH bytes from here. */
static enum tg_token plain(struct tg_lexer *lexer, size_t length, struct tg_word **out)
{
    const char *start = lexer->at, *quote = memchr(start, '"', length);

    if (quote != NULL)
        return complain(lexer, quote, "a quote inside a word: quote all of it, as \"a b\"");
    lexer->at += length;
    return make_word(lexer, start, tg_arena_strndup(lexer->load->scratch, start, length), out);
}

/* A ] ends the head but where it closes an address's own bracket, as in [2001:db8::1]:443. */
static size_t head_word_length(const char *at)
{
    size_t length = *at == '[' ? strcspn(at, "] \t") : 0;

    if (at[length] == ']' && length > 0)
        length++;
    return length + strcspn(at + length, "] \t");
}

enum tg_token tg_lex_head(struct tg_lexer *lexer, struct tg_word **word)
{
    skip_space(lexer);
    if (*lexer->at == '\0')
        return complain(lexer, lexer->at, "the section's head is not closed by ]");
    if (*lexer->at == '"')
        return quoted(lexer, word);
    if (*lexer->at != ']')
        return plain(lexer, head_word_length(lexer->at), word);
    lexer->at++;
    skip_space(lexer);
    if (*lexer->at != '\0')
        return complain(lexer, lexer->at, "text behind the section's head");
    return TG_TOKEN_END;
}

enum tg_token tg_lex_key(struct tg_lexer *lexer, struct tg_word **word)
{
    size_t length = strcspn(lexer->at, "= \t");

    if (length == 0)
        return complain(lexer, lexer->at, "no key before the equals sign");
    if (plain(lexer, length, word) != TG_TOKEN_WORD)
        return TG_TOKEN_BAD;
    skip_space(lexer);
    if (*lexer->at != '=')
        return complain(lexer, lexer->at,
                        "no equals sign behind \"%s\": neither a [section] nor "
                        "a setting, key = value",
                        (*word)->text);
    lexer->at++;
    lexer->first = true;
    return TG_TOKEN_WORD;
}

static enum tg_token comma(struct tg_lexer *lexer)
{
    if (*lexer->at != ',')
        return complain(lexer, lexer->at,
                        "no comma before this value; one that has spaces is "
                        "written in quotes");
    lexer->at++;
    skip_space(lexer);
    if (*lexer->at == '\0')
        return complain(lexer, lexer->at, "no value behind the last comma");
    return TG_TOKEN_WORD;
}

enum tg_token tg_lex_value(struct tg_lexer *lexer, struct tg_word **word)
{
    skip_space(lexer);
    if (*lexer->at == '\0')
        return lexer->first ? complain(lexer, lexer->at, "no value behind the equals sign")
                            : TG_TOKEN_END;
    if (!lexer->first && comma(lexer) == TG_TOKEN_BAD)
        return TG_TOKEN_BAD;
    lexer->first = false;
    if (*lexer->at == ',')
        return complain(lexer, lexer->at, "no value before this comma");
    if (*lexer->at == '"')
        return quoted(lexer, word);
    return plain(lexer, strcspn(lexer->at, ", \t"), word);
}

/* Up to the comment, if there is one. */
static size_t text_length(const char *at)
{
    size_t length = 0, used = 0;

    while (at[length] != '\0' && !(at[length] == '#' && length > 0 && is_space(at[length - 1]))) {
        length++;
        used = is_space(at[length - 1]) ? used : length;
    }
    return used;
}

enum tg_token tg_lex_text(struct tg_lexer *lexer, struct tg_word **word)
{
    skip_space(lexer);
    if (*lexer->at == '\0' || *lexer->at == '"')
        return tg_lex_value(lexer, word);
    lexer->first = false;
    return plain(lexer, text_length(lexer->at), word);
}
