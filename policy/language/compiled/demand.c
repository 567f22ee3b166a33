#include "demand.h"
#include "load.h"
#include "stored.h"
#include "trustgraft.h"
#include <stdlib.h>
#include <string.h>

/* What was made on demand. */
struct unit {
    struct tg_memo_item item;
    tg_policy *policy;          /* a section's, or an index of such; NULL: none */
    struct tg_stored *material; /* NULL: none */
};

/* The memo's tag: tags proper leave the highest byte free. */
static uint64_t memo_tag(enum tg_image_kind kind, uint64_t tag)
{
    return (uint64_t)kind << 56 | tag;
}

static void release(struct tg_memo_item *item)
{
    struct unit *unit = (struct unit *)item;

    tg_policy_free(unit->policy);
    tg_stored_free(unit->material);
    free((char *)unit->item.text);
    free(unit);
}

static struct unit *new_unit(uint64_t tag, const char *text, size_t length)
{
    struct unit *unit = calloc(1, sizeof(*unit));
    char *copy = unit != NULL ? malloc(length + 1) : NULL;

    if (copy == NULL) {
        free(unit);
        return NULL;
    }
    if (length > 0)
        memcpy(copy, text, length);
    unit->item = (struct tg_memo_item){.tag = tag, .text = copy, .length = length};
    return unit;
}

/* Of two threads that made the same, one's stays. */
static struct unit *keep(struct tg_compiled *compiled, struct unit *unit)
{
    struct unit *kept = (struct unit *)tg_memo_put(&compiled->memo, &unit->item);

    if (kept != unit)
        release(&unit->item);
    return kept;
}

/* Offsets, as they are met. */
struct offsets {
    uint64_t *at;
    size_t count, room;
};

static bool add_offset(void *arg, uint64_t offset)
{
    struct offsets *list = arg;

    if (list->count == list->room) {
        size_t room = list->room > 0 ? list->room * 2 : 8;
        uint64_t *at = realloc(list->at, room * sizeof(*at));

        if (at == NULL)
            return false;
        list->at = at;
        list->room = room;
    }
    list->at[list->count++] = offset;
    return true;
}

/* False where it can't be told; OFFSETS is to be freed. */
static bool find(struct tg_compiled *compiled, enum tg_image_kind kind, uint64_t tag,
                 const char *text, size_t length, struct offsets *offsets)
{
    struct tg_image_reader reader;

    tg_image_begin(&reader, compiled->image);
    return tg_image_find(&reader, kind, tag, text, length, add_offset, offsets);
}

/* ---- sections ------------------------------------------------------------------------------ */

/* The policy of the section whose record is RECORD, and its text TEXT. */
static tg_policy *build(struct tg_compiled *compiled, const struct tg_image_record *record,
                        char *text)
{
    struct tg_diags diags = {0};
    struct tg_source source;
    tg_policy *policy;

    if (record->tag >> 32 >= compiled->source_count)
        return NULL;
    source = compiled->sources[record->tag >> 32];
    source.before = (unsigned)record->tag;
    source.file.data = text;
    source.file.size = record->length;
    policy = tg_policy_of_section(&compiled->base, &source, &diags);
    tg_diags_clear(&diags);
    return policy;
}

static tg_policy *read_section(struct tg_compiled *compiled, enum tg_image_kind kind,
                               uint64_t offset)
{
    struct tg_image_record record;
    struct tg_image_reader reader;
    tg_policy *policy = NULL;
    char *text = NULL;

    tg_image_begin(&reader, compiled->image);
    if (tg_image_read(&reader, offset, &record, sizeof(record)) && record.kind == kind)
        text = tg_image_take(&reader, offset + sizeof(record), record.length);
    if (text != NULL)
        policy = build(compiled, &record, text);
    free(text);
    return policy;
}

/* The policy of the section at OFFSET, kept. NULL where it can't be told. */
static const tg_policy *section_at(struct tg_compiled *compiled, enum tg_image_kind kind,
                                   uint64_t offset)
{
    uint64_t tag = memo_tag(kind, offset);
    struct unit *unit = (struct unit *)tg_memo_get(&compiled->memo, tag, NULL, 0);

    if (unit != NULL)
        return unit->policy;
    unit = new_unit(tag, NULL, 0);
    if (unit == NULL)
        return NULL;
    unit->policy = read_section(compiled, kind, offset);
    if (unit->policy != NULL)
        return keep(compiled, unit)->policy;
    release(&unit->item);
    return NULL;
}

static const struct tg_rule *rule_at(struct tg_compiled *compiled, uint64_t offset)
{
    const tg_policy *policy = section_at(compiled, TG_IMAGE_RULE, offset);

    return policy != NULL && policy->rule_count == 1 ? policy->rules[0] : NULL;
}

