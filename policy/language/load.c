/* load.c - a policy out of its files, whole or not at all. */
#include "load.h"
#include "build.h"
#include "holding.h"
#include "include.h"
#include "loading.h"
#include "parse.h"
#include "text.h"
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

static void read_source(struct tg_load *load, struct tg_source *source)
{
    struct tg_section **section = load->last_section;

    tg_parse_source(load, source);
    for (; *section != NULL; section = &(*section)->next)
        for (const struct tg_setting *setting = (*section)->settings; setting != NULL;
             setting = setting->next)
            if (setting->key->type == TG_TYPE_INCLUDE)
                tg_source_include(load, *section, setting);
}

static void read_policy(struct tg_load *load, const char *path)
{
    load->policy->file = tg_load_keep_path(load, path);
    tg_source_read_main(load, path);
    for (struct tg_source *source = load->sources; source != NULL && !load->diags->lost;
         source = source->next)
        read_source(load, source);
    if (load->sources != NULL && !load->diags->lost)
        tg_build_policy(load);
}

/* What rules point to is the policy's from now on; the rest was read only to be checked. */
static void hand_over_holdings(struct tg_load *load)
{
    tg_policy *policy = load->policy;
    size_t kept = 0;

    if (load->scratch == NULL)
        return;
    for (struct tg_loaded *loaded = load->loaded; loaded != NULL; loaded = loaded->next)
        kept += loaded->kept;
    policy->holdings = tg_load_keep(load, kept * sizeof(*policy->holdings));
    for (struct tg_loaded *loaded = load->loaded; loaded != NULL; loaded = loaded->next) {
        if (loaded->kept && policy->holdings != NULL)
            policy->holdings[policy->holding_count++] = loaded->holding;
        else
            tg_holding_free(loaded->holding);
    }
}

static unsigned rank_of(void *arg, const char *file)
{
    const struct tg_load *load = arg;
    const struct tg_source_path *path =
        (const struct tg_source_path *)tg_table_get(&load->table, TG_TAG_PATH, file, strlen(file));

    return path != NULL ? path->rank : 0;
}

bool tg_load_begin(struct tg_load *load, struct tg_diags *diags)
{
    load->policy = tg_policy_new();
    load->scratch = tg_arena_new();
    load->diags = diags;
    load->last_source = &load->sources;
    load->last_section = &load->sections;
    load->last_profile = &load->profiles;
    if (load->policy != NULL && load->scratch != NULL)
        return true;
    tg_load_lost(load);
    return false;
}

void tg_load_end(struct tg_load *load)
{
    for (struct tg_source *source = load->sources; source != NULL; source = source->next)
        tg_file_clear(&source->file);
    tg_buf_free(&load->distrusted_certificates);
    tg_buf_free(&load->distrusted_keys);
    if (load->policy != NULL)
        hand_over_holdings(load);
    tg_arena_free(load->scratch);
}

/* The policy of LOAD, which has ended, if nothing was wrong since there were ERRORS. */
static tg_policy *conclude(const struct tg_load *load, size_t errors)
{
    if (!load->diags->lost && load->diags->errors == errors)
        return load->policy;
    tg_policy_free(load->policy);
    return NULL;
}

tg_policy *tg_policy_parse_with(const char *path, const struct tg_override *override,
                                struct tg_diags *diags)
{
    struct tg_load load = {.override = override};
    size_t before = diags->count, errors = diags->errors;

    ERR_set_mark();
    if (tg_load_begin(&load, diags)) {
        read_policy(&load, path);
        tg_diags_sort(diags, before, rank_of, &load);
    }
    tg_load_end(&load);
    ERR_pop_to_mark();
    return conclude(&load, errors);
}

tg_policy *tg_policy_of_section(struct tg_load *base, struct tg_source *source,
                                struct tg_diags *diags)
{
    struct tg_load load = {.base = base};
    size_t errors = diags->errors;

    ERR_set_mark();
    if (tg_load_begin(&load, diags)) {
        load.policy->file = base->policy->file;
        load.policy->mode = base->policy->mode;
        tg_parse_source(&load, source);
        tg_build_policy(&load);
    }
    tg_load_end(&load);
    ERR_pop_to_mark();
    return conclude(&load, errors);
}

tg_policy *tg_policy_parse(const char *path, struct tg_diags *diags)
{
    return tg_policy_parse_with(path, NULL, diags);
}
