/* lex.h - a policy file's lines into words. Each function complains of what it can't read. */
#ifndef TG_LEX_H
#define TG_LEX_H

#include "loading.h"

struct tg_lexer {
    struct tg_load *load;
    const struct tg_source *source;
    struct tg_section *section; /* whose error a complaint is; set by the parser, may be NULL */
    char *next, *end;           /* the text still to read; lines are cut out of it in place */
    const char *line, *at;      /* the current line, and the next byte in it */
    unsigned number;
    bool first; /* no value of this setting was read yet */
};

enum tg_line {
    TG_LINE_END, /* of the file, or more words or errors than can be kept */
    TG_LINE_SECTION,
    TG_LINE_SETTING,
    TG_LINE_BAD /* complained of */
};

enum tg_token {
    TG_TOKEN_WORD, /* *WORD is set, of the scratch arena */
    TG_TOKEN_END,  /* nothing more in this section's head or setting */
    TG_TOKEN_BAD   /* complained of: nothing more can be read from the line */
};

/* SOURCE's text, which has to outlive the words' lines, is changed: newlines become NUL. */
void tg_lex_begin(struct tg_lexer *lexer, struct tg_load *load, struct tg_source *source);

/* Goes to the next line that isn't blank or a comment. */
enum tg_line tg_lex_line(struct tg_lexer *lexer);

/* The words between the brackets, one a call. */
enum tg_token tg_lex_head(struct tg_lexer *lexer, struct tg_word **word);

/* The key of a setting and the equals sign behind it. */
enum tg_token tg_lex_key(struct tg_lexer *lexer, struct tg_word **word);

/* The values behind the equals sign, one a call, with the commas between. */
enum tg_token tg_lex_value(struct tg_lexer *lexer, struct tg_word **word);

/* All behind the equals sign as one word: a text that needs no quotes. */
enum tg_token tg_lex_text(struct tg_lexer *lexer, struct tg_word **word);

#endif
