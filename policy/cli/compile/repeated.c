#include "repeated.h"
#include "index.h"
#include "samekeys.h"
#include <stdlib.h>

static struct tg_source *source_of(struct tg_job *job, uint64_t place)
{
    struct tg_source *source = job->base.sources;

    for (uint64_t i = place >> 32; i > 0; i--)
        source = source->next;
    return source;
}

/* The policy of the section at OFFSET once more. NULL: an error of the disk, or no memory. */
static tg_policy *read_again(struct tg_job *job, uint64_t offset)
{
    struct tg_image_record record;
    tg_policy *policy = NULL;
    char *text = NULL;

    if (tg_imagefile_read(job->out, offset, &record, sizeof(record)))
        text = malloc((size_t)record.length + 1);
    if (text != NULL && tg_imagefile_read(job->out, offset + sizeof(record), text, record.length))
        policy = tg_job_build(job, source_of(job, record.tag), (unsigned)record.tag, text,
                              record.length);
    free(text);
    job->diags->lost = job->diags->lost || policy == NULL;
    return policy;
}

static void complain_rank(struct tg_job *job, const struct tg_rule *rule, const char *word,
                          const struct tg_rule *other)
{
    tg_diag_add(job->diags, TG_ERROR, rule->where.file, rule->where.line, rule->where.column, NULL,
                "\"%s\" has a rule of the same rank already, at %s:%u", word, other->where.file,
                other->where.line);
}

/* Enters RULE in POLICY's index, under the patterns that have TAG. */
static void enter(struct tg_job *job, tg_policy *policy, const struct tg_rule *rule, uint64_t tag)
{
    for (size_t i = 0; i < rule->patterns.count; i++) {
        const struct tg_rule *clash = NULL;
        struct tg_pattern pattern;
        struct tg_host_key key;
        size_t column;

        if (tg_pattern_parse(policy->arena, rule->patterns.word[i], &pattern, &column) != NULL)
            continue;
        key = tg_index_key(&pattern);
        if (tg_index_tag(&key, 0) != tag)
            continue;
        if (!tg_index_add(policy->index, rule, &pattern, rule->patterns.word[i], &clash))
            job->diags->lost = true;
        else if (clash != NULL && clash != rule)
            complain_rank(job, rule, rule->patterns.word[i], clash);
    }
}

/* Rules that share a pattern have to differ in port or program. */
static void check_ranks(struct tg_job *job, uint64_t tag, const uint64_t *offsets, size_t count)
{
    tg_policy **rules = calloc(count, sizeof(*rules));
    tg_policy *policy = tg_policy_new();
    size_t read = 0;

    job->diags->lost = job->diags->lost || rules == NULL || policy == NULL;
    for (size_t i = 0; i < count && !tg_job_is_hopeless(job); i++) {
        if (i > 0 && offsets[i] == offsets[i - 1])
            continue;
        rules[read] = read_again(job, offsets[i]);
        if (rules[read] != NULL)
            enter(job, policy, rules[read++]->rules[0], tag);
    }
    while (read > 0)
        tg_policy_free(rules[--read]);
    tg_policy_free(policy);
    free(rules);
}

static void check_names(struct tg_job *job, const uint64_t *offsets, size_t count)
{
    tg_policy *first = read_again(job, offsets[0]);

    for (size_t i = 1; first != NULL && i < count && !tg_job_is_hopeless(job); i++) {
        tg_policy *one = read_again(job, offsets[i]);

        if (one != NULL)
            tg_diag_add(job->diags, TG_ERROR, one->exceptions->where.file,
                        one->exceptions->where.line, one->exceptions->where.column, NULL,
                        "there is an exception \"%s\" already, at %s:%u", one->exceptions->name,
                        first->exceptions->where.file, first->exceptions->where.line);
        tg_policy_free(one);
    }
    tg_policy_free(first);
}

static void check_repeated(void *arg, const struct tg_image_record *key, const uint64_t *values,
                           size_t count)
{
    struct tg_job *job = arg;

    if (key->kind == TG_IMAGE_PATTERN)
        check_ranks(job, key->tag, values, count);
    else if (key->kind == TG_IMAGE_NAME)
        check_names(job, values, count);
}

void tg_repeated_check(struct tg_job *job)
{
    tg_samekeys_each(job->out, check_repeated, job);
}
