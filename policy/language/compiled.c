#include "compiled.h"
#include "build.h"
#include "index.h"
#include "load.h"
#include "memo.h"
#include "parse.h"
#include "store_knownhosts.h"
#include "store_programs.h"
#include "stored.h"
#include "text.h"
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So many patterns and sections are kept, some 20 MiB, before a process opens the image anew. */
enum { MOST_KEPT = 4096 };

/* A rule in place of what can't be told, under a pattern that any host has. */
struct stand_in {
    struct tg_rule rule;
    struct tg_group group;
    const char *pattern;
};

struct tg_compiled {
    struct tg_supply supply; /* the first member: the policy's index holds it */
    struct tg_arena *arena;
    struct tg_image *image;
    struct tg_load base;
    struct tg_diags diags;
    struct tg_source *sources;
    size_t source_count;
    struct tg_memo memo;
    struct stand_in damaged;
};

/* What was made on demand. */
struct unit {
    struct tg_memo_item item;
    tg_policy *policy;               /* a section's, or an index of such; NULL: none */
    struct tg_stored *material;        /* NULL: none */
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

/* The policy of the section at OFFSET, of which RECORD and TEXT stand there. */
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

/* The rules of KEY in an index of their own. */
static bool enter_all(struct tg_compiled *compiled, tg_policy *policy,
                      const struct tg_host_key *key, const struct offsets *offsets)
{
    for (size_t i = 0; i < offsets->count; i++) {
        const struct tg_rule *rule = rule_at(compiled, offsets->at[i]);

        if (rule == NULL || !enter(policy, rule, key))
            return false;
    }
    return true;
}

/* The unit of KEY; NULL where there is no rule under it. False where it can't be told. */
static bool unit_of(struct tg_compiled *compiled, const struct tg_host_key *key,
                    struct unit **out)
{
    uint64_t tag = memo_tag(TG_IMAGE_PATTERN, tg_index_tag(key, 0));
    struct unit *unit =
        (struct unit *)tg_memo_get(&compiled->memo, tag, key->text, key->length);
    struct offsets offsets = {0};
    bool known;

