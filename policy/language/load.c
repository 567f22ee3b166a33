#include "load.h"
#include "build.h"
#include "include.h"
#include "knownhosts.h"
#include "parse.h"
#include "watch.h"
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void tg_load_lost(struct tg_load *load)
{
    load->diags->lost = true;
}

static void *alloc(struct tg_load *load, struct tg_arena *arena, size_t size)
{
    void *bytes = tg_arena_alloc(arena, size);

    if (!bytes)
        tg_load_lost(load);
    return bytes;
}

void *tg_load_alloc(struct tg_load *load, size_t size)
{
    return alloc(load, load->scratch, size);
}

void *tg_load_keep(struct tg_load *load, size_t size)
{
    return alloc(load, load->policy->arena, size);
}

const char *tg_load_keep_text(struct tg_load *load, const char *text)
{
    const char *copy = tg_arena_strndup(load->policy->arena, text, strlen(text));

    if (!copy)
        tg_load_lost(load);
    return copy;
}

const char *tg_load_keep_path(struct tg_load *load, const char *path)
{
    struct tg_buf text = {0};
    char *directory = path[0] == '/' ? NULL : getcwd(NULL, 0);
    const char *copy = NULL;

    if (directory)
        tg_buf_printf(&text, "%s/", directory);
    tg_buf_add(&text, path);
    if (text.failed || (path[0] != '/' && !directory))
        tg_load_lost(load);
    else
        copy = tg_load_keep_text(load, text.text);
    free(directory);
    tg_buf_free(&text);
    return copy;
}

struct tg_watching tg_load_watching(struct tg_load *load)
{
    return (struct tg_watching){load->policy->arena, &load->policy->watch};
}

/* ", in [host *.example ...]" */
static void add_section(struct tg_buf *text, const struct tg_section *section)
{
    const struct tg_word *name = section->names;

    tg_buf_printf(text, ", in [%s", section->head->text);
    if (name)
        tg_buf_printf(text, " %s%s", name->text, name->next ? " ..." : "");
    tg_buf_add(text, "]");
}

static void say(struct tg_load *load, enum tg_severity severity, const struct tg_word *word,
                const struct tg_buf *text)
{
    if (text->failed)
        tg_load_lost(load);
    else
        tg_diag_add(load->diags, severity, word->where.file, word->where.line, word->where.column,
                    word->line, "%s", text->text);
}

void tg_load_error(struct tg_load *load, struct tg_section *section, const struct tg_word *word,
                   const char *hint, const char *format, ...)
{
    struct tg_buf text = {0};
    va_list args;

    va_start(args, format);
    tg_buf_vprintf(&text, format, args);
    va_end(args);
    if (section)
        add_section(&text, section);
    if (hint)
        tg_buf_printf(&text, " (%s)", hint);
    if (section)
        section->broken = true;
    say(load, TG_ERROR, word, &text);
    tg_buf_free(&text);
}

void tg_load_warn(struct tg_load *load, const struct tg_section *section,
                  const struct tg_word *word, const char *format, ...)
{
    struct tg_buf text = {0};
    va_list args;

    va_start(args, format);
    tg_buf_vprintf(&text, format, args);
    va_end(args);
    add_section(&text, section);
    say(load, TG_WARNING, word, &text);
    tg_buf_free(&text);
}

static void read_source(struct tg_load *load, struct tg_source *source)
{
    struct tg_section **section = load->last_section;
    const struct tg_setting *setting;

    tg_parse_source(load, source);
    for (; *section; section = &(*section)->next)
        for (setting = (*section)->settings; setting; setting = setting->next)
            if (setting->key->type == TG_TYPE_INCLUDE)
                tg_source_include(load, *section, setting);
}

static void read_policy(struct tg_load *load, const char *path)
{
    struct tg_source *source;

    load->policy->file = tg_load_keep_path(load, path);
    tg_source_read_main(load, path);
    for (source = load->sources; source && !load->diags->lost; source = source->next)
        read_source(load, source);
    if (load->sources && !load->diags->lost)
        tg_build_policy(load);
}

