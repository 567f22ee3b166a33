/* shell.h - the words of a shell's text, as far as they can be read without the shell. */
#ifndef TG_SHELL_H
#define TG_SHELL_H

#include <stdbool.h>
#include <stddef.h>

enum { TG_SHELL_WORD = 256, TG_SHELL_VARIABLES = 16 };

/* The variables that the text has set so far to one value alone; zeroed at its beginning. */
struct tg_shell {
    size_t count;
    struct {
        char name[32], value[TG_SHELL_WORD];
        bool known;
    } variable[TG_SHELL_VARIABLES];
};

/* Copies the word at TEXT to WORD, its quotes taken away and SHELL's variables in their places; ""
 * if it is too long or needs the shell to be understood. Returns its end. */
const char *tg_shell_word(const struct tg_shell *shell, const char *text, char word[TG_SHELL_WORD]);

/* TEXT, of which WORD was made, is where a command may stand: notes what it sets if it is
 * "NAME=VALUE". */
void tg_shell_set(struct tg_shell *shell, const char *text, const char *word);

#endif