    *out = unit;
    if (unit != NULL)
        return true;
    known = find(compiled, TG_IMAGE_PATTERN, tg_index_tag(key, 0), key->text, key->length,
                 &offsets);
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
    if (supply->exceptions_held > 0 &&
        find(compiled, TG_IMAGE_HOST, 0, host, length, &offsets) && offsets.count > 0) {
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

    if (record->kind != TG_IMAGE_RULE || record->value & TG_COMPILED_PASS ||
        !(record->value & TG_COMPILED_SPECIFIC) ||
        (walk->enforcing && record->value & TG_COMPILED_REPORT))
        return false;
    if (below == NULL)
        return true;
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

static const struct tg_rule *next(struct tg_supply *supply, struct tg_walk *walk,
                                  const char *below)
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

const struct tg_material *tg_compiled_material(struct tg_compiled *compiled, enum tg_load_tag tag,
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

/* ---- opening -------------------------------------------------------------------------------- */

static void free_compiled(struct tg_supply *supply)
{
    struct tg_compiled *compiled = (struct tg_compiled *)supply;

    tg_memo_clear(&compiled->memo, release);
    tg_diags_clear(&compiled->diags);
    tg_load_end(&compiled->base);
    tg_image_close(compiled->image);
    tg_arena_free(compiled->arena);
}

/* The rule that refuses all, for what can't be told. */
static bool prepare_stand_in(struct tg_compiled *compiled)
{
    struct stand_in *damaged = &compiled->damaged;

    damaged->rule.where.file = compiled->image->path;
    damaged->rule.action = TG_ACTION_REJECT;
    damaged->rule.problem = tg_arena_sentence(
        compiled->arena,
        "%s isn't what `trustgraft compile` wrote, it is damaged or was cut off, or memory ran "
        "out: have it written anew",
        compiled->image->path);
    damaged->pattern = "*";
    damaged->rule.patterns = (struct tg_words){&damaged->pattern, 1};
    damaged->group.any = (struct tg_entry){.rule = &damaged->rule, .pattern = damaged->pattern};
    return damaged->rule.problem != tg_no_memory;
}

static bool read_sources(struct tg_compiled *compiled, struct tg_image_bytes *bytes)
{
    struct tg_load *base = &compiled->base;

    compiled->source_count = tg_image_number(bytes);
    if (bytes->wrong || compiled->source_count > (size_t)(bytes->end - bytes->at))
        return false;
    compiled->sources = tg_arena_alloc(compiled->arena,
                                       compiled->source_count * sizeof(*compiled->sources));
    for (size_t i = 0; compiled->sources != NULL && i < compiled->source_count; i++) {
        struct tg_source *source = &compiled->sources[i];
        const char *path = tg_image_text(bytes), *slash;

        source->path = path != NULL ? tg_load_keep_text(base, path) : NULL;
        slash = source->path != NULL ? strrchr(source->path, '/') : NULL;
        source->directory =
            slash == NULL ? NULL
                          : tg_arena_strndup(compiled->arena, source->path,
                                             (size_t)(slash - source->path) + 1);
        if (source->directory == NULL)
            return false;
    }
    base->policy->file = compiled->source_count > 0 ? compiled->sources[0].path : NULL;
    return compiled->sources != NULL && compiled->source_count > 0;
}

/* They are read when they are needed, as ever, so they have to be there. */
static const char *read_known(struct tg_compiled *compiled, struct tg_image_bytes *bytes)
{
    const char *wrong = NULL;

    for (uint64_t left = tg_image_number(bytes); left > 0 && wrong == NULL; left--) {
        const char *path = tg_image_text(bytes);

        if (path == NULL)
            return "is corrupted: its known-hosts files";
        wrong = tg_store_known_path(&compiled->base, path);
        if (wrong != NULL)
            wrong = tg_arena_sentence(compiled->arena, "is stale: %s: %s", path, wrong);
    }
    return wrong;
}

/* What a program's path leads to may change without any file of the policy. */
static const char *read_programs(struct tg_compiled *compiled, struct tg_image_bytes *bytes)
{
    for (uint64_t left = tg_image_number(bytes); left > 0; left--) {
        const char *word = tg_image_text(bytes), *path = tg_image_text(bytes);
        char *now;
        bool same;

        if (word == NULL || path == NULL)
            return "is corrupted: its programs";
        now = realpath(word, NULL);
        same = strcmp(now != NULL ? now : "", path) == 0;
        free(now);
        if (!same)
            return tg_arena_sentence(compiled->arena,
                                     "is stale: the program %s leads elsewhere", word);
        if (tg_store_program_path(&compiled->base, word, *path ? path : NULL) == NULL)
            return tg_no_memory;
    }
    return NULL;
}

/* Parses the section at OFFSET as one of the base's own. */
static bool read_own(struct tg_compiled *compiled, uint64_t offset)
{
    struct tg_load *base = &compiled->base;
    struct tg_source *source = tg_load_alloc(base, sizeof(*source));
    struct tg_image_record record;
    struct tg_image_reader reader;
    char *text = NULL;

    tg_image_begin(&reader, compiled->image);
    if (source != NULL && tg_image_read(&reader, offset, &record, sizeof(record)) &&
        record.kind == TG_IMAGE_SECTION && record.tag >> 32 < compiled->source_count)
        text = tg_image_take(&reader, offset + sizeof(record), record.length);
    if (text == NULL)
        return false;
    *source = compiled->sources[record.tag >> 32];
    source->before = (unsigned)record.tag;
    source->file.data = text;
    source->file.size = record.length;
    *base->last_source = source; /* which frees the text with all else */
    base->last_source = &source->next;
    tg_parse_source(base, source);
    return true;
}

static const char *read_own_sections(struct tg_compiled *compiled, struct tg_image_bytes *bytes)
{
    for (uint64_t left = tg_image_number(bytes); left > 0; left--)
        if (!read_own(compiled, tg_image_number(bytes)))
            return "is corrupted: a section";
    return NULL;
}

static const char *read_root(struct tg_compiled *compiled, struct tg_image_bytes *bytes)
{
    tg_policy *policy = compiled->base.policy;
    const char *wrong;
    const void *prefixes;

    policy->rule_count = compiled->supply.rules = tg_image_number(bytes);
    policy->exception_count = compiled->supply.exceptions_held = tg_image_number(bytes);
    policy->staples = tg_image_number(bytes) != 0;
    prefixes = tg_image_next(bytes, sizeof(policy->index->prefixes));
    if (prefixes == NULL || !read_sources(compiled, bytes))
        return "is corrupted: its root";
    memcpy(policy->index->prefixes, prefixes, sizeof(policy->index->prefixes));
    wrong = read_known(compiled, bytes);
    if (wrong == NULL)
        wrong = read_programs(compiled, bytes);
    if (wrong == NULL)
        wrong = read_own_sections(compiled, bytes);
    if (wrong == NULL && bytes->wrong)
        wrong = "is corrupted: its root";
    return wrong;
}

/* All but what is made on demand. NULL, or a sentence. */
static const char *fill(struct tg_compiled *compiled)
{
    const struct tg_image_header *header = &compiled->image->header;
    tg_policy *policy = compiled->base.policy;
    size_t rules, exceptions_held;
    struct tg_image_reader reader;
    const char *wrong;
    bool staples;
    char *root;

    tg_image_begin(&reader, compiled->image);
    root = tg_image_take(&reader, header->root, header->root_size);
    if (root == NULL)
        return "is corrupted: its root";
    wrong =
        read_root(compiled, &(struct tg_image_bytes){root, root + header->root_size, false});
    free(root);
    if (wrong != NULL)
        return wrong;
    rules = policy->rule_count;
    exceptions_held = policy->exception_count;
    staples = policy->staples;
    policy->rule_count = policy->exception_count = 0;
    tg_build_policy(&compiled->base);
    if (tg_diags_failed(&compiled->diags) || policy->rule_count > 0 || policy->exception_count > 0)
        return "is corrupted: it contradicts itself";
    policy->rule_count = rules;
    policy->exception_count = exceptions_held;
    policy->exceptions = NULL;
    policy->rules = NULL;
    policy->staples = staples;
    policy->crl_memo = tg_load_keep(&compiled->base, sizeof(*policy->crl_memo));
    return policy->crl_memo != NULL ? NULL : tg_no_memory;
}

static struct tg_compiled *new_compiled(struct tg_arena *arena)
{
    struct tg_compiled *compiled = tg_arena_alloc(arena, sizeof(*compiled));

    if (compiled == NULL || !tg_load_begin(&compiled->base, &compiled->diags)) {
        if (compiled != NULL) {
            tg_load_end(&compiled->base);
            tg_policy_free(compiled->base.policy);
        }
        return NULL;
    }
    compiled->arena = arena;
    compiled->base.partial = true;
    compiled->base.compiled = compiled;
    compiled->supply = (struct tg_supply){
        .group = group, .exceptions = exceptions, .next = next, .free = free_compiled};
    return compiled;
}

/* "IMAGE isn't used: it WHY" */
static void tell(char **note, const char *path, const char *why)
{
    struct tg_buf text = {0};

    if (note == NULL)
        return;
    tg_buf_escape(&text, path, strlen(path));
    tg_buf_printf(&text, TG_IMAGE_SUFFIX " isn't used: it %s", why);
    *note = tg_buf_take(&text);
}

/* The policy that IMAGE, in ARENA, holds, which owns both then. */
static tg_policy *policy_of(struct tg_arena *arena, struct tg_image *image, const char *path,
                            char **note)
{
    struct tg_compiled *compiled = new_compiled(arena);
    const char *wrong = tg_no_memory;
    tg_policy *policy;

    if (compiled == NULL) {
        tell(note, path, tg_no_memory);
        tg_image_close(image);
        tg_arena_free(arena);
        return NULL;
    }
    policy = compiled->base.policy;
    policy->watch = image->watch;
    compiled->image = image;
    compiled->supply.path = image->path;
    if (prepare_stand_in(compiled))
        wrong = fill(compiled);
    policy->index->supply = &compiled->supply;
    if (wrong == NULL)
        return policy;
    tell(note, path, wrong);
    tg_policy_free(policy);
    return NULL;
}

tg_policy *tg_compiled_open(const char *path, char **note)
{
    struct tg_arena *arena = tg_arena_new();
    struct tg_image *image = NULL;
    const char *why = tg_no_memory;

    if (note != NULL)
        *note = NULL;
    if (arena != NULL)
        image = tg_image_open(arena, path, TG_IMAGE_POLICY, &why);
    if (image != NULL)
        return policy_of(arena, image, path, note);
    if (why != NULL)
        tell(note, path, why);
    tg_arena_free(arena);
    return NULL;
}

/* The image that there may be one day is waited for. */
static tg_policy *open_text(const char *path, const char *absolute, struct tg_diags *diags)
{
    tg_policy *policy = tg_policy_parse(path, diags);
    const char *image;

    if (policy == NULL)
        return NULL;
    image = tg_arena_sentence(policy->arena, "%s" TG_IMAGE_SUFFIX, absolute);
    if (image != tg_no_memory &&
        tg_watch_add(&(struct tg_watching){policy->arena, &policy->watch}, image))
        return policy;
    diags->lost = true;
    tg_policy_free(policy);
    return NULL;
}

/* PATH from the root on, links and all; free it. NULL: no memory, or no working directory. */
static char *make_absolute(const char *path)
{
    char *directory = path[0] == '/' ? NULL : getcwd(NULL, 0);
    struct tg_buf absolute = {0};

    if (path[0] != '/' && directory == NULL)
        return NULL;
    if (directory != NULL)
        tg_buf_printf(&absolute, "%s/", directory);
    tg_buf_add(&absolute, path);
    free(directory);
    return tg_buf_take(&absolute);
}

tg_policy *tg_compiled_open_at(const char *path, char **note)
{
    char *absolute = make_absolute(path);
    tg_policy *policy = NULL;

    if (note != NULL)
        *note = NULL;
    if (absolute != NULL)
        policy = tg_compiled_open(absolute, note);
    free(absolute);
    return policy;
}

tg_policy *tg_policy_open(const char *path, struct tg_diags *diags, char **note)
{
    char *absolute = make_absolute(path);
    tg_policy *policy = NULL;

    if (note != NULL)
        *note = NULL;
    if (absolute == NULL)
        return tg_policy_parse(path, diags);
    ERR_set_mark();
    policy = tg_compiled_open(absolute, note);
    ERR_pop_to_mark();
    if (policy == NULL)
        policy = open_text(path, absolute, diags);
    free(absolute);
    return policy;
}

bool tg_policy_is_compiled(const tg_policy *policy)
{
    return policy->index->supply != NULL;
}

bool tg_policy_is_full(const tg_policy *policy)
{
    struct tg_compiled *compiled = (struct tg_compiled *)policy->index->supply;

    return compiled != NULL &&
           atomic_load_explicit(&compiled->memo.count, memory_order_relaxed) > MOST_KEPT;
}
