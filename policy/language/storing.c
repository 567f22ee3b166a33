#include "storing.h"

bool tg_store_check(struct tg_store *in, const struct tg_word *word, const char *sentence)
{
    if (sentence != NULL)
        tg_load_error(in->load, in->section, word, NULL, "%s: %s", in->setting->key->name,
                      sentence);
    return sentence == NULL;
}

static size_t count_words(const struct tg_word *word)
{
    size_t count = 0;

    for (; word != NULL; word = word->next)
        count++;
    return count;
}

struct tg_words tg_store_new_words(struct tg_store *in)
{
    size_t room = count_words(in->setting->values);

    return (struct tg_words){tg_load_keep(in->load, room * sizeof(const char *)), 0};
}

void tg_store_add_word(struct tg_store *in, struct tg_words *words, const char *text)
{
    const char *kept = words->word != NULL ? tg_load_keep_text(in->load, text) : NULL;

    if (kept != NULL)
        words->word[words->count++] = kept;
}
