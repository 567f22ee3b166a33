#include "compiled.h"
#include "build.h"
#include "demand.h"
#include "load.h"
#include "parse.h"
#include "store_knownhosts.h"
#include "store_programs.h"
#include "text.h"
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So many patterns and sections are kept, some 20 MiB, before a process opens the image anew. */
enum { MOST_KEPT = 4096 };

/* Of an address's prefix: 0 to 128 bits. */
enum { LENGTHS = 129 };

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

/* PATH, of a source, as messages about the text itself would have it. */
static const char *shown(const struct tg_compiled *compiled, const char *path)
{
    size_t left_out = compiled->left_out;

    return strncmp(path, compiled->image->path, left_out) == 0 ? path + left_out : path;
}

static bool read_sources(struct tg_compiled *compiled, struct tg_image_bytes *bytes)
{
    struct tg_load *base = &compiled->base;

    compiled->source_count = tg_image_number(bytes);
    if (bytes->wrong || compiled->source_count > (size_t)(bytes->end - bytes->at))
        return false;
    compiled->sources =
        tg_arena_alloc(compiled->arena, compiled->source_count * sizeof(*compiled->sources));
    for (size_t i = 0; compiled->sources != NULL && i < compiled->source_count; i++) {
        struct tg_source *source = &compiled->sources[i];
        const char *path = tg_image_text(bytes), *slash;

        source->path = path != NULL ? tg_load_keep_text(base, path) : NULL;
        slash = source->path != NULL ? strrchr(source->path, '/') : NULL;
        source->directory = slash == NULL ? NULL
                                          : tg_arena_strndup(compiled->arena, source->path,
                                                             (size_t)(slash - source->path) + 1);
        if (source->directory == NULL)
            return false;
        source->path = shown(compiled, source->path);
    }
    if (compiled->sources == NULL || compiled->source_count == 0)
        return false;
    base->policy->file = compiled->sources[0].path;
    return true;
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
            return tg_arena_sentence(compiled->arena, "is stale: the program %s leads elsewhere",
                                     word);
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
        if (!read_own(compiled, tg_image_number(bytes)) || bytes->wrong)
            return "is corrupted: a section";
    return NULL;
}

static const char *read_root(struct tg_compiled *compiled, struct tg_image_bytes *bytes)
{
    tg_policy *policy = compiled->base.policy;
    const char *wrong;
    const char *prefixes;

    policy->rule_count = compiled->supply.rules = tg_image_number(bytes);
    policy->exception_count = compiled->supply.exceptions_held = tg_image_number(bytes);
    policy->staples = tg_image_number(bytes) != 0;
    prefixes = tg_image_next(bytes, sizeof(policy->index->prefixes));
    if (prefixes == NULL || !read_sources(compiled, bytes))
        return "is corrupted: its root";
    for (size_t i = 0; i < sizeof(policy->index->prefixes); i++)
        policy->index->prefixes[i / LENGTHS][i % LENGTHS] = prefixes[i] != 0;
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
    wrong = read_root(compiled, &(struct tg_image_bytes){root, root + header->root_size, false});
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
    tg_demand_begin(compiled);
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

/* The policy that IMAGE, in ARENA, holds, which owns both then. LEFT_OUT of PATH as in tg_compiled.
 */
static tg_policy *policy_of(struct tg_arena *arena, struct tg_image *image, const char *path,
                            size_t left_out, char **note)
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
    compiled->left_out = left_out;
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

/* PATH is absolute. */
static tg_policy *open_image(const char *path, size_t left_out, char **note)
{
    struct tg_arena *arena = tg_arena_new();
    struct tg_image *image = NULL;
    const char *why = tg_no_memory;

    if (note != NULL)
        *note = NULL;
    if (arena != NULL)
        image = tg_image_open(arena, path, TG_IMAGE_POLICY, &why);
    if (image != NULL)
        return policy_of(arena, image, path, left_out, note);
    if (why != NULL)
        tell(note, path, why);
    tg_arena_free(arena);
    return NULL;
}

tg_policy *tg_compiled_open(const char *path, char **note)
{
    return open_image(path, 0, note);
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
        policy = open_image(absolute, strlen(absolute) - strlen(path), note);
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
    policy = open_image(absolute, strlen(absolute) - strlen(path), note);
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

tg_policy *tg_policy_load(const char *path, char **errors)
{
    struct tg_diags diags = {0};
    tg_policy *policy = tg_policy_open(path, &diags, NULL);

    if (policy == NULL && errors != NULL)
        *errors = tg_diags_text(&diags);
    tg_diags_clear(&diags);
    return policy;
}
