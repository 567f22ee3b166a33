#include "store_certificates.h"
#include "material.h"
#include <string.h>

static bool is_system(const struct tg_store *in, const struct tg_word *word)
{
    return in->setting->key->type == TG_TYPE_ANCHORS && strcmp(word->text, "system") == 0;
}

/* One file's certificates are shared by all that name it alone; those of several are copied. */
static void join(struct tg_load *load, struct tg_stack **joined, bool *copied,
                 struct tg_stack *more)
{
    struct tg_stack *first = *joined;

    if (first == NULL) {
        *joined = more;
        return;
    }
    if (!*copied) {
        *joined = tg_material_new_stack(load);
        *copied = true;
        if (*joined != NULL &&
            !X509_add_certs((*joined)->certs, first->certs, X509_ADD_FLAG_UP_REF))
            tg_load_lost(load);
    }
    if (*joined != NULL && !X509_add_certs((*joined)->certs, more->certs, X509_ADD_FLAG_UP_REF))
        tg_load_lost(load);
}

/* NULL where the setting names no file, or after a complaint. */
static STACK_OF(X509) *read_stack(struct tg_store *in)
{
    struct tg_stack *stack = NULL;
    bool copied = false;

    for (const struct tg_word *word = in->setting->values; word != NULL; word = word->next) {
        const struct tg_material *file =
            is_system(in, word) ? NULL : tg_material_get(in, word, TG_TAG_CERTIFICATES);

        if (file != NULL)
            join(in->load, &stack, &copied, file->stack);
    }
    if (stack == NULL)
        return NULL;
    if (!stack->kept) /* one that threads share is kept already */
        stack->kept = true;
    return stack->certs;
}

void tg_store_certificates(struct tg_store *in)
{
    *(STACK_OF(X509) **)in->field = read_stack(in);
}

void tg_store_anchors(struct tg_store *in)
{
    struct tg_rule *rule = in->object;

    rule->anchors = read_stack(in);
    for (const struct tg_word *word = in->setting->values; word != NULL; word = word->next)
        rule->anchors_system = rule->anchors_system || is_system(in, word);
}