/* ---- what a host is looked up by ------------------------------------------------------------ */

static bool is_key(const struct tg_pattern *pattern, const struct tg_host_key *key)
{
    struct tg_host_key own = tg_index_key(pattern);

    return tg_index_tag(&own, 0) == tg_index_tag(key, 0) && own.length == key->length &&
           (own.length == 0 || memcmp(own.text, key->text, own.length) == 0);
}

/* Enters RULE in POLICY's index under those of its patterns that are KEY with any port. */
static bool enter(tg_policy *policy, const struct tg_rule *rule, const struct tg_host_key *key)
{
    bool entered = false;

    for (size_t i = 0; i < rule->patterns.count; i++) {
        const char *word = rule->patterns.word[i];
        const struct tg_rule *clash = NULL;
        struct tg_pattern pattern;
        size_t column;

        if (tg_pattern_parse(policy->arena, word, &pattern, &column) != NULL ||
            !is_key(&pattern, key))
            continue;
        if (!tg_index_add(policy->index, rule, &pattern, word, &clash) || clash != NULL)
            return false;
        entered = true;
    }
    return entered;
}

static int compare_offsets(const void *one, const void *other)
{
    uint64_t first = *(const uint64_t *)one, second = *(const uint64_t *)other;

    return first < second ? -1 : first > second;
}

/* The rules of KEY in an index of their own; one that names it with several ports is met several
 * times. */
static bool enter_all(struct tg_compiled *compiled, tg_policy *policy,
                      const struct tg_host_key *key, const struct offsets *offsets)
{
    qsort(offsets->at, offsets->count, sizeof(*offsets->at), compare_offsets);
    for (size_t i = 0; i < offsets->count; i++) {
        const struct tg_rule *rule = NULL;

        if (i > 0 && offsets->at[i] == offsets->at[i - 1])
            continue;
        rule = rule_at(compiled, offsets->at[i]);
        if (rule == NULL || !enter(policy, rule, key))
            return false;
    }
    return true;
}

/* The unit of KEY; NULL where there is no rule under it. False where it can't be told. */
static bool unit_of(struct tg_compiled *compiled, const struct tg_host_key *key, struct unit **out)
{
    uint64_t tag = memo_tag(TG_IMAGE_PATTERN, tg_index_tag(key, 0));
    struct unit *unit = (struct unit *)tg_memo_get(&compiled->memo, tag, key->text, key->length);
    struct offsets offsets = {0};
    bool known;

    *out = unit;
    if (unit != NULL)
        return true;
    known =
        find(compiled, TG_IMAGE_PATTERN, tg_index_tag(key, 0), key->text, key->length, &offsets);
    if (known && offsets.count > 0) {
        unit = new_unit(tag, key->text, key->length);
        if (unit != NULL)
            unit->policy = tg_policy_new();
        known = unit != NULL && unit->policy != NULL &&
                enter_all(compiled, unit->policy, key, &offsets);
        if (known)
            *out = keep(compiled, unit);
        else if (unit != NULL)
            release(&unit->item);
    }
    free(offsets.at);
    return known;
}

static struct tg_group *group(struct tg_supply *supply, const struct tg_host_key *key,
                              unsigned port)
{
    struct tg_compiled *compiled = (struct tg_compiled *)supply;
    struct unit *unit;

    if (!unit_of(compiled, key, &unit))
        return &compiled->damaged.group;
    return unit != NULL ? tg_index_group(unit->policy->index, key, port) : NULL;
}

/* ---- exceptions ---------------------------------------------------------------------------- */

static bool gather(struct tg_compiled *compiled, tg_policy *policy, const struct offsets *offsets)
{
    policy->exceptions =
        tg_arena_alloc(policy->arena, offsets->count * sizeof(*policy->exceptions));
    for (size_t i = 0; policy->exceptions != NULL && i < offsets->count; i++) {
        const tg_policy *one = section_at(compiled, TG_IMAGE_SECTION, offsets->at[i]);

        if (one == NULL || one->exception_count != 1)
            return false;
        policy->exceptions[policy->exception_count++] = one->exceptions[0];
        if (!tg_index_add_exception(policy->index, &policy->exceptions[i]))
            return false;
    }
    return policy->exceptions != NULL;
}

