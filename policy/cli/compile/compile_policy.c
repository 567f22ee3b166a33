/*
 * compile_policy.c - goes through a policy's text twice: for what stands in few sections and the
 * files that it includes, then for each [host] and [exception] by itself, which the language's own
 * code judges as a process will, and which is forgotten again. So memory grows with the keys alone.
 */
#include "build.h"
#include "compiled.h"
#include "compiling.h"
#include "cutter.h"
#include "imagefile.h"
#include "include.h"
#include "index.h"
#include "load.h"
#include "parents.h"
#include "parse.h"
#include "settle.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

enum { LARGEST_SECTION = 64 << 20 }; /* bytes */

struct job {
    struct tg_imagefile *out;
    struct tg_load base;
    struct tg_diags *diags;
    struct tg_buf *why;
    struct tg_buf own; /* the offsets of the base's sections */
    struct tg_compiling *done;
    bool staples;
    size_t source_count;
};

static bool blame(struct job *job, const char *path, const char *what)
{
    if (job->why->length == 0) {
        tg_buf_escape(job->why, path, strlen(path));
        tg_buf_printf(job->why, ": %s", what);
    }
    return false;
}

static bool is_hopeless(const struct job *job)
{
    return job->why->length > 0 || job->why->failed || job->out->error != 0 || job->diags->lost ||
           job->diags->errors >= TG_DIAGS_KEPT;
}

/* ---- each section of a file ----------------------------------------------------------------- */

/* FILE: the source's number. */
typedef bool see_section(struct job *job, struct tg_source *source, size_t file,
                         struct tg_cutter *cutter);

static bool each_section(struct job *job, struct tg_source *source, size_t file, see_section *see)
{
    struct tg_cutter cutter;
    bool done = tg_cutter_begin(&cutter, source->path, &source->file.status);

    if (!done)
        (void)blame(job, source->path, errno != 0 ? strerror(errno) : "it is another file now");
    while (done && tg_cutter_next(&cutter)) {
        if (cutter.text.length > LARGEST_SECTION)
            done = blame(job, source->path, "a section is larger than 64 MiB");
        else
            done = see(job, source, file, &cutter) && !is_hopeless(job);
    }
    if (done && cutter.text.failed)
        done = blame(job, source->path, tg_no_memory);
    if (done && ferror(cutter.in))
        done = blame(job, source->path, "can't be read");
    tg_cutter_end(&cutter);
    return done;
}

/* Whether it is one that is looked at when it is asked for; written as a whole word. */
static bool is_many(const struct tg_cutter *cutter)
{
    const char *at = cutter->text.text;
    size_t length;

    at += strspn(at, " \t");
    if (*at++ != '[')
        return false;
    at += strspn(at, " \t");
    length = strcspn(at, " \t]\r\n");
    return (length == 4 && memcmp(at, "host", 4) == 0) ||
           (length == 9 && memcmp(at, "exception", 9) == 0);
}

/* ---- what stands in few sections ------------------------------------------------------------ */

static bool add_includes(struct job *job, struct tg_section *section)
{
    for (; section != NULL; section = section->next) {
        if (section->kind == TG_SECTION_HOST || section->kind == TG_SECTION_EXCEPTION)
            tg_load_error(&job->base, section, section->head, NULL,
                          "\"%s\" is to be written without quotes where it is compiled",
                          section->head->text);
        for (const struct tg_setting *setting = section->settings; setting != NULL;
             setting = setting->next)
            if (setting->key->type == TG_TYPE_INCLUDE)
                tg_source_include(&job->base, section, setting);
    }
    return true;
}

/* The text, which the words point into, is the base's from now on. */
static bool see_few(struct job *job, struct tg_source *source, size_t file,
                    struct tg_cutter *cutter)
{
    struct tg_load *base = &job->base;
    struct tg_section **section = base->last_section;
    struct tg_source *part;
    uint64_t offset;

    if (is_many(cutter))
        return true;
    offset = tg_imagefile_put(job->out, TG_IMAGE_SECTION,
                              TG_COMPILED_PLACE(file, cutter->before), 0, cutter->text.text,
                              cutter->text.length);
    tg_imagefile_add_number(&job->own, offset);
    part = tg_load_alloc(base, sizeof(*part));
    if (part == NULL)
        return false;
    *part = *source;
    part->next = NULL;
    part->before = cutter->before;
    part->file.data =
        tg_arena_strndup(base->scratch, cutter->text.text, cutter->text.length);
    part->file.size = cutter->text.length;
    if (part->file.data == NULL)
        return false;
    tg_parse_source(base, part);
    return add_includes(job, *section);
}

