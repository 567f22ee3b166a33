/*
 * compiling.c - goes through a policy's text twice: for what stands in few sections and the
 * files that it includes, then for each [host] and [exception] by itself, which the language's own
 * code judges as a process will, and which is forgotten again. So memory grows with the keys alone.
 */
#include "compiling.h"
#include "build.h"
#include "contents.h"
#include "cutter.h"
#include "include.h"
#include "index.h"
#include "job.h"
#include "load.h"
#include "parse.h"
#include "repeated.h"
#include "settle.h"
#include <errno.h>
#include <openssl/err.h>
#include <string.h>

enum { LARGEST_SECTION = 64 << 20 }; /* bytes */

/* ---- each section of a file ----------------------------------------------------------------- */

/* FILE: the source's number. */
typedef bool see_section(struct tg_job *job, struct tg_source *source, size_t file,
                         struct tg_cutter *cutter);

static bool each_section(struct tg_job *job, struct tg_source *source, size_t file,
                         see_section *see)
{
    struct tg_cutter cutter;
    bool done = tg_cutter_begin(&cutter, source->path, &source->file.status);

    if (!done)
        (void)tg_job_blame(job, source->path,
                           errno != 0 ? strerror(errno) : "it is another file now");
    while (done && tg_cutter_next(&cutter)) {
        if (cutter.text.length > LARGEST_SECTION)
            done = tg_job_blame(job, source->path, "a section is larger than 64 MiB");
        else
            done = see(job, source, file, &cutter) && !tg_job_is_hopeless(job);
    }
    if (done && cutter.text.failed)
        done = tg_job_blame(job, source->path, tg_no_memory);
    if (done && ferror(cutter.in))
        done = tg_job_blame(job, source->path, "can't be read");
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

static bool add_includes(struct tg_job *job, struct tg_section *section)
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
static bool see_few(struct tg_job *job, struct tg_source *source, size_t file,
                    struct tg_cutter *cutter)
{
    struct tg_load *base = &job->base;
    struct tg_section **section = base->last_section;
    struct tg_source *part;
    uint64_t offset;

    if (is_many(cutter))
        return true;
    offset = tg_imagefile_put(job->out, TG_IMAGE_SECTION, TG_IMAGE_PLACE(file, cutter->before), 0,
                              cutter->text.text, cutter->text.length);
    tg_imagefile_add_number(&job->own, offset);
    part = tg_load_alloc(base, sizeof(*part));
    if (part == NULL)
        return false;
    *part = *source;
    part->next = NULL;
    part->before = cutter->before;
    part->file.data = tg_arena_strndup(base->scratch, cutter->text.text, cutter->text.length);
    part->file.size = cutter->text.length;
    if (part->file.data == NULL)
        return false;
    tg_parse_source(base, part);
    return add_includes(job, *section);
}

static bool read_few(struct tg_job *job, const char *path)
{
    struct tg_load *base = &job->base;
    bool done = true;

    base->policy->file = tg_load_keep_path(base, path);
    tg_source_read_main(base, path);
    for (struct tg_source *source = base->sources; done && source != NULL; source = source->next)
        done = each_section(job, source, job->source_count++, see_few);
    if (done && base->sources != NULL)
        tg_build_policy(base);
    return done && base->sources != NULL && !tg_job_is_hopeless(job);
}

/* ---- [host] and [exception] ------------------------------------------------------------------ */

static void add_pattern(struct tg_job *job, const struct tg_policy *policy, const char *word,
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
    uint64_t flags = (rule->action == TG_ACTION_PASS ? TG_IMAGE_PASS : 0) |
                     (rule->mode == TG_MODE_REPORT ? TG_IMAGE_REPORT : 0);

    for (size_t i = 0; i < rule->patterns.count; i++)
        if (rule->patterns.word[i][0] != '*' || rule->patterns.word[i][1] == '.')
            flags |= TG_IMAGE_SPECIFIC;
    return flags;
}

static void add_prefixes(struct tg_index *to, const struct tg_index *from)
{
    for (int family = 0; family < 2; family++)
        for (size_t i = 0; i < sizeof(to->prefixes[0]); i++)
            to->prefixes[family][i] = to->prefixes[family][i] || from->prefixes[family][i];
}

static void put_section(struct tg_job *job, const tg_policy *policy, const struct tg_cutter *cutter,
                        uint64_t place)
{
    const struct tg_exception *exception = policy->exceptions;
    const struct tg_rule *rule = policy->rule_count > 0 ? policy->rules[0] : NULL;
    uint64_t offset =
        tg_imagefile_put(job->out, rule != NULL ? TG_IMAGE_RULE : TG_IMAGE_SECTION, place,
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

static bool see_many(struct tg_job *job, struct tg_source *source, size_t file,
                     struct tg_cutter *cutter)
{
    tg_policy *policy;

    if (!is_many(cutter))
        return true;
    policy = tg_job_build(job, source, cutter->before, cutter->text.text, cutter->text.length);
    if (policy != NULL && !tg_diags_failed(job->diags))
        put_section(job, policy, cutter, TG_IMAGE_PLACE(file, cutter->before));
    tg_policy_free(policy);
    return true;
}

static bool read_many(struct tg_job *job)
{
    struct tg_source *source = job->base.sources;
    bool done = true;

    for (size_t i = 0; done && i < job->source_count; i++) {
        done = each_section(job, source, i, see_many);
        source = source->next;
    }
    return done && !tg_diags_failed(job->diags);
}

/* ---- all of it ---------------------------------------------------------------------------------
 */

static bool write_records(struct tg_job *job, const char *path)
{
    if (!read_few(job, path) || !read_many(job)) {
        if (job->why->length == 0)
            (void)tg_imagefile_failed(job->out, job->why);
        return false;
    }
    tg_contents_put_files(job);
    tg_imagefile_close(job->out);
    tg_repeated_check(job);
    return !tg_diags_failed(job->diags) && job->why->length == 0;
}

static bool commit(struct tg_job *job)
{
    const tg_policy *policy = job->base.policy;
    struct tg_buf root = {0};
    gid_t group;
    mode_t mode = tg_settle_mode(policy->watch, &group);
    bool done;

    tg_contents_add_root(job, &root);
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
static bool attempt(struct tg_job *job, const char *path, tg_compiling_known *known, void *arg,
                    bool *again)
{
    bool done;

    *again = false;
    job->base.partial = true;
    done = tg_load_begin(&job->base, job->diags) &&
           tg_imagefile_begin(job->out, path, TG_IMAGE_POLICY, job->why) &&
           write_records(job, path);
    if (done && tg_settle(job->out, job->base.policy->watch) == TG_SETTLE_AGAIN) {
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
    tg_imagefile_end(job->out);
    return done;
}

bool tg_compiling_policy(const char *path, struct tg_written *done, struct tg_diags *diags,
                         struct tg_buf *why, tg_compiling_known *known, void *arg)
{
    bool again = true, written = false;

    ERR_set_mark();
    tg_settle_wait(path);
    for (int i = 0; again && i < TG_SETTLE_TRIES; i++) {
        struct tg_imagefile out = {0};
        struct tg_job job = {.diags = diags, .why = why, .done = done, .out = &out};

        *done = (struct tg_written){0};
        written = attempt(&job, path, known, arg, &again);
    }
    if (again)
        tg_buf_add(why, "the policy changed each time it was read");
    ERR_pop_to_mark();
    return written;
}
