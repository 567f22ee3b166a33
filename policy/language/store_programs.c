#include "store_programs.h"
#include "program.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What an absolute path leads to is asked once. NULL without memory, or where an image lacks it. */
static const struct tg_program_path *find_path(struct tg_load *load, const char *program)
{
    struct tg_load *home = tg_load_home(load);
    const struct tg_program_path *known = (struct tg_program_path *)tg_table_get(
        &home->table, TG_TAG_PROGRAM, program, strlen(program));
    char *path;

    if (known != NULL || home->compiled != NULL)
        return known;
    path = realpath(program, NULL);
    if (path != NULL || errno != ENOMEM)
        known = tg_store_program_path(home, program, path);
    free(path);
    return known;
}

const struct tg_program_path *tg_store_program_path(struct tg_load *load, const char *program,
                                                    const char *path)
{
    struct tg_program_path *known = tg_load_alloc(load, sizeof(*known));
    char *word = tg_arena_strndup(load->scratch, program, strlen(program));

    if (known == NULL || word == NULL)
        return NULL;
    known->item = (struct tg_item){TG_TAG_PROGRAM, word, strlen(word)};
    if (path != NULL) {
        known->path = tg_arena_strndup(load->scratch, path, strlen(path));
        if (known->path == NULL)
            return NULL;
    }
    if (!tg_table_put(load->scratch, &load->table, &known->item))
        return NULL;
    known->next = load->programs;
    load->programs = known;
    return known;
}

/* What /proc will call the program, if there is such a file. */
static void add_realpath(struct tg_store *in, struct tg_words *paths, const char *program)
{
    const struct tg_program_path *known;

    if (program[0] != '/' || tg_program_is_glob(program))
        return;
    known = find_path(in->load, program);
    if (known == NULL)
        tg_load_lost(in->load);
    else if (known->path != NULL)
        tg_store_add_word(in, paths, known->path);
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
