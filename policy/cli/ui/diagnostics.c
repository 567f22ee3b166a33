#include "diagnostics.h"
#include "mem.h"
#include "terminal.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

/*
 * Writes TEXT, the diagnostic's, with its severity, ": error: ", in COLOUR. Its first line is
 * wrapped to the terminal; under it a mark shows the column of a line of the policy.
 */
static void print_coloured(FILE *to, const char *text, const char *severity, enum tg_colour colour)
{
    const char *at = strstr(text, severity), *end = strchrnul(text, '\n');
    bool said = at != NULL && at < end;
    size_t before = said ? (size_t)(at - text) + 2 : 0, word = said ? strlen(severity) - 4 : 0;
    size_t told = said ? before + word + 2 : 0;
    struct tg_buf line = {0}, wrapped = {0};

    tg_buf_addn(&line, text + told, (size_t)(end - text) - told);
    tg_terminal_wrap(&wrapped, to, told, 4, line.text != NULL ? line.text : "");
    fprintf(to, "%.*s%s%.*s%s%s%s%s", (int)before, text, tg_terminal_colour(to, colour), (int)word,
            text + before, tg_terminal_colour(to, TG_PLAIN), said ? ": " : "",
            wrapped.text != NULL ? wrapped.text : "", end);
    tg_buf_free(&line);
    tg_buf_free(&wrapped);
}

/* Prints what of DIAGS has SEVERITY; returns how many that were. */
static size_t print_severity(FILE *to, const struct tg_diags *diags, enum tg_severity severity)
{
    size_t printed = 0;

    for (size_t i = 0; i < diags->count; i++) {
        struct tg_diags one = {&diags->diag[i], 1, 1, severity == TG_ERROR, false};
        char *text;

        if (diags->diag[i].severity != severity)
            continue;
        printed++;
        text = tg_diags_text(&one);
        if (text == NULL)
            tg_complain("%s", tg_no_memory);
        else if (severity == TG_ERROR)
            print_coloured(to, text, ": error: ", TG_BAD);
        else
            print_coloured(to, text, ": warning: ", TG_WARN);
        free(text);
    }
    return printed;
}

void tg_diagnostics_print(FILE *to, const struct tg_diags *diags)
{
    size_t errors = print_severity(to, diags, TG_ERROR);
    struct tg_diags rest = {.errors = diags->errors - errors, .lost = diags->lost};
    char *text = tg_diags_text(&rest);

    fputs(text != NULL ? text : "", to);
    free(text);
    print_severity(to, diags, TG_WARNING);
}
