#include "store.h"
#include "hint.h"
#include "store_certificates.h"
#include "store_crls.h"
#include "store_digests.h"
#include "store_findings.h"
#include "store_hosts.h"
#include "store_knownhosts.h"
#include "store_log.h"
#include "store_programs.h"
#include "value.h"
#include <stdlib.h>
#include <string.h>

/* "app, verify or reject" */
static void add_choices(struct tg_buf *text, const char *const *choices)
{
    for (size_t i = 0; choices[i] != NULL; i++) {
        const char *between = choices[i + 1] != NULL ? ", " : " or ";

        tg_buf_printf(text, "%s%s", i > 0 ? between : "", choices[i]);
    }
}

static void complain_choice(struct tg_store *in, const struct tg_hint *hint)
{
    const struct tg_key *key = in->setting->key;
    const struct tg_word *word = in->setting->values;
    struct tg_buf accepted = {0};

    add_choices(&accepted, key->choices);
    if (accepted.failed)
        tg_load_lost(in->load);
    else
        tg_load_error(in->load, in->section, word, tg_hint_text(in->load->scratch, hint),
                      "%s: \"%s\" is not %s", key->name, word->text, accepted.text);
    tg_buf_free(&accepted);
}

/* The index of the value among the key's choices, or -1 after a complaint. */
static int choose(struct tg_store *in)
{
    const char *word = in->setting->values->text;
    const char *const *choices = in->setting->key->choices;
    struct tg_hint hint = {.wanted = word};

    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(choices[i], word) == 0)
            return i;
        tg_hint_offer(&hint, choices[i]);
    }
    complain_choice(in, &hint);
    return -1;
}

static void store_choice(struct tg_store *in)
{
    int chosen = choose(in);

    if (chosen >= 0 && in->field != NULL)
        memcpy(in->field, &chosen, sizeof(chosen));
}

static void store_flag(struct tg_store *in)
{
    int chosen = choose(in);

    if (chosen >= 0)
        *(bool *)in->field = chosen == 1;
}

static void store_yes_no(struct tg_store *in)
{
    const struct tg_word *word = in->setting->values;
    bool yes = false;

    if (tg_store_check(in, word, tg_value_yes_no(in->load->scratch, word->text, &yes)) &&
        in->field != NULL)
        *(bool *)in->field = yes;
}

static void store_number(struct tg_store *in)
{
    const struct tg_key *key = in->setting->key;
    const struct tg_word *word = in->setting->values;
    size_t length = strlen(word->text);
    unsigned long number = length < 10 ? strtoul(word->text, NULL, 10) : key->most + 1ul;

    if (strspn(word->text, "0123456789") != length || number < key->least || number > key->most)
        tg_load_error(in->load, in->section, word, NULL, "%s: \"%s\" is no number from %u to %u",
                      key->name, word->text, key->least, key->most);
    else if (in->field != NULL)
        *(unsigned *)in->field = (unsigned)number;
}

static void store_time(struct tg_store *in)
{
    const struct tg_word *word = in->setting->values;

    tg_store_check(in, word, tg_value_time(in->load->scratch, word->text, in->field));
}

static void store_text(struct tg_store *in)
{
    *(const char **)in->field = tg_load_keep_text(in->load, in->setting->values->text);
}

/* Followed when its file was read. */
static void store_nothing(struct tg_store *in)
{
    (void)in;
}

void tg_store_setting(struct tg_load *load, struct tg_section *section,
                      const struct tg_setting *setting, void *object)
{
    static tg_store_value *const store[TG_TYPES] = {
        [TG_TYPE_CHOICE] = store_choice,
        [TG_TYPE_FLAG] = store_flag,
        [TG_TYPE_YES_NO] = store_yes_no,
        [TG_TYPE_NUMBER] = store_number,
        [TG_TYPE_TIME] = store_time,
        [TG_TYPE_TEXT] = store_text,
        [TG_TYPE_PROFILE] = store_text,
        [TG_TYPE_PROGRAMS] = tg_store_programs,
        [TG_TYPE_HOSTNAMES] = tg_store_hostnames,
        [TG_TYPE_ANCHORS] = tg_store_anchors,
        [TG_TYPE_CERTIFICATES] = tg_store_certificates,
        [TG_TYPE_LEAVES] = tg_store_leaves,
        [TG_TYPE_PINS] = tg_store_pins,
        [TG_TYPE_CRLS] = tg_store_crls,
        [TG_TYPE_KNOWN] = tg_store_known,
        [TG_TYPE_LOG] = tg_store_log,
        [TG_TYPE_INCLUDE] = store_nothing,
        [TG_TYPE_HOST] = tg_store_host,
        [TG_TYPE_FINGERPRINT] = tg_store_fingerprint,
        [TG_TYPE_FINDINGS] = tg_store_findings,
    };
    const struct tg_key *key = setting->key;
    struct tg_store in = {load, section, setting, object, NULL};

    if (setting->values == NULL) /* a complaint was made of the first */
        return;
    if (key->size > 0)
        in.field = (char *)object + key->offset;
    store[key->type](&in);
}