/* What rules point to is the policy's from now on; the rest was read only to be checked. */
static void hand_over_stacks(struct tg_load *load)
{
    tg_policy *policy = load->policy;
    struct tg_stack *stack;
    size_t kept = 0;

    for (stack = load->stacks; stack; stack = stack->next)
        kept += stack->kept;
    policy->stacks = tg_load_keep(load, kept * sizeof *policy->stacks);
    for (stack = load->stacks; stack; stack = stack->next) {
        if (stack->kept && policy->stacks)
            policy->stacks[policy->stack_count++] = stack->certs;
        else
            sk_X509_pop_free(stack->certs, X509_free);
    }
}

static unsigned rank_of(void *arg, const char *file)
{
    const struct tg_load *load = arg;
    const struct tg_source_path *path =
        (const struct tg_source_path *)tg_table_get(&load->table, TG_TAG_PATH, file, strlen(file));

    return path ? path->rank : 0;
}

static void free_load(struct tg_load *load)
{
    struct tg_source *source;

    for (source = load->sources; source; source = source->next)
        tg_file_clear(&source->file);
    tg_buf_free(&load->distrusted_certificates);
    tg_buf_free(&load->distrusted_keys);
    tg_arena_free(load->scratch);
}

static tg_policy *new_policy(void)
{
    static uint64_t generations;
    tg_policy *policy = calloc(1, sizeof *policy);

    if (!policy)
        return NULL;
    policy->references = 1;
    policy->reload = true;
    policy->generation = __atomic_add_fetch(&generations, 1, __ATOMIC_RELAXED);
    policy->arena = tg_arena_new();
    policy->index = policy->arena ? tg_index_new(policy->arena) : NULL;
    if (policy->index)
        return policy;
    tg_policy_free(policy);
    return NULL;
}

tg_policy *tg_policy_parse_with(const char *path, const struct tg_override *override,
                                struct tg_diags *diags)
{
    struct tg_load load = {
        .policy = new_policy(), .scratch = tg_arena_new(), .diags = diags, .override = override};
    size_t before = diags->count, errors = diags->errors;

    load.last_source = &load.sources;
    load.last_section = &load.sections;
    load.last_profile = &load.profiles;
    ERR_set_mark();
    if (load.policy && load.scratch) {
        read_policy(&load, path);
        hand_over_stacks(&load);
        tg_diags_sort(diags, before, rank_of, &load);
    } else {
        tg_load_lost(&load);
    }
    free_load(&load);
    ERR_pop_to_mark();
    if (!diags->lost && diags->errors == errors)
        return load.policy;
    tg_policy_free(load.policy);
    return NULL;
}

tg_policy *tg_policy_parse(const char *path, struct tg_diags *diags)
{
    return tg_policy_parse_with(path, NULL, diags);
}

tg_policy *tg_policy_load(const char *path, char **errors)
{
    struct tg_diags diags = {0};
    tg_policy *policy = tg_policy_parse(path, &diags);

    if (!policy && errors)
        *errors = tg_diags_text(&diags);
    tg_diags_clear(&diags);
    return policy;
}

tg_policy *tg_policy_ref(const tg_policy *policy)
{
    tg_policy *shared = (tg_policy *)policy; /* the count is no part of what is immutable */

    __atomic_add_fetch(&shared->references, 1, __ATOMIC_RELAXED);
    return shared;
}

void tg_policy_free(tg_policy *policy)
{
    struct tg_crl_list *list;
    size_t i;

    if (!policy || __atomic_sub_fetch(&policy->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (i = 0; i < policy->stack_count; i++)
        sk_X509_pop_free(policy->stacks[i], X509_free);
    for (list = policy->crl_lists; list; list = list->next)
        sk_X509_CRL_pop_free(list->crls, X509_CRL_free);
    tg_known_files_free(policy->known_files);
    tg_arena_free(policy->arena);
    free(policy);
}
