/* rules.h - policies made of patterns and programs alone, for the tests of matching. */
#ifndef TG_TEST_RULES_H
#define TG_TEST_RULES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka.h needs the three above. */
#include <cmocka.h>

#include "index.h"
#include "load.h"
#include "match.h"
#include "program.h"
#include <stdio.h>
#include <string.h>

/* The words of TEXT, which spaces part. */
static inline struct tg_words rules_words(struct tg_arena *arena, const char *text)
{
    struct tg_words words = {tg_arena_alloc(arena, (strlen(text) + 1) * sizeof(char *)), 0};
    size_t length;

    assert_non_null(words.word);
    for (text += strspn(text, " "); *text; text += length + strspn(text + length, " ")) {
        length = strcspn(text, " ");
        words.word[words.count] = tg_arena_strndup(arena, text, length);
        assert_non_null(words.word[words.count++]);
    }
    return words;
}

static inline void rules_init(tg_policy *policy)
{
    memset(policy, 0, sizeof *policy);
    policy->arena = tg_arena_new();
    assert_non_null(policy->arena);
    policy->index = tg_index_new(policy->arena);
    assert_non_null(policy->index);
}

static inline struct tg_rule *rules_make(tg_policy *policy, unsigned line, const char *programs)
{
    struct tg_rule *rule = tg_arena_alloc(policy->arena, sizeof *rule);

    assert_non_null(rule);
    rule->where = (struct tg_where){"policy.conf", line, 1};
    rule->programs = rules_words(policy->arena, programs);
    if ((policy->rule_count & (policy->rule_count - 1)) == 0) { /* full */
        struct tg_rule **rules =
            tg_arena_alloc(policy->arena, (policy->rule_count * 2 + 1) * sizeof *policy->rules);

        assert_non_null(rules);
        if (policy->rule_count > 0)
            memcpy(rules, policy->rules, policy->rule_count * sizeof *rules);
        policy->rules = rules;
    }
    policy->rules[policy->rule_count++] = rule;
    return rule;
}

/* Enters RULE under PATTERNS; returns the line of the rule it clashes with, or 0. */
static inline unsigned rules_enter(tg_policy *policy, struct tg_rule *rule, const char *patterns)
{
    const struct tg_rule *clash = NULL;
    struct tg_pattern pattern;
    size_t i, column;

    rule->patterns = rules_words(policy->arena, patterns);
    for (i = 0; i < rule->patterns.count; i++) {
        const char *word = rule->patterns.word[i];
        const char *fault = tg_pattern_parse(policy->arena, word, &pattern, &column);

        if (fault)
            fail_msg("%s", fault);
        assert_int_equal(tg_index_add(policy->index, rule, &pattern, word, &clash), 1);
        if (clash)
            return clash->where.line;
    }
    return 0;
}

static inline unsigned rules_add(tg_policy *policy, unsigned line, const char *patterns,
                                 const char *programs)
{
    return rules_enter(policy, rules_make(policy, line, programs), patterns);
}

/* A number below LIMIT; the same row of them in each run. */
static inline unsigned rules_random(unsigned limit)
{
    static uint64_t state = 1;

    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % limit;
}

#endif
