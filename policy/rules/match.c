/*
 * match.c - which rule applies to a connection.
 *
 * The patterns that fit a host are looked up one by one, the most specific first; under each
 * stand its rules with the connection's port, then those without a port, and of both first
 * those with a program. The first that fits in all is the rule.
 */
#include "match.h"
#include "index.h"
#include "program.h"
#include "text.h"
#include <string.h>
#include <sys/socket.h>

/* Called for each pattern that fits, in order of rank; returns true to stop. */
typedef bool visit_key(void *arg, const struct tg_host_key *key);

static bool visit_wildcards(const char *name, visit_key *visit, void *arg)
{
    struct tg_host_key key = {.kind = TG_PATTERN_WILDCARD};

    for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
        key.text = dot + 1;
        key.length = strlen(dot + 1);
        if (visit(arg, &key))
            return true;
    }
    return false;
}

static bool visit_names(const char *name, visit_key *visit, void *arg)
{
    struct tg_host_key key = {.kind = TG_PATTERN_NAME, .text = name, .length = strlen(name)};

    return visit(arg, &key) || visit_wildcards(name, visit, arg);
}

static bool visit_addresses(const struct tg_index *index, const char *text, visit_key *visit,
                            void *arg)
{
    uint8_t address[16];
    struct tg_host_key key = {
        .kind = TG_PATTERN_ADDRESS, .text = (const char *)address, .length = sizeof(address)};
    const bool *used;
    unsigned bit;

    if (!tg_host_address(text, strlen(text), &key.family, address))
        return false;
    used = index->prefixes[key.family == AF_INET6];
    key.prefix = key.family == AF_INET6 ? 128 : 32;
    while (!used[key.prefix] || !visit(arg, &key)) {
        if (key.prefix == 0)
            return false;
        bit = --key.prefix;
        address[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
    }
    return true;
}

/* A host that is unknown is only met by `*` here. Returns true if stopped. */
static bool visit_patterns(const struct tg_index *index, const char *host, visit_key *visit,
                           void *arg)
{
    static const struct tg_host_key any = {.kind = TG_PATTERN_ANY};
    char canonical[TG_HOST_SIZE];
    bool stopped = false;

    switch (tg_host_canonical(host, canonical)) {
    case TG_HOST_NAME:
        stopped = visit_names(canonical, visit, arg);
        break;
    case TG_HOST_ADDRESS:
        stopped = visit_addresses(index, canonical, visit, arg);
        break;
    case TG_HOST_UNSPELLABLE: /* it lies below a wildcard all the same */
        stopped = visit_wildcards(canonical, visit, arg);
        break;
    case TG_HOST_INVALID:
        break;
    }
    return stopped || visit(arg, &any);
}

struct search {
    const struct tg_index *index;
    unsigned port;                /* 0: unknown */
    const char *program;          /* NULL: unknown */
    const struct tg_entry *doubt; /* the first met that applies if the port or program is its */
    bool several;                 /* and another rule after it */
    bool certain;                 /* one was met that applies if no other does */
    const char *lacking;          /* what that first one depends on */
    const struct tg_entry *found; /* the one that applies, or of several that may */
    struct tg_entry unknown;      /* one of the rules that an unknown host may have */
    enum tg_match_kind kind;
};

/* Of the rules that may apply one that enforces stands for all: to report is to let pass. */
static bool may_apply(struct search *search, const struct tg_entry *entry)
{
    if (search->doubt == NULL)
        search->doubt = entry;
    if (search->doubt->rule != entry->rule)
        search->several = true;
    if (search->found == NULL ||
        (search->found->rule->mode == TG_MODE_REPORT && entry->rule->mode == TG_MODE_ENFORCE))
        search->found = entry;
    search->kind = TG_MATCH_UNKNOWN;
    return search->several && search->found->rule->mode == TG_MODE_ENFORCE;
}

/* ENTRY applies, unless another rule may; that the same one may, under another port, is fine. */
static bool applies(struct search *search, const struct tg_entry *entry)
{
    search->certain = true;
    if (search->several || (search->doubt != NULL && search->doubt->rule != entry->rule)) {
        may_apply(search, entry);
    } else {
        search->kind = TG_MATCH_RULE;
        search->found = entry;
    }
    return true;
}

/* A group whose port is the connection's, has none, or, if not CERTAIN, may be it. */
static bool search_group(struct search *search, const struct tg_group *group, bool certain)
{
    bool (*meet)(struct search *, const struct tg_entry *) = certain ? applies : may_apply;
    const struct tg_entry *entry;

    if (search->doubt == NULL)
        search->lacking = certain ? "program" : "port";
    if (group->programs != NULL && search->program != NULL) {
        entry = tg_index_program(group->programs, search->program);
        if (entry != NULL)
            return meet(search, entry);
    } else if (group->programs != NULL) {
        for (entry = group->programs->first; entry != NULL; entry = entry->next)
            if (may_apply(search, entry))
                return true;
    }
    return group->any.rule != NULL && meet(search, &group->any);
}

static bool search_key(void *arg, const struct tg_host_key *key)
{
    struct search *search = arg;
    const struct tg_group *pattern = tg_index_group(search->index, key, 0), *group;

    if (pattern == NULL)
        return false;
    if (search->port == 0) {
        for (group = pattern->ports; group != NULL; group = group->next)
            if (search_group(search, group, false))
                return true;
    } else if (pattern->ports != NULL) {
        group = tg_index_group(search->index, key, search->port);
        if (group != NULL && search_group(search, group, true))
            return true;
    }
    return search_group(search, pattern, true);
}

/* True if the pattern WORD, as it is written, means one or some of the names that end in BELOW. */
static bool lies_below(const char *word, const char *below)
{
    size_t length = strcspn(word, ":"), end = strlen(below);

    if (length > 0 && word[length - 1] == '.')
        length--;
    if (below[end - 1] == '.')
        end--;
    return length > end && strncasecmp(word + length - end, below, end) == 0 &&
           (word[0] != '*' || length > end + 1);
}

/*
 * One of its patterns means some hosts and not others; of those that end in BELOW, if not NULL.
 * What can't be told may be any.
 */
static bool is_specific(const struct tg_rule *rule, const char *below)
{
    if (rule->problem != NULL)
        return true;
    for (size_t i = 0; i < rule->patterns.count; i++)
        if (below != NULL ? lies_below(rule->patterns.word[i], below)
                          : rule->patterns.word[i][0] != '*' || rule->patterns.word[i][1] == '.')
            return true;
    return false;
}

static const struct tg_rule *next_rule(const tg_policy *policy, struct tg_walk *walk,
                                       const char *below)
{
    struct tg_supply *supply = policy->index->supply;

    if (supply != NULL)
        return supply->next(supply, walk, below);
    return walk->next < policy->rule_count ? policy->rules[walk->next++] : NULL;
}

/* Any host, or any that ends in BELOW, may be the one that isn't known: each rule that has demands
 * may apply. */
static void search_unknown(struct search *search, const tg_policy *policy, const char *below)
{
    struct tg_walk walk = {0};
    const struct tg_rule *rule;

    while ((rule = next_rule(policy, &walk, below)) != NULL) {
        if (rule->action == TG_ACTION_PASS || !is_specific(rule, below) ||
            (search->program != NULL && !tg_rule_covers_program(rule, search->program)))
            continue;
        search->several = below != NULL && search->unknown.rule != NULL;
        if (search->unknown.rule != NULL && rule->mode == TG_MODE_REPORT)
            continue;
        search->unknown.rule = rule;
        walk.enforcing = true;
        search->lacking = "host";
        if (rule->mode == TG_MODE_ENFORCE && (below == NULL || search->several))
            break;
    }
    if (search->unknown.rule != NULL)
        may_apply(search, &search->unknown);
}

static void find(struct search *search, const tg_policy *policy, const char *host, unsigned port,
                 const char *program)
{
    *search = (struct search){.index = policy->index, .port = port, .kind = TG_MATCH_UNMATCHED};
    search->program = program != NULL && *program ? program : NULL;
    if (host == NULL || !*host || *host == '.')
        search_unknown(search, policy, host != NULL && *host ? host : NULL);
    if (search->kind != TG_MATCH_UNKNOWN || search->found->rule->mode != TG_MODE_ENFORCE ||
        (host != NULL && *host))
        visit_patterns(policy->index, host, search_key, search);
}

/* What `unmatched` says is no rule, or one among those that may apply. */
static bool is_unmatched(const tg_policy *policy, const struct search *search)
{
    if (search->found == NULL)
        return true;
    return !search->certain && search->found->rule->mode == TG_MODE_REPORT &&
           policy->unmatched != TG_UNMATCHED_APP && policy->unmatched_rule.mode == TG_MODE_ENFORCE;
}

struct tg_match tg_policy_match(const tg_policy *policy, const char *host, unsigned port,
                                const char *program)
{
    struct tg_match match = {.kind = TG_MATCH_UNMATCHED};
    struct search search;

    find(&search, policy, host, port, program);
    match.kind = search.kind;
    if (match.kind == TG_MATCH_UNKNOWN)
        match.lacking = search.lacking;
    if (!is_unmatched(policy, &search)) {
        match.rule = search.found->rule;
        match.pattern = search.found->pattern;
    } else if (policy->unmatched != TG_UNMATCHED_APP) {
        match.rule = &policy->unmatched_rule;
    }
    return match;
}

/* The patterns that fit once more, to tell of each rule why it applies or not. */
struct show {
    struct search search; /* as it ended */
    tg_match_seen *seen;
    void *arg;
};

#define UNKNOWN "; the connection's isn't known"

static void add_port(struct tg_buf *why, unsigned port, bool known)
{
    tg_buf_printf(why, "its port is %u%s", port, known ? "" : UNKNOWN);
}

static void add_programs(struct tg_buf *why, const struct tg_rule *rule, bool known)
{
    tg_buf_add(why, "its program is ");
    for (size_t i = 0; i < rule->programs.count; i++) {
        tg_buf_add(why, i > 0 ? ", " : "");
        tg_buf_escape(why, rule->programs.word[i], strlen(rule->programs.word[i]));
    }
    tg_buf_add(why, known ? "" : UNKNOWN);
}

static void add_rank(struct tg_buf *why, const struct tg_rule *rule, const struct tg_rule *winner)
{
    if (strcmp(rule->where.file, winner->where.file) == 0)
        tg_buf_printf(why, "less specific than line %u", winner->where.line);
    else
        tg_buf_printf(why, "less specific than %s:%u", winner->where.file, winner->where.line);
}

static void explain(const struct show *show, const struct tg_group *group,
                    const struct tg_entry *entry, struct tg_buf *why)
{
    const struct search *search = &show->search;
    const struct tg_entry *first = search->doubt != NULL ? search->doubt : search->found;
    bool chosen = search->kind == TG_MATCH_RULE && entry == search->found;

    if (group->port != 0 && group->port != search->port)
        add_port(why, group->port, search->port != 0);
    else if (!tg_rule_covers_program(entry->rule, search->program))
        add_programs(why, entry->rule, search->program != NULL);
    else if (first != NULL && !chosen)
        add_rank(why, entry->rule, first->rule);
    else
        tg_buf_add(why, "applies");
}

/* The rule that applies is told of once, under the pattern that made it. */
static void show_entry(const struct show *show, const struct tg_group *group,
                       const struct tg_entry *entry)
{
    const struct search *search = &show->search;
    struct tg_buf why = {0};

    if (search->kind == TG_MATCH_RULE && entry != search->found &&
        entry->rule == search->found->rule)
        return;
    explain(show, group, entry, &why);
    show->seen(show->arg, entry->rule, entry->pattern,
               why.failed ? "memory ran out for the reason" : why.text);
    tg_buf_free(&why);
}

static void show_group(const struct show *show, const struct tg_group *group)
{
    for (const struct tg_entry *entry = group->programs != NULL ? group->programs->first : NULL;
         entry != NULL; entry = entry->next)
        show_entry(show, group, entry);
    if (group->any.rule != NULL)
        show_entry(show, group, &group->any);
}

static bool show_key(void *arg, const struct tg_host_key *key)
{
    const struct show *show = arg;
    const struct tg_group *pattern = tg_index_group(show->search.index, key, 0);

    if (pattern == NULL)
        return false;
    for (const struct tg_group *group = pattern->ports; group != NULL; group = group->next)
        show_group(show, group);
    show_group(show, pattern);
    return false;
}

void tg_policy_explain(const tg_policy *policy, const char *host, unsigned port,
                       const char *program, tg_match_seen *seen, void *arg)
{
    struct show show = {.seen = seen, .arg = arg};

    find(&show.search, policy, host, port, program);
    visit_patterns(policy->index, host, show_key, &show);
}

/* An unknown port is none of an exception's: what is forgiven has to be certain. */
static bool forgives(const struct tg_exception *exception, unsigned port,
                     const uint8_t leaf[TG_SHA256_SIZE], time_t now)
{
    return memcmp(exception->leaf, leaf, TG_SHA256_SIZE) == 0 &&
           (exception->port == 0 || exception->port == port) &&
           (exception->expires == 0 || now < exception->expires);
}

const tg_policy *tg_policy_exceptions(const tg_policy *policy, const char *host)
{
    struct tg_supply *supply = policy->index->supply;

    return supply != NULL ? supply->exceptions(supply, host) : policy;
}

uint64_t tg_policy_forgiven(const tg_policy *policy, const char *host, unsigned port,
                            const uint8_t leaf[TG_SHA256_SIZE], time_t now, time_t *until)
{
    const struct tg_exceptions *at = NULL;
    const tg_policy *held = NULL;
    char canonical[TG_HOST_SIZE];
    uint64_t findings = 0;

    *until = 0;
    if (tg_host_spell(host, canonical))
        held = tg_policy_exceptions(policy, canonical);
    if (held != NULL)
        at = tg_index_exceptions(held->index, canonical, leaf);
    for (; at != NULL; at = at->next) {
        const struct tg_exception *exception = at->exception;

        if (!forgives(exception, port, leaf, now))
            continue;
        findings |= exception->findings;
        if (exception->expires != 0 && (*until == 0 || exception->expires < *until))
            *until = exception->expires;
    }
    return findings;
}