static bool read_few(struct job *job, const char *path)
{
    struct tg_load *base = &job->base;
    bool done = true;

    base->policy->file = tg_load_keep_path(base, path);
    tg_source_read_main(base, path);
    for (struct tg_source *source = base->sources; done && source != NULL; source = source->next)
        done = each_section(job, source, job->source_count++, see_few);
    if (done && base->sources != NULL)
        tg_build_policy(base);
    return done && base->sources != NULL && !is_hopeless(job);
}

/* ---- [host] and [exception] ------------------------------------------------------------------ */

static void add_pattern(struct job *job, const struct tg_policy *policy, const char *word,
                        uint64_t offset)
{
    struct tg_pattern pattern;
    struct tg_host_key key;
    size_t column;

    if (tg_pattern_parse(policy->arena, word, &pattern, &column) != NULL) {
        job->diags->lost = true; /* it was read before */
        return;
    }
    key = tg_index_key(&pattern);
    tg_imagefile_key(job->out, TG_IMAGE_PATTERN, tg_index_tag(&key, 0), key.text, key.length,
                     offset);
}

static uint64_t flags_of(const struct tg_rule *rule)
{
    uint64_t flags = (rule->action == TG_ACTION_PASS ? TG_COMPILED_PASS : 0) |
                     (rule->mode == TG_MODE_REPORT ? TG_COMPILED_REPORT : 0);

    for (size_t i = 0; i < rule->patterns.count; i++)
        if (rule->patterns.word[i][0] != '*' || rule->patterns.word[i][1] == '.')
            flags |= TG_COMPILED_SPECIFIC;
    return flags;
}

static void add_prefixes(struct tg_index *to, const struct tg_index *from)
{
    for (int family = 0; family < 2; family++)
        for (size_t i = 0; i < sizeof(to->prefixes[0]); i++)
            to->prefixes[family][i] = to->prefixes[family][i] || from->prefixes[family][i];
}

static void put_section(struct job *job, const tg_policy *policy, const struct tg_cutter *cutter,
                        uint64_t place)
{
    const struct tg_exception *exception = policy->exceptions;
    const struct tg_rule *rule = policy->rule_count > 0 ? policy->rules[0] : NULL;
    uint64_t offset = tg_imagefile_put(
        job->out, rule != NULL ? TG_IMAGE_RULE : TG_IMAGE_SECTION, place,
        rule != NULL ? flags_of(rule) : 0, cutter->text.text, cutter->text.length);

    if (rule == NULL) {
        tg_imagefile_key(job->out, TG_IMAGE_HOST, 0, exception->host, strlen(exception->host),
                         offset);
        tg_imagefile_key(job->out, TG_IMAGE_NAME, 0, exception->name, strlen(exception->name),
                         offset);
        job->done->exceptions++;
        return;
    }
    for (size_t i = 0; i < rule->patterns.count; i++)
        add_pattern(job, policy, rule->patterns.word[i], offset);
    add_prefixes(job->base.policy->index, policy->index);
    job->staples = job->staples || policy->staples;
    job->done->rules++;
}

static tg_policy *build(struct job *job, struct tg_source *source, unsigned before,
                        const char *text, size_t length)
{
    struct tg_source part = *source;
    tg_policy *policy = NULL;

    part.before = before;
    part.file.data = strndup(text, length);
    part.file.size = length;
    if (part.file.data != NULL)
        policy = tg_policy_of_section(&job->base, &part, job->diags);
    else
        job->diags->lost = true;
    free(part.file.data);
    return policy;
}

static bool see_many(struct job *job, struct tg_source *source, size_t file,
                     struct tg_cutter *cutter)
{
    tg_policy *policy;

    if (!is_many(cutter))
        return true;
    policy = build(job, source, cutter->before, cutter->text.text, cutter->text.length);
    if (policy != NULL && !tg_diags_failed(job->diags))
        put_section(job, policy, cutter, TG_COMPILED_PLACE(file, cutter->before));
    tg_policy_free(policy);
    return true;
}

static bool read_many(struct job *job)
{
    struct tg_source *source = job->base.sources;
    bool done = true;

    for (size_t i = 0; done && i < job->source_count; i++) {
        done = each_section(job, source, i, see_many);
        source = source->next;
    }
    return done && !tg_diags_failed(job->diags);
}

