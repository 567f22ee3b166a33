#include "profile.h"
#include "hint.h"
#include <string.h>

/* So many names are tried for a hint, and no hint is given for a wrong name after as many
 * errors: many wrong names among many profiles cost no more. */
enum { MOST_HINTED = 500 };

enum state { NEW, BUSY, DONE };

struct tg_profile {
    struct tg_item item;
    struct tg_profile *next;
    struct tg_section *section;
    struct tg_rule *rule;
    enum state state;
    bool used;
    struct tg_profile *parent; /* that it names */
    struct tg_profile *child;  /* on the way from which it was come to */
};

void tg_profile_add(struct tg_load *load, struct tg_section *section, struct tg_rule *rule)
{
    const struct tg_word *name = section->names;
    struct tg_profile *profile;

    if (name == NULL)
        return;
    profile = (struct tg_profile *)tg_table_get(&load->table, TG_TAG_PROFILE, name->text,
                                                strlen(name->text));
    if (profile != NULL) {
        tg_load_error(load, section, name, NULL, "there is a profile \"%s\" already, at %s:%u",
                      name->text, profile->section->head->where.file,
                      profile->section->head->where.line);
        return;
    }
    profile = tg_load_alloc(load, sizeof(*profile));
    if (profile == NULL)
        return;
    profile->item = (struct tg_item){TG_TAG_PROFILE, name->text, strlen(name->text)};
    profile->section = section;
    profile->rule = rule;
    *load->last_profile = profile;
    load->last_profile = &profile->next;
    if (!tg_table_put(load->scratch, &load->table, &profile->item))
        tg_load_lost(load);
}

/* Where SECTION names its profile. */
static const struct tg_word *name_word(const struct tg_section *section)
{
    const struct tg_setting *setting = section->settings;

    while (setting != NULL && setting->key->id != TG_KEY_PROFILE)
        setting = setting->next;
    return setting != NULL ? setting->values : NULL;
}

static const char *hint(struct tg_load *load, const char *wanted)
{
    struct tg_hint nearest = {.wanted = wanted};
    const struct tg_profile *profile =
        load->diags->count < MOST_HINTED ? tg_load_home(load)->profiles : NULL;

    for (int tried = 0; profile != NULL && tried < MOST_HINTED; tried++) {
        tg_hint_offer(&nearest, profile->item.text);
        profile = profile->next;
    }
    return tg_hint_text(load->scratch, &nearest);
}

/* The profile that SECTION names, or NULL: it names none, or after a complaint. */
static struct tg_profile *named_by(struct tg_load *load, struct tg_section *section)
{
    const struct tg_word *name = name_word(section);
    struct tg_profile *profile;

    if (name == NULL)
        return NULL;
    profile = (struct tg_profile *)tg_table_get(&tg_load_home(load)->table, TG_TAG_PROFILE,
                                                name->text, strlen(name->text));
    if (profile != NULL && !profile->used)
        profile->used = true;
    else if (profile == NULL)
        tg_load_error(load, section, name, hint(load, name->text), "there is no profile \"%s\"",
                      name->text);
    return profile;
}

static void inherit(struct tg_section *section, struct tg_rule *rule,
                    const struct tg_profile *profile)
{
    if (profile->section->broken)
        section->broken = true;
    for (int id = 0; id < TG_KEYS; id++) {
        const struct tg_key *key = tg_key_info(id);

        if (id == TG_KEY_PROFILE || rule->set & TG_KEY_BIT(id) ||
            !(profile->rule->set & TG_KEY_BIT(id)))
            continue;
        memcpy((char *)rule + key->offset, (const char *)profile->rule + key->offset, key->size);
        rule->set |= TG_KEY_BIT(id);
    }
}

/* Up to a profile that is complete, then back down, without recursion: chains may be long. */
static void complete(struct tg_load *load, struct tg_profile *profile)
{
    struct tg_profile *top = NULL;

    while (profile != NULL && profile->state == NEW) {
        profile->state = BUSY;
        profile->child = top;
        top = profile;
        profile->parent = named_by(load, profile->section);
        profile = profile->parent;
    }
    if (top != NULL && profile != NULL && profile->state == BUSY) {
        tg_load_error(load, top->section, name_word(top->section), NULL,
                      "profile \"%s\" takes its keys from itself, through \"%s\"",
                      profile->item.text, top->item.text);
        top->parent = NULL;
    }
    for (; top != NULL; top = top->child) {
        if (top->parent != NULL)
            inherit(top->section, top->rule, top->parent);
        top->state = DONE;
    }
}

void tg_profile_apply(struct tg_load *load, struct tg_section *section, struct tg_rule *rule)
{
    struct tg_profile *profile = named_by(load, section);

    if (profile == NULL)
        return;
    complete(load, profile);
    inherit(section, rule, profile);
}

void tg_profile_warn_unused(struct tg_load *load)
{
    for (struct tg_profile *profile = load->profiles; profile != NULL; profile = profile->next)
        complete(load, profile);
    for (struct tg_profile *profile = load->profiles; profile != NULL; profile = profile->next)
        if (load->partial) /* who names it isn't here; threads only look from now on */
            profile->used = true;
        else if (!profile->used)
            tg_load_warn(load, profile->section, profile->section->head,
                         "nothing names this profile");
}
