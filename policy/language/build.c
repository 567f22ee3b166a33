#include "build.h"
#include "diag.h"
#include "index.h"
#include "profile.h"
#include "store.h"
#include "store_digests.h"
#include <string.h>

/* What is being built: hosts in the order of policy->rules. */
struct builder {
    struct tg_load *load;
    struct tg_section **hosts; /* of policy->rules, at the same index */
    const struct tg_section *policy_section;
};

typedef void build_section(struct builder *builder, struct tg_section *section);

static uint64_t store_settings(struct tg_load *load, struct tg_section *section, void *object)
{
    uint64_t set = 0;

    for (const struct tg_setting *setting = section->settings; setting != NULL;
         setting = setting->next) {
        tg_store_setting(load, section, setting, object);
        set |= TG_KEY_BIT(setting->key->id);
    }
    return set;
}

static void build_policy(struct builder *builder, struct tg_section *section)
{
    struct tg_load *load = builder->load;
    const struct tg_section *first = builder->policy_section;

    if (first == NULL) {
        builder->policy_section = section;
        store_settings(load, section, load->policy);
        return;
    }
    tg_load_error(load, section, section->head, NULL, "there is a [policy] already, at %s:%u",
                  first->head->where.file, first->head->where.line);
    store_settings(load, section, &(tg_policy){0});
}

static void build_rule(struct tg_load *load, struct tg_section *section, struct tg_rule *rule)
{
    rule->where = section->head->where;
    rule->set = store_settings(load, section, rule);
}

static void build_profile(struct builder *builder, struct tg_section *section)
{
    struct tg_rule *rule = tg_load_alloc(builder->load, sizeof(*rule));

    if (rule == NULL)
        return;
    build_rule(builder->load, section, rule);
    tg_profile_add(builder->load, section, rule);
}

static void keep_patterns(struct tg_load *load, const struct tg_section *section,
                          struct tg_words *patterns)
{
    size_t count = 0;

    for (const struct tg_word *name = section->names; name != NULL; name = name->next)
        count++;
    patterns->word = tg_load_keep(load, count * sizeof(*patterns->word));
    for (const struct tg_word *name = section->names; patterns->word != NULL && name != NULL;
         name = name->next)
        patterns->word[patterns->count++] = tg_load_keep_text(load, name->text);
}

static void build_host(struct builder *builder, struct tg_section *section)
{
    tg_policy *policy = builder->load->policy;
    struct tg_rule *rule = tg_load_keep(builder->load, sizeof(*rule));

    if (rule == NULL)
        return;
    build_rule(builder->load, section, rule);
    keep_patterns(builder->load, section, &rule->patterns);
    builder->hosts[policy->rule_count] = section;
    policy->rules[policy->rule_count++] = rule;
}

static void build_distrust(struct builder *builder, struct tg_section *section)
{
    store_settings(builder->load, section, NULL);
}

struct exception_name {
    struct tg_item item;
    const struct tg_word *word;
};

static void name_exception(struct tg_load *load, struct tg_section *section)
{
    const struct tg_word *word = section->names;
    size_t length = word != NULL ? strlen(word->text) : 0;
    struct exception_name *name;

    if (word == NULL)
        return;
    name =
        (struct exception_name *)tg_table_get(&load->table, TG_TAG_EXCEPTION, word->text, length);
    if (name != NULL) {
        tg_load_error(load, section, word, NULL, "there is an exception \"%s\" already, at %s:%u",
                      word->text, name->word->where.file, name->word->where.line);
        return;
    }
    name = tg_load_alloc(load, sizeof(*name));
    if (name == NULL)
        return;
    *name = (struct exception_name){{TG_TAG_EXCEPTION, word->text, length}, word};
    if (!tg_table_put(load->scratch, &load->table, &name->item))
        tg_load_lost(load);
}

/* An exception that left one of these open would forgive more than was looked at. */
static void demand_keys(struct tg_load *load, struct tg_section *section, uint64_t set)
{
    static const enum tg_key_id demanded[] = {TG_KEY_EXCEPTION_HOST, TG_KEY_EXCEPTION_CERTIFICATE,
                                              TG_KEY_EXCEPTION_FINDINGS};

    for (size_t i = 0; i < sizeof(demanded) / sizeof(*demanded); i++)
        if (!(set & TG_KEY_BIT(demanded[i])))
            tg_load_error(load, section, section->head, NULL, "the key %s is missing",
                          tg_key_info(demanded[i])->name);
}

static void build_exception(struct builder *builder, struct tg_section *section)
{
    struct tg_load *load = builder->load;
    tg_policy *policy = load->policy;
    struct tg_exception *exception = &policy->exceptions[policy->exception_count++];

    exception->where = section->head->where;
    exception->name = section->names != NULL ? tg_load_keep_text(load, section->names->text) : NULL;
    name_exception(load, section);
    demand_keys(load, section, store_settings(load, section, exception));
}

