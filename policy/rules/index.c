/* index.c - enters rules and exceptions under what a connection is looked up by. */
#include "index.h"
#include "program.h"
#include <string.h>
#include <sys/socket.h>

/* A word is found by the path it is, by the file name it is, or by the last part of its path. */
enum word_kind { WORD_PATH, WORD_NAME, WORD_PATH_NAME, WORD_KINDS };

struct tg_index *tg_index_new(struct tg_arena *arena)
{
    struct tg_index *index = tg_arena_alloc(arena, sizeof(*index));

    if (index != NULL)
        index->arena = arena;
    return index;
}

uint64_t tg_index_tag(const struct tg_host_key *key, unsigned port)
{
    return (uint64_t)port << 32 | (uint64_t)key->prefix << 16 |
           (uint64_t)(key->family == AF_INET6) << 8 | (uint64_t)key->kind;
}

struct tg_group *tg_index_group(const struct tg_index *index, const struct tg_host_key *key,
                                unsigned port)
{
    if (index->supply != NULL)
        return index->supply->group(index->supply, key, port);
    return (struct tg_group *)tg_table_get(&index->groups, tg_index_tag(key, port), key->text,
                                           key->length);
}

/* KEY's text is copied. NULL: no memory. */
static struct tg_group *new_group(struct tg_index *index, const struct tg_host_key *key,
                                  unsigned port)
{
    struct tg_group *group = tg_arena_alloc(index->arena, sizeof(*group));

    if (group == NULL)
        return NULL;
    group->item.tag = tg_index_tag(key, port);
    group->item.length = key->length;
    group->item.text = tg_arena_strndup(index->arena, key->text, key->length);
    group->port = port;
    group->end = &group->ports;
    if (group->item.text == NULL || !tg_table_put(index->arena, &index->groups, &group->item))
        return NULL;
    return group;
}

/* Finds or makes the group, and before it the pattern's own, through which all are found. */
static struct tg_group *get_group(struct tg_index *index, const struct tg_host_key *key,
                                  unsigned port)
{
    struct tg_group *pattern = tg_index_group(index, key, 0), *group;

    if (pattern == NULL)
        pattern = new_group(index, key, 0);
    if (pattern == NULL || port == 0)
        return pattern;
    group = tg_index_group(index, key, port);
    if (group != NULL)
        return group;
    group = new_group(index, key, port);
    if (group != NULL) {
        *pattern->end = group;
        pattern->end = &group->next;
    }
    return group;
}

static struct tg_programs *get_programs(struct tg_index *index, struct tg_group *group)
{
    if (group->programs == NULL) {
        group->programs = tg_arena_alloc(index->arena, sizeof(*group->programs));
        if (group->programs == NULL)
            return NULL;
        group->programs->index = index;
        group->programs->number = ++index->numbers;
        group->programs->end = &group->programs->first;
    }
    return group->programs;
}

static struct tg_program_word *find_word(const struct tg_index *index,
                                         const struct tg_programs *programs, enum word_kind kind,
                                         const char *text)
{
    return (struct tg_program_word *)tg_table_get(
        &index->words, programs->number * WORD_KINDS + kind, text, strlen(text));
}

/* An entry of LIST one of whose words may mean the same executable as TEXT. */
static const struct tg_entry *find_overlap(const struct tg_program_word *list, const char *text)
{
    for (; list != NULL; list = list->next)
        if (tg_program_overlap(list->item.text, text))
            return list->entry;
    return NULL;
}

static const struct tg_entry *clash_glob(const struct tg_programs *programs, const char *glob)
{
    const struct tg_entry *clash = find_overlap(programs->globs, glob);

    return clash != NULL ? clash : find_overlap(programs->plain, glob);
}

/* What is no glob clashes with its equals, which the table finds, and with globs. */
static const struct tg_entry *clash_plain(const struct tg_index *index,
                                          const struct tg_programs *programs, const char *text)
{
    const struct tg_program_word *word =
        find_word(index, programs, WORD_NAME, tg_program_name(text));

    if (word == NULL)
        word = find_word(index, programs, strchr(text, '/') != NULL ? WORD_PATH : WORD_PATH_NAME,
                         text);
    return word != NULL ? word->entry : find_overlap(programs->globs, text);
}

static const struct tg_rule *find_clash(const struct tg_index *index, const struct tg_group *group,
                                        const struct tg_rule *rule)
{
    const struct tg_entry *clash = NULL;

    if (rule->programs.count == 0)
        return group->any.rule;
    if (group->programs == NULL)
        return NULL;
    for (size_t i = 0; clash == NULL && i < rule->programs.count; i++) {
        const char *word = rule->programs.word[i];

        clash = tg_program_is_glob(word) ? clash_glob(group->programs, word)
                                         : clash_plain(index, group->programs, word);
    }
    for (size_t i = 0; clash == NULL && i < rule->realpaths.count; i++)
        clash = clash_plain(index, group->programs, rule->realpaths.word[i]);
    return clash != NULL ? clash->rule : NULL;
}

