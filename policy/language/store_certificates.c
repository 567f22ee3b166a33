#include "store_certificates.h"
#include "holding.h"
#include "material.h"
#include <string.h>

static bool is_system(const struct tg_store *in, const struct tg_word *word)
{
    return in->setting->key->type == TG_TYPE_ANCHORS && strcmp(word->text, "system") == 0;
}

/* One file's holding is shared by all that name it alone; those of several are joined in another.
 */
static void join(struct tg_load *load, struct tg_loaded **joined, bool *copied,
                 struct tg_loaded *more)
{
    struct tg_loaded *first = *joined;

    if (first == NULL) {
        *joined = more;
        return;
    }
    if (!*copied) {
        *joined = tg_material_new_holding(load);
        *copied = true;
        if (*joined != NULL && !tg_holding_join((*joined)->holding, first->holding))
            tg_load_lost(load);
    }
    if (*joined != NULL && !tg_holding_join((*joined)->holding, more->holding))
        tg_load_lost(load);
}

/* NULL where the setting names no file, or after a complaint. */
static const struct tg_holding *read_files(struct tg_store *in)
{
    struct tg_loaded *loaded = NULL;
    bool copied = false;

    for (const struct tg_word *word = in->setting->values; word != NULL; word = word->next) {
        const struct tg_material *file =
            is_system(in, word) ? NULL : tg_material_get(in, word, TG_TAG_CERTIFICATES);

        if (file != NULL)
            join(in->load, &loaded, &copied, file->certificates);
    }
    if (loaded == NULL)
        return NULL;
    if (!loaded->kept) /* one that threads share is kept already */
        loaded->kept = true;
    return loaded->holding;
}

void tg_store_certificates(struct tg_store *in)
{
    *(const struct tg_holding **)in->field = read_files(in);
}

void tg_store_anchors(struct tg_store *in)
{
    struct tg_rule *rule = in->object;

    rule->anchors = read_files(in);
    for (const struct tg_word *word = in->setting->values; word != NULL; word = word->next)
        rule->anchors_system = rule->anchors_system || is_system(in, word);
}