/* ---- what several sections have in common ----------------------------------------------------- */

static struct tg_source *source_of(struct job *job, uint64_t place)
{
    struct tg_source *source = job->base.sources;

    for (uint64_t i = place >> 32; i > 0; i--)
        source = source->next;
    return source;
}

/* The policy of the section at OFFSET once more. NULL: an error of the disk, or no memory. */
static tg_policy *read_again(struct job *job, uint64_t offset)
{
    struct tg_image_record record;
    tg_policy *policy = NULL;
    char *text = NULL;

    if (tg_imagefile_read(job->out, offset, &record, sizeof(record)))
        text = malloc((size_t)record.length + 1);
    if (text != NULL && tg_imagefile_read(job->out, offset + sizeof(record), text, record.length))
        policy = build(job, source_of(job, record.tag), (unsigned)record.tag, text, record.length);
    free(text);
    job->diags->lost = job->diags->lost || policy == NULL;
    return policy;
}

static void complain_rank(struct job *job, const struct tg_rule *rule, const char *word,
                          const struct tg_rule *other)
{
    tg_diag_add(job->diags, TG_ERROR, rule->where.file, rule->where.line, rule->where.column, NULL,
                "\"%s\" has a rule of the same rank already, at %s:%u", word, other->where.file,
                other->where.line);
}

