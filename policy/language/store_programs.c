#include "store_programs.h"
#include "program.h"
#include <errno.h>
#include <stdlib.h>

/* What an absolute path leads to, if there is such a file: what /proc will call the program. */
static void add_realpath(struct tg_store *in, struct tg_words *paths, const char *program)
{
    char *path;

    if (program[0] != '/' || tg_program_is_glob(program))
        return;
    path = realpath(program, NULL);
    if (path != NULL)
        tg_store_add_word(in, paths, path);
    else if (errno == ENOMEM)
        tg_load_lost(in->load);
    free(path);
}

void tg_store_programs(struct tg_store *in)
{
    struct tg_rule *rule = in->object;

    rule->programs = tg_store_new_words(in);
    rule->realpaths = tg_store_new_words(in);
    for (const struct tg_word *word = in->setting->values; word != NULL; word = word->next) {
        if (!tg_store_check(in, word, tg_program_fault(in->load->scratch, word->text)))
            continue;
        tg_store_add_word(in, &rule->programs, word->text);
        add_realpath(in, &rule->realpaths, word->text);
    }
}
