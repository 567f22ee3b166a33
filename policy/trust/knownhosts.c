#include "knownhosts.h"
#include "diag.h"
#include "hash.h"
#include "host.h"
#include "pin.h"
#include "policy.h"
#include "write.h"
#include <stdlib.h>
#include <string.h>

static struct tg_known *seen(const struct tg_known_file *file)
{
    return atomic_load_explicit(&file->known, memory_order_acquire);
}

/*
 * What FILE holds, read now if it wasn't. Two threads may both read it, and the first is believed:
 * a lock would stay locked in a child that was forked meanwhile.
 */
static const struct tg_known *open_file(struct tg_known_file *file, struct tg_diags *diags,
                                        bool text)
{
    struct tg_known *fresh, *first = seen(file);
    char *note = NULL;

    if (first != NULL)
        return first;
    fresh = text ? tg_known_load(file->path, diags) : tg_known_open(file->path, diags, &note);
    if (fresh == NULL ||
        atomic_compare_exchange_strong_explicit(&file->known, &first, fresh, memory_order_acq_rel,
                                                memory_order_acquire)) {
        if (note != NULL)
            free(atomic_exchange_explicit(&file->note, note, memory_order_acq_rel));
        return fresh;
    }
    free(note);
    tg_known_free(fresh);
    return first;
}

/* Lines that are wrong stay so until the file changes, and with it the policy: read them once. */
static void remember(struct tg_known_file *file, const struct tg_diags *diags, const char *problem)
{
    char *copy = diags->count > 0 && diags->diag[0].line > 0 ? strdup(problem) : NULL;
    char *none = NULL;

    if (copy != NULL &&
        !atomic_compare_exchange_strong_explicit(&file->problem, &none, copy, memory_order_acq_rel,
                                                 memory_order_acquire))
        free(copy);
}

/* NULL with a sentence in PROBLEM, or without one where memory ran out. */
static const struct tg_known *use_file(struct tg_known_file *file, struct tg_buf *problem)
{
    const char *known_problem = atomic_load_explicit(&file->problem, memory_order_acquire);
    const struct tg_known *known = NULL;
    struct tg_diags diags = {0};
    char *summary = NULL;

    if (known_problem != NULL) {
        tg_buf_add(problem, known_problem);
        return NULL;
    }
    known = open_file(file, &diags, false);
    if (known == NULL && !diags.lost)
        summary = tg_diags_summary(&diags);
    if (summary != NULL) {
        remember(file, &diags, summary);
        tg_buf_add(problem, summary);
    }
    free(summary);
    tg_diags_clear(&diags);
    return known;
}

bool tg_known_lookup(struct tg_known_file *file, const struct tg_query *query,
                     struct tg_known_host *found)
{
    const struct tg_known *known = use_file(file, &found->problem);
    char host[TG_HOST_SIZE];

    found->file = file;
    if (known == NULL)
        return found->problem.length > 0 && !found->problem.failed;
    if (!tg_host_spell(query->host, host))
        return true;
    found->any = tg_known_find(known, host, 0);
    if (query->port != 0)
        found->own = tg_known_find(known, host, query->port);
    if (!tg_known_damaged(found->any) && !tg_known_damaged(found->own))
        return true;
    found->any = found->own = NULL;
    tg_buf_printf(&found->problem,
                  "the image of %s isn't what `trustgraft compile` wrote: it is damaged or was cut "
                  "off, or memory ran out: have it written anew",
                  file->path);
    return !found->problem.failed;
}

static void add_endpoint(struct tg_buf *text, const struct tg_query *query)
{
    if (query->host != NULL)
        tg_write_endpoint(text, query->host, query->port);
    else
        tg_buf_add(text, "the host, whose name is not known,");
}

void tg_known_check_host(struct tg_known_host *host, const struct tg_query *query,
                         struct tg_findings *findings)
{
    struct tg_buf text = {0};

    if (host->file == NULL || host->own != NULL || host->any != NULL)
        return;
    if (host->problem.length > 0) {
        tg_findings_add(findings, TG_POLICY_INVALID, 0, 0, &host->problem);
        return;
    }
    add_endpoint(&text, query);
    tg_buf_printf(&text, " is not in %s: once its key was checked, `trustgraft pin --to` adds it",
                  host->file->path);
    tg_findings_add(findings, TG_KNOWN_HOST_MISSING, 0, 0, &text);
}

static void add_mismatch(const struct tg_known_host *host, const struct tg_query *query,
                         const uint8_t leaf[TG_SHA256_SIZE], struct tg_findings *findings)
{
    const struct tg_known_entry *entry = host->own != NULL ? host->own : host->any;
    struct tg_buf text = {0};
    char pin[TG_PIN_SIZE];

    tg_pin_text(leaf, pin);
    tg_buf_printf(&text, "the certificate's key is %s, but ", pin);
    add_endpoint(&text, query);
    tg_buf_printf(&text, " is known by another, at %s:%u", host->file->path, entry->line);
    tg_findings_add(findings, TG_KNOWN_HOST_MISMATCH, 0, 0, &text);
}

bool tg_known_check_path(const struct tg_known_host *host, const struct tg_query *query,
                         const STACK_OF(X509) *chain, bool proven, struct tg_findings *findings)
{
    uint8_t leaf[TG_SHA256_SIZE], digest[TG_SHA256_SIZE];
    int count = proven ? sk_X509_num(chain) : 1;

    if (host->own == NULL && host->any == NULL)
        return true;
    if (!tg_hash_spki(query->leaf, leaf))
        return false;
    for (int i = 0; i < count; i++) {
        if (!tg_hash_spki(sk_X509_value(chain, i), digest))
            return false;
        if (tg_known_has(host->own, digest) || tg_known_has(host->any, digest))
            return true;
    }
    add_mismatch(host, query, leaf, findings);
    return !findings->failed;
}

bool tg_known_files_read(const tg_policy *policy, struct tg_diags *diags)
{
    bool read = true;

    for (struct tg_known_file *file = policy->known_files; file != NULL; file = file->next)
        read = open_file(file, diags, true) != NULL && read;
    return read;
}

static const struct tg_known_file *find(const tg_policy *policy, const char *path)
{
    const struct tg_known_file *file = policy->known_files;

    while (file != NULL && strcmp(file->path, path) != 0)
        file = file->next;
    return file;
}

bool tg_known_files_follow(const tg_policy *fresh, const tg_policy *old, struct tg_diags *diags)
{
    for (struct tg_known_file *file = fresh->known_files; file != NULL; file = file->next) {
        const struct tg_known_file *before = find(old, file->path);

        if (before != NULL && seen(before) != NULL && open_file(file, diags, false) == NULL)
            return false;
    }
    return true;
}
