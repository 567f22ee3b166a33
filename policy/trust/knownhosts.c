#include "knownhosts.h"
#include "attempt.h"
#include "diag.h"
#include "hash.h"
#include "host.h"
#include "pin.h"
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
static const struct tg_known *open_file(struct tg_known_file *file, struct tg_diags *diags)
{
    struct tg_known *fresh, *first = seen(file);

    if (first != NULL)
        return first;
    fresh = tg_known_load(file->path, diags);
    if (fresh == NULL ||
        atomic_compare_exchange_strong_explicit(&file->known, &first, fresh, memory_order_acq_rel,
                                                memory_order_acquire))
        return fresh;
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
    known = open_file(file, &diags);
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

static bool counts(const struct tg_evaluation *evaluation)
{
    return evaluation->rule->known_hosts != NULL && evaluation->pins_enforced;
}

int tg_known_meet(struct tg_evaluation *evaluation)
{
    struct tg_acquaintance *acquaintance = &evaluation->acquaintance;
    const struct tg_query *query = evaluation->query;
    const struct tg_known *known;
    char host[TG_HOST_SIZE];

    if (!counts(evaluation))
        return 1;
    known = use_file(evaluation->rule->known_hosts, &acquaintance->problem);
    if (known == NULL)
        return acquaintance->problem.length > 0 && !acquaintance->problem.failed;
    if (!tg_host_spell(query->host, host))
        return 1;
    acquaintance->any = tg_known_find(known, host, 0);
    if (query->port != 0)
        acquaintance->own = tg_known_find(known, host, query->port);
    return 1;
}

static void add_endpoint(struct tg_buf *text, const struct tg_query *query)
{
    if (query->host != NULL)
        tg_write_endpoint(text, query->host, query->port);
    else
        tg_buf_add(text, "the host, whose name is not known,");
}

void tg_known_check_host(struct tg_evaluation *evaluation)
{
    struct tg_acquaintance *acquaintance = &evaluation->acquaintance;
    const struct tg_query *query = evaluation->query;
    struct tg_buf text = {0};

    if (!counts(evaluation) || acquaintance->own != NULL || acquaintance->any != NULL)
        return;
    if (acquaintance->problem.length > 0) {
        tg_findings_add(&evaluation->findings, TG_POLICY_INVALID, 0, 0, &acquaintance->problem);
        return;
    }
    add_endpoint(&text, query);
    tg_buf_printf(&text, " is not in %s: once its key was checked, `trustgraft pin --to` adds it",
                  evaluation->rule->known_hosts->path);
    tg_findings_add(&evaluation->findings, TG_KNOWN_HOST_MISSING, 0, 0, &text);
}

static void add_mismatch(const struct tg_evaluation *evaluation, struct tg_findings *findings,
                         const uint8_t leaf[TG_SHA256_SIZE])
{
    const struct tg_acquaintance *acquaintance = &evaluation->acquaintance;
    const struct tg_known_entry *entry =
        acquaintance->own != NULL ? acquaintance->own : acquaintance->any;
    struct tg_buf text = {0};
    char pin[TG_PIN_SIZE];

    tg_pin_text(leaf, pin);
    tg_buf_printf(&text, "the certificate's key is %s, but ", pin);
    add_endpoint(&text, evaluation->query);
    tg_buf_printf(&text, " is known by another, at %s:%u", evaluation->rule->known_hosts->path,
                  entry->line);
    tg_findings_add(findings, TG_KNOWN_HOST_MISMATCH, 0, 0, &text);
}

int tg_known_check_path(const struct tg_evaluation *evaluation, const STACK_OF(X509) *chain,
                        bool anchored, struct tg_findings *findings)
{
    const struct tg_acquaintance *acquaintance = &evaluation->acquaintance;
    uint8_t leaf[TG_SHA256_SIZE], digest[TG_SHA256_SIZE];
    int count = tg_path_is_proven(anchored, findings) ? sk_X509_num(chain) : 1;

    if (acquaintance->own == NULL && acquaintance->any == NULL)
        return 1;
    if (!tg_hash_spki(evaluation->query->leaf, leaf))
        return 0;
    for (int i = 0; i < count; i++) {
        if (!tg_hash_spki(sk_X509_value(chain, i), digest))
            return 0;
        if (tg_known_has(acquaintance->own, digest) || tg_known_has(acquaintance->any, digest))
            return 1;
    }
    add_mismatch(evaluation, findings, leaf);
    return !findings->failed;
}

bool tg_known_files_read(const tg_policy *policy, struct tg_diags *diags)
{
    bool read = true;

    for (struct tg_known_file *file = policy->known_files; file != NULL; file = file->next)
        read = open_file(file, diags) != NULL && read;
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

        if (before != NULL && seen(before) != NULL && open_file(file, diags) == NULL)
            return false;
    }
    return true;
}