static struct tg_program_word *new_word(struct tg_index *index, const struct tg_entry *entry,
                                        uint64_t tag, const char *text)
{
    struct tg_program_word *word = tg_arena_alloc(index->arena, sizeof(*word));

    if (word != NULL) {
        word->item = (struct tg_item){tag, text, strlen(text)};
        word->entry = entry;
    }
    return word;
}

static bool add_key(struct tg_index *index, const struct tg_programs *programs,
                    const struct tg_entry *entry, enum word_kind kind, const char *text)
{
    struct tg_program_word *word;

    if (find_word(index, programs, kind, text) != NULL)
        return true;
    word = new_word(index, entry, programs->number * WORD_KINDS + kind, text);
    return word != NULL && tg_table_put(index->arena, &index->words, &word->item);
}

static bool add_word(struct tg_index *index, struct tg_programs *programs,
                     const struct tg_entry *entry, const char *text, bool glob)
{
    struct tg_program_word **list = glob ? &programs->globs : &programs->plain;
    struct tg_program_word *word = new_word(index, entry, 0, text);

    if (word == NULL)
        return false;
    word->next = *list;
    *list = word;
    if (glob)
        return true;
    if (strchr(text, '/') == NULL)
        return add_key(index, programs, entry, WORD_NAME, text);
    return add_key(index, programs, entry, WORD_PATH, text) &&
           add_key(index, programs, entry, WORD_PATH_NAME, tg_program_name(text));
}

static bool add_programs(struct tg_index *index, struct tg_group *group, const struct tg_rule *rule,
                         const char *pattern)
{
    struct tg_programs *programs = get_programs(index, group);
    struct tg_entry *entry = tg_arena_alloc(index->arena, sizeof(*entry));

    if (programs == NULL || entry == NULL)
        return false;
    entry->rule = rule;
    entry->pattern = pattern;
    *programs->end = entry;
    programs->end = &entry->next;
    for (size_t i = 0; i < rule->programs.count; i++) {
        const char *word = rule->programs.word[i];

        if (!add_word(index, programs, entry, word, tg_program_is_glob(word)))
            return false;
    }
    for (size_t i = 0; i < rule->realpaths.count; i++)
        if (!add_word(index, programs, entry, rule->realpaths.word[i], false))
            return false;
    return true;
}

struct tg_host_key tg_index_key(const struct tg_pattern *pattern)
{
    struct tg_host_key key = {.kind = pattern->kind, .text = pattern->name};

    if (pattern->kind == TG_PATTERN_ADDRESS) {
        key.family = pattern->family;
        key.prefix = pattern->prefix;
        key.text = (const char *)pattern->address;
        key.length = sizeof(pattern->address);
    } else if (pattern->kind != TG_PATTERN_ANY) {
        key.length = strlen(pattern->name);
    }
    return key;
}

bool tg_index_add(struct tg_index *index, const struct tg_rule *rule,
                  const struct tg_pattern *pattern, const char *text, const struct tg_rule **clash)
{
    struct tg_host_key key = tg_index_key(pattern);
    struct tg_group *group = get_group(index, &key, pattern->port);

    *clash = NULL;
    if (group == NULL)
        return false;
    *clash = find_clash(index, group, rule);
    if (*clash != NULL)
        return true;
    if (pattern->kind == TG_PATTERN_ADDRESS)
        index->prefixes[pattern->family == AF_INET6][pattern->prefix] = true;
    if (rule->programs.count > 0)
        return add_programs(index, group, rule, text);
    group->any.rule = rule;
    group->any.pattern = text;
    return true;
}

const struct tg_entry *tg_index_program(const struct tg_programs *programs, const char *path)
{
    const struct tg_index *index = programs->index;
    const struct tg_program_word *word = find_word(index, programs, WORD_PATH, path);

    if (word == NULL)
        word = find_word(index, programs, WORD_NAME, tg_program_name(path));
    if (word == NULL)
        for (word = programs->globs; word != NULL; word = word->next)
            if (tg_program_covers(word->item.text, path))
                break;
    return word != NULL ? word->entry : NULL;
}

/* The digest is random enough for its first bytes to tell the leaves of one host apart. */
static uint64_t leaf_tag(const uint8_t leaf[TG_SHA256_SIZE])
{
    uint64_t tag;

    memcpy(&tag, leaf, sizeof(tag));
    return tag;
}

const struct tg_exceptions *tg_index_exceptions(const struct tg_index *index, const char *host,
                                                const uint8_t leaf[TG_SHA256_SIZE])
{
    return (const struct tg_exceptions *)tg_table_get(&index->exceptions, leaf_tag(leaf), host,
                                                      strlen(host));
}

bool tg_index_add_exception(struct tg_index *index, const struct tg_exception *exception)
{
    struct tg_exceptions *added = tg_arena_alloc(index->arena, sizeof(*added)), *first;

    if (added == NULL)
        return false;
    added->item =
        (struct tg_item){leaf_tag(exception->leaf), exception->host, strlen(exception->host)};
    added->exception = exception;
    first = (struct tg_exceptions *)tg_index_exceptions(index, exception->host, exception->leaf);
    if (first == NULL)
        return tg_table_put(index->arena, &index->exceptions, &added->item);
    added->next = first->next;
    first->next = added;
    return true;
}
