#include "findings.h"
#include "write.h"
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>

/* From the mildest to the worst: which of several results a refusal is reported with. */
static unsigned severity(tg_result result)
{
    static const unsigned rank[] = {
        [TG_RESULT_PROCEED] = 0,       [TG_RESULT_UNSPECIFIED] = 0,
        [TG_RESULT_DENY] = 4,          [TG_RESULT_RECOVERABLE_FAILURE] = 1,
        [TG_RESULT_FATAL_FAILURE] = 3, [TG_RESULT_OTHER_ERROR] = 2,
    };
    return rank[result];
}

static bool has(const struct tg_findings *list, enum tg_finding_kind kind, int depth)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->item[i].kind == kind && list->item[i].depth == depth)
            return true;
    return false;
}

static bool grow(struct tg_findings *list)
{
    size_t capacity = list->capacity ? 2 * list->capacity : 4;
    struct tg_finding *item = NULL;

    if (list->count < list->capacity)
        return true;
    item = realloc(list->item, capacity * sizeof(*item));
    if (item == NULL)
        return false;
    list->item = item;
    list->capacity = capacity;
    return true;
}

void tg_findings_add(struct tg_findings *list, enum tg_finding_kind kind, int depth, int x509_error,
                     struct tg_buf *text)
{
    const struct tg_finding_info *info = tg_finding_info(kind);
    char *sentence = NULL;

    if (text->length == 0)
        tg_buf_add(text, info->sentence);
    sentence = tg_buf_take(text);
    list->reported++;
    if (has(list, kind, depth)) {
        free(sentence);
        return;
    }
    if (sentence == NULL || !grow(list)) {
        free(sentence);
        list->failed = true;
        return;
    }
    list->item[list->count++] = (struct tg_finding){
        .kind = kind,
        .depth = depth,
        .x509_error = x509_error != X509_V_OK ? x509_error : info->x509_error,
        .text = sentence,
    };
}

static void add_quoted(struct tg_buf *text, const X509_NAME *name)
{
    tg_buf_add(text, "\"");
    tg_write_name(text, name);
    tg_buf_add(text, "\"");
}

void tg_findings_who(struct tg_buf *text, int depth, const X509 *certificate)
{
    if (depth == 0) {
        tg_buf_add(text, "the certificate");
        return;
    }
    tg_buf_add(text, "the CA certificate ");
    add_quoted(text, X509_get_subject_name(certificate));
}

static void describe(struct tg_buf *text, enum tg_finding_kind kind, int x509_error, int depth,
                     const X509 *certificate)
{
    switch (kind) {
    case TG_CERTIFICATE_EXPIRED:
        tg_findings_who(text, depth, certificate);
        tg_buf_add(text, " expired at ");
        tg_write_asn1_time(text, X509_get0_notAfter(certificate));
        return;
    case TG_CERTIFICATE_NOT_YET_VALID:
        tg_findings_who(text, depth, certificate);
        tg_buf_add(text, " is not valid before ");
        tg_write_asn1_time(text, X509_get0_notBefore(certificate));
        return;
    case TG_MISSING_ISSUER:
        tg_buf_add(text, "the issuer ");
        add_quoted(text, X509_get_issuer_name(certificate));
        tg_buf_add(text, " of ");
        tg_findings_who(text, depth, certificate);
        tg_buf_add(text, " was not found");
        return;
    case TG_REVOKED:
        tg_findings_who(text, depth, certificate);
        tg_buf_add(text, " is revoked");
        return;
    case TG_SELF_SIGNED_LEAF:
        tg_findings_who(text, depth, certificate);
        tg_buf_add(text, " is self-signed and not an anchor");
        return;
    case TG_UNTRUSTED_ROOT:
        tg_buf_add(text, "the root ");
        add_quoted(text, X509_get_subject_name(certificate));
        tg_buf_add(text, " is not an anchor");
        return;
    default:
        tg_findings_who(text, depth, certificate);
        tg_buf_printf(text, ": %s", X509_verify_cert_error_string(x509_error));
    }
}

void tg_findings_add_x509(struct tg_findings *list, int x509_error, int depth, X509 *certificate)
{
    enum tg_finding_kind kind = tg_finding_by_x509(x509_error);
    struct tg_buf text = {0};

    if (certificate != NULL)
        describe(&text, kind, x509_error, depth, certificate);
    tg_findings_add(list, kind, depth, x509_error, &text);
}

void tg_findings_extend(struct tg_findings *list, enum tg_finding_kind kind, int depth,
                        const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        struct tg_finding *item = &list->item[i];
        struct tg_buf longer = {0};

        if (item->kind != kind || item->depth != depth)
            continue;
        tg_buf_printf(&longer, "%s%s", item->text, text);
        free(item->text);
        item->text = tg_buf_take(&longer);
        list->failed = list->failed || item->text == NULL;
    }
}

uint64_t tg_findings_kinds(const struct tg_findings *list)
{
    uint64_t kinds = 0;

    for (size_t i = 0; i < list->count; i++)
        kinds |= UINT64_C(1) << list->item[i].kind;
    return kinds;
}

static const struct tg_finding *worst(const struct tg_findings *list)
{
    const struct tg_finding *found = NULL;

    for (size_t i = 0; i < list->count; i++) {
        const struct tg_finding *item = &list->item[i];

        if (found == NULL || severity(tg_finding_info(item->kind)->result) >
                                 severity(tg_finding_info(found->kind)->result))
            found = item;
    }
    return found;
}

tg_result tg_findings_result(const struct tg_findings *list)
{
    const struct tg_finding *found = worst(list);

    return found != NULL ? tg_finding_info(found->kind)->result : TG_RESULT_UNSPECIFIED;
}

int tg_findings_x509(const struct tg_findings *list)
{
    const struct tg_finding *found = worst(list);

    return found != NULL ? found->x509_error : X509_V_OK;
}

unsigned tg_findings_badness(const struct tg_findings *list)
{
    return severity(tg_findings_result(list)) * 1000 + (unsigned)list->count;
}

void tg_findings_sort(struct tg_findings *list)
{
    for (size_t i = 1; i < list->count; i++) {
        struct tg_finding moved = list->item[i];
        size_t at = i;

        for (; at > 0 && list->item[at - 1].depth > moved.depth; at--)
            list->item[at] = list->item[at - 1];
        list->item[at] = moved;
    }
}

void tg_findings_clear(struct tg_findings *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->item[i].text);
    free(list->item);
    *list = (struct tg_findings){0};
}