/* Enters the rule of OTHER in POLICY's index, under the patterns that have KEY. */
static void enter(struct job *job, tg_policy *policy, const struct tg_rule *rule, uint64_t tag)
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
static void check_ranks(struct job *job, uint64_t tag, const uint64_t *offsets, size_t count)
{
    tg_policy **rules = calloc(count, sizeof(*rules));
    tg_policy *policy = tg_policy_new();
    size_t read = 0;

    job->diags->lost = job->diags->lost || rules == NULL || policy == NULL;
    for (size_t i = 0; i < count && !is_hopeless(job); i++) {
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

static void check_names(struct job *job, const uint64_t *offsets, size_t count)
{
    tg_policy *first = read_again(job, offsets[0]);

    for (size_t i = 1; first != NULL && i < count && !is_hopeless(job); i++) {
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
    struct job *job = arg;

    if (key->kind == TG_IMAGE_PATTERN)
        check_ranks(job, key->tag, values, count);
    else if (key->kind == TG_IMAGE_NAME)
        check_names(job, values, count);
}

/* ---- files ------------------------------------------------------------------------------------ */

/* Adds what I2D makes of one object. */
#define ADD_DER(bytes, i2d, object)                                                                \
    do {                                                                                           \
        unsigned char *der = NULL;                                                                 \
        int length = i2d(object, &der);                                                            \
                                                                                                   \
        if (length > 0) {                                                                          \
            tg_imagefile_add_number(bytes, (uint64_t)length);                                      \
            tg_buf_addn(bytes, (const char *)der, (size_t)length);                                 \
        } else {                                                                                   \
            (bytes)->failed = true;                                                                \
        }                                                                                          \
        OPENSSL_free(der);                                                                         \
    } while (0)

static void add_objects(struct tg_buf *bytes, const struct tg_material *file)
{
    const STACK_OF(X509) *certs = file->stack != NULL ? file->stack->certs : NULL;

    if (file->item.tag == TG_TAG_CERTIFICATES) {
        tg_imagefile_add_number(bytes, (uint64_t)sk_X509_num(certs));
        for (int i = 0; i < sk_X509_num(certs); i++)
            ADD_DER(bytes, i2d_X509_AUX, sk_X509_value(certs, i));
    } else if (file->item.tag == TG_TAG_CRLS) {
        tg_imagefile_add_number(bytes, (uint64_t)sk_X509_CRL_num(file->crls));
        for (int i = 0; i < sk_X509_CRL_num(file->crls); i++)
            ADD_DER(bytes, i2d_X509_CRL, sk_X509_CRL_value(file->crls, i));
    } else {
        tg_imagefile_add_number(bytes, file->key != NULL);
        if (file->key != NULL)
            ADD_DER(bytes, i2d_PUBKEY, file->key);
    }
}

static void put_files(struct job *job)
{
    for (const struct tg_material *file = job->base.materials; file != NULL; file = file->next) {
        struct tg_buf bytes = {0};
        uint64_t offset;

        tg_buf_addn(&bytes, (const char *)file->spki, TG_SHA256_SIZE);
        add_objects(&bytes, file);
        job->diags->lost = job->diags->lost || bytes.failed;
        offset = tg_imagefile_put(job->out, TG_IMAGE_MATERIAL, file->item.tag, bytes.length,
                                  bytes.text, bytes.length);
        tg_imagefile_key(job->out, TG_IMAGE_FILE, file->item.tag, file->item.text,
                         file->item.length, offset);
        tg_buf_free(&bytes);
    }
}

static void add_root(struct job *job, struct tg_buf *root)
{
    const tg_policy *policy = job->base.policy;
    uint64_t known = 0, programs = 0;

    for (const struct tg_known_file *file = policy->known_files; file != NULL; file = file->next)
        known++;
    for (const struct tg_program_path *one = job->base.programs; one != NULL; one = one->next)
        programs++;
    tg_imagefile_add_number(root, job->done->rules);
    tg_imagefile_add_number(root, job->done->exceptions);
    tg_imagefile_add_number(root, job->staples);
    tg_buf_addn(root, (const char *)policy->index->prefixes, sizeof(policy->index->prefixes));
    tg_imagefile_add_number(root, job->source_count);
    for (const struct tg_source *source = job->base.sources; source != NULL; source = source->next)
        tg_imagefile_add_text(root, source->path);
    tg_imagefile_add_number(root, known);
    for (const struct tg_known_file *file = policy->known_files; file != NULL; file = file->next)
        tg_imagefile_add_text(root, file->path);
    tg_imagefile_add_number(root, programs);
    for (const struct tg_program_path *one = job->base.programs; one != NULL; one = one->next) {
        tg_imagefile_add_text(root, one->item.text);
        tg_imagefile_add_text(root, one->path != NULL ? one->path : "");
    }
    tg_imagefile_add_number(root, job->own.length / sizeof(uint64_t));
    tg_buf_addn(root, job->own.text, job->own.length);
}

/* ---- all of it --------------------------------------------------------------------------------- */

static bool write_records(struct job *job, const char *path)
{
    if (!read_few(job, path) || !read_many(job))
        return false;
    put_files(job);
    tg_imagefile_close(job->out);
    tg_imagefile_repeated(job->out, check_repeated, job);
    return !tg_diags_failed(job->diags) && job->why->length == 0;
}

static bool commit(struct job *job)
{
    const tg_policy *policy = job->base.policy;
    struct tg_buf root = {0};
    gid_t group;
    mode_t mode = tg_settle_mode(policy->watch, &group);
    bool done;

    add_root(job, &root);
    done = tg_imagefile_commit(job->out, policy->watch, &root, mode, group, job->why);
    job->done->size = job->out->header.size;
    tg_buf_free(&root);
    if (!done || !tg_watch_changed(policy->watch))
        return done;
    tg_buf_add(job->why, "was stale as soon as it was there: the policy includes files, or names "
                         "others, from the folder that it is in, which has changed by that");
    return false;
}

/* One try. *AGAIN: what was read changed meanwhile. */
static bool attempt(struct job *job, const char *path, tg_compiling_known *known, void *arg,
                    bool *again)
{
    struct tg_imagefile out = {0};
    bool done;

    *again = false;
    job->out = &out;
    job->base.partial = true;
    done = tg_load_begin(&job->base, job->diags) &&
           tg_imagefile_begin(&out, path, TG_IMAGE_POLICY, job->why) && write_records(job, path);
    if (done && tg_settle(&out, job->base.policy->watch) == TG_SETTLE_AGAIN) {
        *again = true;
        done = false;
    }
    done = done && commit(job);
    for (const struct tg_known_file *file = done ? job->base.policy->known_files : NULL;
         file != NULL; file = file->next)
        known(arg, file->path);
    job->base.sources = NULL; /* their text wasn't read */
    tg_load_end(&job->base);
    tg_policy_free(job->base.policy);
    tg_buf_free(&job->own);
    tg_imagefile_end(&out);
    return done;
}

bool tg_compiling_policy(const char *path, struct tg_compiling *done, struct tg_diags *diags,
                         struct tg_buf *why, tg_compiling_known *known, void *arg)
{
    bool again = true, written = false;

    ERR_set_mark();
    tg_settle_wait(path);
    for (int i = 0; again && i < TG_SETTLE_TRIES; i++) {
        struct job job = {.diags = diags, .why = why, .done = done};

        *done = (struct tg_compiling){0};
        written = attempt(&job, path, known, arg, &again);
    }
    if (again)
        tg_buf_add(why, "the policy changed each time it was read");
    ERR_pop_to_mark();
    return written;
}
