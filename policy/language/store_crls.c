#include "store_crls.h"
#include "certfile.h"
#include "include.h"
#include "material.h"
#include "moment.h"
#include <stdlib.h>
#include <string.h>

/* An empty stack that goes with the policy. */
static STACK_OF(X509_CRL) *new_crls(struct tg_load *load)
{
    tg_policy *policy = load->policy;
    struct tg_crl_list *list = tg_load_keep(load, sizeof(*list));

    if (list == NULL)
        return NULL;
    list->crls = sk_X509_CRL_new_null();
    if (list->crls == NULL) {
        tg_load_lost(load);
        return NULL;
    }
    list->next = policy->crl_lists;
    policy->crl_lists = list;
    return list->crls;
}

/* What became of a file or directory that was read; each is read once. */
static const struct tg_material *read_once(struct tg_load *load, const char *path)
{
    const struct tg_watching watching = tg_load_watching(load);
    struct tg_load *home = tg_load_home(load);
    struct tg_material *file;

    if (home->compiled != NULL) {
        const struct tg_material *held = home->stored(home->compiled, TG_TAG_CRLS, path);

        if (held == NULL)
            tg_load_lost(load);
        return held;
    }
    file = tg_material_find(load, TG_TAG_CRLS, path);
    if (file != NULL)
        return file;
    file = tg_material_new(home, TG_TAG_CRLS, path);
    if (file == NULL)
        return NULL;
    file->crls = new_crls(home);
    file->wrong = file->crls != NULL ? tg_file_crls(home->scratch, path, file->crls, &watching)
                                     : tg_no_memory;
    return file;
}

static bool add_all(STACK_OF(X509_CRL) *to, const STACK_OF(X509_CRL) *from)
{
    for (int i = 0; i < sk_X509_CRL_num(from); i++) {
        X509_CRL *crl = sk_X509_CRL_value(from, i);

        if (!X509_CRL_up_ref(crl))
            return false;
        if (sk_X509_CRL_push(to, crl) <= 0) {
            X509_CRL_free(crl);
            return false;
        }
    }
    return true;
}

static int earlier(const void *one, const void *other)
{
    time_t a = *(const time_t *)one, b = *(const time_t *)other;

    return (a > b) - (a < b);
}

static void add_moment(struct tg_moments *moments, const ASN1_TIME *time)
{
    if (time != NULL && tg_moment_read(time, &moments->moment[moments->count]))
        moments->count++;
}

/*
 * When each begins and ends, for a verdict must not outlive what was known then; sorted, that no
 * server met has to ask all.
 */
static const struct tg_moments *moments_of(struct tg_load *load, const STACK_OF(X509_CRL) *crls)
{
    int count = sk_X509_CRL_num(crls);
    struct tg_moments *moments =
        tg_load_keep(load, sizeof(*moments) + 2 * (size_t)count * sizeof(moments->moment[0]));

    if (moments == NULL)
        return NULL;
    moments->count = 0;
    for (int i = 0; i < count; i++) {
        add_moment(moments, X509_CRL_get0_lastUpdate(sk_X509_CRL_value(crls, i)));
        add_moment(moments, X509_CRL_get0_nextUpdate(sk_X509_CRL_value(crls, i)));
    }
    qsort(moments->moment, moments->count, sizeof(moments->moment[0]), earlier);
    return moments;
}

void tg_store_crls(struct tg_store *in)
{
    struct tg_load *load = in->load;
    struct tg_rule *rule = in->object;
    STACK_OF(X509_CRL) *joined = new_crls(load);

    for (const struct tg_word *word = in->setting->values; word != NULL && joined != NULL;
         word = word->next) {
        const char *path = tg_source_path(load, in->section, word->text);
        const struct tg_material *file = path != NULL ? read_once(load, path) : NULL;

        if (file == NULL)
            return;
        if (file->wrong != NULL)
            tg_load_error(load, in->section, word, NULL, "crl: %s: %s", path, file->wrong);
        else if (!add_all(joined, file->crls))
            tg_load_lost(load);
    }
    if (load->policy->crl_memo == NULL)
        load->policy->crl_memo = tg_load_keep(load, sizeof(*load->policy->crl_memo));
    rule->crls = joined;
    rule->crl_moments = joined != NULL ? moments_of(load, joined) : NULL;
}
