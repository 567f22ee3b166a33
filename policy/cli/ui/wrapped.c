#include "wrapped.h"
#include <stdbool.h>
#include <string.h>

enum { COLUMNS = 80 }; /* of the help */

/* The word at TEXT ends at a blank, which in brackets is a part of it, or with the line. */
static size_t word_length(const char *text)
{
    size_t length = 0;

    for (int depth = 0;
         text[length] != '\0' && text[length] != '\n' && (text[length] != ' ' || depth > 0);
         length++)
        depth += (text[length] == '[') - (text[length] == ']');
    return length;
}

void tg_wrapped_write(FILE *to, const char *text, size_t at, int indent)
{
    bool first = true; /* of its line: there is no better place for it */

    while (*text != '\0') {
        size_t blanks = strspn(text, " "), length = blanks + word_length(text + blanks);

        if (*text == '\n' || (!first && at + length > COLUMNS)) {
            fprintf(to, "\n%*s", indent, "");
            at = (size_t)indent;
            first = true;
            text += *text == '\n' ? 1 : blanks;
            continue;
        }
        fwrite(text, 1, length, to);
        at += length;
        text += length;
        first = false;
    }
    fputc('\n', to);
}
