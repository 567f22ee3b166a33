#include "shell.h"
#include <ctype.h>
#include <string.h>

static size_t name_length(const char *text)
{
    size_t length = 0;

    while (isalnum((unsigned char)text[length]) || text[length] == '_')
        length++;
    return isdigit((unsigned char)text[0]) ? 0 : length;
}

/* Its place, or that of the next one to come. */
static size_t find(const struct tg_shell *shell, const char *name, size_t length)
{
    size_t i = 0;

    while (i < shell->count && (strncmp(shell->variable[i].name, name, length) != 0 ||
                                shell->variable[i].name[length] != '\0'))
        i++;
    return i;
}

/* The value of what *TEXT, a '$', names, which is moved to the last of it; NULL: it isn't known. */
static const char *value_at(const struct tg_shell *shell, const char **text)
{
    bool braced = (*text)[1] == '{';
    const char *name = *text + 1 + braced;
    size_t length = name_length(name), i = shell->count;

    if (length > 0 && length < sizeof(shell->variable[0].name) && (!braced || name[length] == '}'))
        i = find(shell, name, length);
    if (i == shell->count || !shell->variable[i].known)
        return NULL;
    *text = name + length - !braced;
    return shell->variable[i].value;
}

/* False: there is no room for it. */
static bool append(char word[TG_SHELL_WORD], size_t *length, const char *more, size_t size)
{
    if (size >= TG_SHELL_WORD - *length)
        return false;
    memcpy(word + *length, more, size);
    *length += size;
    return true;
}

const char *tg_shell_word(const struct tg_shell *shell, const char *text, char word[TG_SHELL_WORD])
{
    bool plain = true;
    size_t length = 0;
    char quote = '\0';

    for (; *text != '\0' && (quote != '\0' || strchr(" \t\n;&|()", *text) == NULL); text++) {
        const char *value = NULL;

        if (*text == quote) {
            quote = '\0';
        } else if (quote == '\0' && (*text == '"' || *text == '\'')) {
            quote = *text;
        } else if (*text == '$' && quote != '\'' && (value = value_at(shell, &text)) != NULL) {
            plain = plain && append(word, &length, value, strlen(value));
        } else {
            if (*text == '\\' && text[1] != '\0')
                text++;
            plain = plain && *text != '$' && *text != '`' && append(word, &length, text, 1);
        }
    }
    word[plain ? length : 0] = '\0';
    return text;
}

void tg_shell_set(struct tg_shell *shell, const char *text, const char *word)
{
    size_t length = name_length(text), i = find(shell, text, length);
    const char *value = word + length + 1;

    if (length == 0 || length >= sizeof(shell->variable[0].name) || text[length] != '=' ||
        i == TG_SHELL_VARIABLES)
        return;
    if (i < shell->count) { /* which of them is in force depends on more than the text */
        shell->variable[i].known = shell->variable[i].known && *word != '\0' &&
                                   strcmp(shell->variable[i].value, value) == 0;
        return;
    }
    memcpy(shell->variable[i].name, text, length);
    shell->variable[i].name[length] = '\0';
    shell->variable[i].known = *word != '\0';
    if (shell->variable[i].known)
        memcpy(shell->variable[i].value, value, strlen(value) + 1);
    shell->count++;
}