static const tg_policy *exceptions(struct tg_supply *supply, const char *host)
{
    struct tg_compiled *compiled = (struct tg_compiled *)supply;
    uint64_t tag = memo_tag(TG_IMAGE_HOST, 0);
    size_t length = strlen(host);
    struct unit *unit = (struct unit *)tg_memo_get(&compiled->memo, tag, host, length);
    struct offsets offsets = {0};

    if (unit != NULL)
        return unit->policy;
    if (supply->exceptions_held > 0 && find(compiled, TG_IMAGE_HOST, 0, host, length, &offsets) &&
        offsets.count > 0) {
        unit = new_unit(tag, host, length);
        if (unit != NULL)
            unit->policy = tg_policy_new();
        if (unit != NULL && unit->policy != NULL && gather(compiled, unit->policy, &offsets)) {
            unit = keep(compiled, unit);
        } else if (unit != NULL) {
            release(&unit->item);
            unit = NULL;
        }
    }
    free(offsets.at);
    return unit != NULL ? unit->policy : NULL;
}

/* ---- all rules ------------------------------------------------------------------------------ */

/* True if the rule of RECORD, at OFFSET, may be one for hosts below BELOW. False in *KNOWN where it
 * can't be told. */
static bool is_wanted(struct tg_image_reader *reader, uint64_t offset,
                      const struct tg_image_record *record, const struct tg_walk *walk,
                      const char *below, bool *known)
{
    bool wanted = false;
    char *text, *name;

    if (record->kind != TG_IMAGE_RULE || record->value & TG_IMAGE_PASS ||
        !(record->value & TG_IMAGE_SPECIFIC))
        return false;
    if (below == NULL)
        return !(walk->enforcing && record->value & TG_IMAGE_REPORT);
    text = tg_image_take(reader, offset + sizeof(*record), record->length);
    name = strndup(below, strlen(below) - (below[strlen(below) - 1] == '.'));
    *known = text != NULL && name != NULL;
    if (*known)
        wanted = strcasestr(text, name) != NULL;
    free(name);
    free(text);
    return wanted;
}

static const struct tg_rule *give_up(struct tg_compiled *compiled, struct tg_walk *walk)
{
    walk->next = UINT64_MAX;
    return &compiled->damaged.rule;
}

static const struct tg_rule *next(struct tg_supply *supply, struct tg_walk *walk, const char *below)
{
    struct tg_compiled *compiled = (struct tg_compiled *)supply;
    const struct tg_image_header *header = &compiled->image->header;
    struct tg_image_record record;
    struct tg_image_reader reader;
    const struct tg_rule *rule;

    if (walk->next == 0)
        walk->next = header->records;
    tg_image_begin(&reader, compiled->image);
    while (walk->next < header->records_end) {
        uint64_t offset = walk->next;
        bool known = true, wanted;

        if (!tg_image_read(&reader, offset, &record, sizeof(record)))
            return give_up(compiled, walk);
        walk->next = tg_image_behind(offset, record.length);
        wanted = is_wanted(&reader, offset, &record, walk, below, &known);
        rule = wanted ? rule_at(compiled, offset) : NULL;
        if (!known || (wanted && rule == NULL))
            return give_up(compiled, walk);
        if (wanted)
            return rule;
    }
    return NULL;
}

/* ---- files ---------------------------------------------------------------------------------- */

const struct tg_material *tg_demand_material(struct tg_compiled *compiled, enum tg_load_tag tag,
                                             const char *path)
{
    uint64_t key = memo_tag(TG_IMAGE_FILE, tag);
    size_t length = strlen(path);
    struct unit *unit = (struct unit *)tg_memo_get(&compiled->memo, key, path, length);
    struct offsets offsets = {0};
    struct tg_image_reader reader;

    if (unit != NULL)
        return &unit->material->material;
    if (find(compiled, TG_IMAGE_FILE, tag, path, length, &offsets) && offsets.count == 1)
        unit = new_unit(key, path, length);
    tg_image_begin(&reader, compiled->image);
    if (unit != NULL)
        unit->material = tg_stored_read(&reader, offsets.at[0], tag);
    free(offsets.at);
    if (unit != NULL && unit->material != NULL)
        return &keep(compiled, unit)->material->material;
    if (unit != NULL)
        release(&unit->item);
    return NULL;
}

/* ---- from first to last ---------------------------------------------------------------------- */

static void free_compiled(struct tg_supply *supply)
{
    struct tg_compiled *compiled = (struct tg_compiled *)supply;

    tg_memo_clear(&compiled->memo, release);
    tg_diags_clear(&compiled->diags);
    tg_load_end(&compiled->base);
    tg_image_close(compiled->image);
    tg_arena_free(compiled->arena);
}

void tg_demand_begin(struct tg_compiled *compiled)
{
    compiled->supply = (struct tg_supply){
        .group = group, .exceptions = exceptions, .next = next, .free = free_compiled};
    compiled->base.compiled = compiled;
    compiled->base.stored = tg_demand_material;
}
