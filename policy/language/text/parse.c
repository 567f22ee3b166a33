#include "parse.h"
#include "lex.h"
#include <string.h>

struct parser {
    struct tg_load *load;
    struct tg_lexer lexer;
    struct tg_section *section;
    bool unknown; /* below a head that wasn't understood: its keys can't be judged */
};

static struct tg_section *new_section(struct parser *parser, enum tg_section_kind kind,
                                      const struct tg_word *head)
{
    struct tg_section *section = tg_load_alloc(parser->load, sizeof(*section));

    if (section == NULL)
        return NULL;
    section->kind = kind;
    section->head = head;
    section->source = parser->lexer.source;
    section->last = &section->settings;
    *parser->load->last_section = section;
    parser->load->last_section = &section->next;
    return section;
}

static void read_names(struct parser *parser)
{
    const struct tg_section_info *info = tg_section_info(parser->section->kind);
    struct tg_word **last = &parser->section->names;
    enum tg_token token;
    unsigned count = 0;

    while ((token = tg_lex_head(&parser->lexer, last)) == TG_TOKEN_WORD) {
        last = &(*last)->next;
        count++;
    }
    if (token == TG_TOKEN_END && (count < info->least_names || count > info->most_names))
        tg_load_error(parser->load, parser->section, parser->section->head, NULL,
                      "a section of this kind is written %s", info->form);
}

static void read_head(struct parser *parser)
{
    struct tg_word *head = NULL;
    struct tg_word start = {.line = parser->lexer.line};
    enum tg_section_kind kind;
    enum tg_token token;

    start.where = (struct tg_where){parser->lexer.source->path, parser->lexer.number, 1};
    parser->unknown = true;
    parser->section = parser->lexer.section = NULL;
    token = tg_lex_head(&parser->lexer, &head);
    if (token == TG_TOKEN_END)
        tg_load_error(parser->load, NULL, &start, NULL, "a section without a name");
    if (token != TG_TOKEN_WORD)
        return;
    kind = tg_section_by_name(head->text);
    if (kind == TG_SECTION_KINDS) {
        tg_load_error(parser->load, NULL, head, tg_section_hint(parser->load->scratch, head->text),
                      "unknown section \"%s\"", head->text);
        return;
    }
    parser->section = parser->lexer.section = new_section(parser, kind, head);
    parser->unknown = parser->section == NULL;
    if (parser->section != NULL)
        read_names(parser);
}

static struct tg_setting *find_setting(const struct tg_section *section, const struct tg_key *key)
{
    struct tg_setting *setting = section->settings;

    while (setting != NULL && setting->key != key)
        setting = setting->next;
    return setting;
}

static struct tg_setting *new_setting(struct parser *parser, const struct tg_key *key,
                                      const struct tg_word *name)
{
    struct tg_setting *setting = tg_load_alloc(parser->load, sizeof(*setting));

    if (setting == NULL)
        return NULL;
    setting->key = key;
    setting->name = name;
    setting->last = &setting->values;
    *parser->section->last = setting;
    parser->section->last = &setting->next;
    return setting;
}

static void read_values(struct parser *parser, struct tg_setting *setting)
{
    bool text = setting->key->type == TG_TYPE_TEXT;
    struct tg_word **before = setting->last, *word;
    enum tg_token token;

    token = text ? tg_lex_text(&parser->lexer, setting->last)
                 : tg_lex_value(&parser->lexer, setting->last);
    while (token == TG_TOKEN_WORD) {
        setting->last = &(*setting->last)->next;
        token = tg_lex_value(&parser->lexer, setting->last);
    }
    word = *before;
    if (token == TG_TOKEN_END && !setting->key->list && word != NULL && word->next != NULL)
        tg_load_error(parser->load, parser->section, word->next, NULL, "%s takes one value",
                      setting->key->name);
}

/* The key as the section knows it, or NULL. */
static const struct tg_key *judge_key(struct parser *parser, const struct tg_word *name)
{
    const struct tg_key *key = tg_key_find(parser->section->kind, name->text);

    if (key == NULL)
        tg_load_error(parser->load, parser->section, name,
                      tg_key_hint(parser->load->scratch, parser->section->kind, name->text),
                      "unknown key \"%s\"", name->text);
    return key;
}

/* One complaint for all lines of a certificate that stands where its file should be named. */
static bool is_pem(struct parser *parser)
{
    struct tg_word start = {.line = parser->lexer.line};

    start.where = (struct tg_where){parser->lexer.source->path, parser->lexer.number, 1};
    if (strncmp(parser->lexer.at, "-----BEGIN ", 11) != 0)
        return false;
    tg_load_error(parser->load, parser->section, &start, NULL,
                  "PEM can't stand in a policy: name the file that it is in, as in anchors = FILE");
    while (tg_lex_line(&parser->lexer) == TG_LINE_SETTING &&
           strncmp(parser->lexer.at, "-----END ", 9) != 0)
        ;
    return true;
}

static void read_setting(struct parser *parser)
{
    struct tg_word *name = NULL;
    struct tg_setting *setting;
    const struct tg_key *key;

    if (is_pem(parser))
        return;
    if (tg_lex_key(&parser->lexer, &name) != TG_TOKEN_WORD || parser->unknown)
        return;
    if (parser->section == NULL) {
        tg_load_error(parser->load, NULL, name, NULL, "\"%s\" stands before the first [section]",
                      name->text);
        return;
    }
    key = judge_key(parser, name);
    setting = key != NULL ? find_setting(parser->section, key) : NULL;
    if (setting != NULL && !key->list)
        tg_load_error(parser->load, parser->section, name, NULL,
                      "%s is set twice, here in line %u and in line %u", key->name,
                      name->where.line, setting->name->where.line);
    if (setting != NULL && !key->list)
        setting = NULL;
    else if (key != NULL && setting == NULL)
        setting = new_setting(parser, key, name);
    if (setting != NULL)
        read_values(parser, setting);
}

/* What follows a head that can't be read belongs to that head, and not to the section above. */
static void read_bad(struct parser *parser)
{
    const char *line = parser->lexer.line;

    if (line[strspn(line, " \t")] != '[')
        return;
    parser->unknown = true;
    parser->section = parser->lexer.section = NULL;
}

void tg_parse_source(struct tg_load *load, struct tg_source *source)
{
    static void (*const read[])(struct parser *) = {
        [TG_LINE_SECTION] = read_head,
        [TG_LINE_SETTING] = read_setting,
        [TG_LINE_BAD] = read_bad,
    };
    struct parser parser = {.load = load};
    enum tg_line line;

    tg_lex_begin(&parser.lexer, load, source);
    while ((line = tg_lex_line(&parser.lexer)) != TG_LINE_END)
        read[line](&parser);
}