/* Room for as many rules and exceptions as there are sections of each. */
static bool reserve(struct builder *builder)
{
    struct tg_load *load = builder->load;
    size_t count[TG_SECTION_KINDS] = {0};

    for (const struct tg_section *section = load->sections; section != NULL;
         section = section->next)
        count[section->kind]++;
    builder->hosts = tg_load_alloc(load, count[TG_SECTION_HOST] * sizeof(*builder->hosts));
    load->policy->rules = tg_load_keep(load, count[TG_SECTION_HOST] * sizeof(*load->policy->rules));
    load->policy->exceptions =
        tg_load_keep(load, count[TG_SECTION_EXCEPTION] * sizeof(*load->policy->exceptions));
    return builder->hosts != NULL && load->policy->rules != NULL &&
           load->policy->exceptions != NULL;
}

static void check_anchors(struct tg_load *load, struct tg_section *section, struct tg_rule *rule)
{
    bool anchors = rule->anchors != NULL || rule->anchors_system;

    if (!(rule->set & TG_KEY_BIT(TG_KEY_ANCHORS_ONLY)))
        rule->anchors_only = anchors;
    else if (rule->anchors_only && !anchors && rule->trusted_leaves.count == 0 &&
             rule->action == TG_ACTION_EVALUATE && !section->broken)
        tg_load_error(load, section, section->head, NULL,
                      "anchors-only = yes without anchors or trust-certificate trusts nothing");
}

static void index_pattern(struct tg_load *load, struct tg_section *section,
                          const struct tg_rule *rule, const struct tg_word *word, const char *text)
{
    const struct tg_rule *clash = NULL;
    struct tg_pattern pattern;
    struct tg_word at = *word;
    size_t column = 0;
    const char *wrong = tg_pattern_parse(load->scratch, text, &pattern, &column);

    at.where.column += (unsigned)column;
    if (wrong != NULL)
        tg_load_error(load, section, &at, NULL, "%s", wrong);
    else if (section->broken)
        return; /* what it would clash with can't be told */
    else if (!tg_index_add(load->policy->index, rule, &pattern, text, &clash))
        tg_load_lost(load);
    else if (clash == rule)
        tg_load_error(load, section, word, NULL, "\"%s\" stands twice in this section", text);
    else if (clash != NULL)
        tg_load_error(load, section, word, NULL,
                      "\"%s\" has a rule of the same rank already, at %s:%u", text,
                      clash->where.file, clash->where.line);
}

static void finish_rule(struct tg_load *load, struct tg_section *section, struct tg_rule *rule)
{
    const struct tg_word *word = section->names;

    tg_profile_apply(load, section, rule);
    if (!(rule->set & TG_KEY_BIT(TG_KEY_MODE)))
        rule->mode = load->policy->mode;
    check_anchors(load, section, rule);
    for (size_t i = 0; i < rule->patterns.count && !load->diags->lost; i++, word = word->next)
        index_pattern(load, section, rule, word, rule->patterns.word[i]);
}

static void finish_policy(struct tg_load *load)
{
    tg_policy *policy = load->policy;

    tg_store_digests(load, &load->distrusted_certificates, &policy->distrusted_certificates);
    tg_store_digests(load, &load->distrusted_keys, &policy->distrusted_keys);
    policy->unmatched_rule.mode = policy->mode;
    if (policy->unmatched == TG_UNMATCHED_REJECT)
        policy->unmatched_rule.action = TG_ACTION_REJECT;
    for (size_t i = 0; i < policy->rule_count && !policy->staples; i++)
        policy->staples = policy->rules[i]->revocation >= TG_REVOCATION_STAPLE;
    for (size_t i = 0; i < policy->exception_count && !tg_diags_failed(load->diags); i++)
        if (!tg_index_add_exception(policy->index, &policy->exceptions[i]))
            tg_load_lost(load);
}

void tg_build_policy(struct tg_load *load)
{
    static build_section *const build[TG_SECTION_KINDS] = {
        [TG_SECTION_POLICY] = build_policy,       [TG_SECTION_HOST] = build_host,
        [TG_SECTION_PROFILE] = build_profile,     [TG_SECTION_DISTRUST] = build_distrust,
        [TG_SECTION_EXCEPTION] = build_exception,
    };
    struct builder builder = {.load = load};

    if (!reserve(&builder))
        return;
    for (struct tg_section *section = load->sections; section != NULL && !load->diags->lost;
         section = section->next)
        build[section->kind](&builder, section);
    for (size_t i = 0; i < load->policy->rule_count && !load->diags->lost; i++)
        finish_rule(load, builder.hosts[i], load->policy->rules[i]);
    tg_profile_warn_unused(load);
    finish_policy(load);
}
