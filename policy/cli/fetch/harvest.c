#include "harvest.h"
#include "argument.h"
#include "authority.h"
#include "file.h"
#include "hash.h"
#include "lists.h"
#include "pin.h"
#include "terminal.h"
#include "write.h"
#include <ctype.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 4 /* followed of one certificate */, READABLE = 32 };

/* ---- files -------------------------------------------------------------------------------- */

/* An empty file called NAME.SUFFIX in the folder; NULL where the path is too long. */
static struct tg_harvested *add_file(struct tg_harvest *harvest, const char *name,
                                     const char *suffix)
{
    struct tg_harvested *file = &harvest->files[harvest->file_count];

    if (snprintf(file->path, PATH_MAX, "%s/%s.%s", harvest->folder != NULL ? harvest->folder : ".",
                 name, suffix) >= PATH_MAX)
        return NULL;
    harvest->file_count++;
    return file;
}

/* Readable, and the same again for the same certificate: "Partner-CA-3-67add116". */
static bool name_of(const X509 *certificate, char name[READABLE + 10])
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    char hex[TG_HEX_SIZE], words[READABLE + 1] = "";
    uint8_t digest[TG_SHA256_SIZE];

    if (!tg_hash_certificate(certificate, digest))
        return false;
    tg_hex_text(digest, hex);
    X509_NAME_get_text_by_NID(subject, NID_commonName, words, sizeof(words));
    for (char *at = words; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at))
            *at = '-';
    snprintf(name, READABLE + 10, "%s-%.8s", words[0] != '\0' ? words : "ca", hex);
    return true;
}

/* Appends PATH to LIST as a value of a policy, quoted where it has to be. */
static void add_value(struct tg_buf *list, const char *path)
{
    tg_buf_add(list, list->length > 0 ? ", " : "");
    if (path[strcspn(path, " \t\",\\#[]")] == '\0')
        tg_buf_add(list, path);
    else
        tg_argument_quote(list, path);
}

static void take_intermediate(struct tg_harvest *harvest, X509 *certificate)
{
    char name[READABLE + 10];
    struct tg_harvested *file = name_of(certificate, name) ? add_file(harvest, name, "pem") : NULL;

    if (file != NULL && tg_authority_pem(&file->data, NULL, certificate))
        add_value(&harvest->intermediates, file->path);
    else
        harvest->report.failed = true;
}

bool tg_harvest_write(const struct tg_harvest *harvest)
{
    struct tg_save *saves = calloc((size_t)harvest->file_count + 1, sizeof(*saves));
    struct tg_buf why = {0};
    bool written = saves != NULL;

    for (int i = 0; i < harvest->file_count && written; i++)
        saves[i] = (struct tg_save){harvest->files[i].path, &harvest->files[i].data, .mode = 0644,
                                    .replace = true};
    written = written && tg_save_all(saves, (size_t)harvest->file_count, true, &why);
    if (!written)
        tg_complain("fetch: %s", why.text != NULL ? why.text : "memory ran out");
    free(saves);
    tg_buf_free(&why);
    return written;
}

/* ---- CRLs --------------------------------------------------------------------------------- */

static void report_list(struct tg_harvest *harvest, const char *path, const X509_CRL *list)
{
    tg_buf_add(&harvest->report, "  crl   ");
    tg_buf_escape(&harvest->report, path, strlen(path));
    tg_buf_add(&harvest->report, ", until ");
    tg_write_asn1_time(&harvest->report, X509_CRL_get0_nextUpdate(list));
    tg_buf_add(&harvest->report, "\n");
}

/* Takes LIST, which is ISSUER's own, from URL, of which its name tells. False with a sentence in
 * WHY. */
static bool take_list(struct tg_harvest *harvest, X509_CRL *list, X509 *issuer, const char *url,
                      struct tg_buf *why)
{
    char name[READABLE + 10], hex[TG_HEX_SIZE], whole[READABLE + 16];
    struct tg_harvested *file, *source;
    uint8_t digest[TG_SHA256_SIZE];
    bool same;

    if (!name_of(issuer, name) ||
        EVP_Digest(url, strlen(url), digest, NULL, tg_hash_sha256(), NULL) != 1)
        return false;
    tg_hex_text(digest, hex);
    snprintf(whole, sizeof(whole), "%s-%.4s", name, hex);
    file = add_file(harvest, whole, "crl");
    source = add_file(harvest, whole, "crl.source");
    if (file == NULL || source == NULL || !tg_list_encode(&file->data, list) ||
        !tg_list_source_write(&source->data, url, issuer)) {
        harvest->report.failed = true;
        return false;
    }
    if (harvest->folder != NULL && !tg_list_follows(list, file->path, &same, why)) {
        tg_buf_free(&harvest->files[--harvest->file_count].data);
        tg_buf_free(&harvest->files[--harvest->file_count].data);
        return false;
    }
    report_list(harvest, file->path, list);
    add_value(&harvest->crls, file->path);
    return true;
}

static bool fetch_list(struct tg_harvest *harvest, const struct tg_download *how, X509 *issuer,
                       const char *url)
{
    struct tg_buf data = {0}, why = {0};
    X509_CRL *list = tg_download(how, url, &data, &why) ? tg_list_parse(&data, &why) : NULL;
    bool fetched = list != NULL && tg_list_genuine(list, issuer, &why) &&
                   take_list(harvest, list, issuer, url, &why);

    if (!fetched)
        tg_complain("%s: %s", url, why.text != NULL ? why.text : "memory ran out");
    X509_CRL_free(list);
    tg_buf_free(&data);
    tg_buf_free(&why);
    return fetched;
}

/* The addresses of SUBJECT's CRLs that its own issuer signs and that list all reasons; how many. */
static int points_of(const X509 *subject, char *url[POINTS])
{
    CRL_DIST_POINTS *points = X509_get_ext_d2i(subject, NID_crl_distribution_points, NULL, NULL);
    int count = 0;

    for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT *point = sk_DIST_POINT_value(points, i);

        if (point->distpoint != NULL && point->distpoint->type == 0 && point->CRLissuer == NULL &&
            point->reasons == NULL)
            count += tg_issuers_urls(point->distpoint->name.fullname, url + count, POINTS - count);
    }
    CRL_DIST_POINTS_free(points);
    return count;
}

/* The first CRL of SUBJECT that can be had. True if one was. */
static bool take_lists(struct tg_harvest *harvest, const struct tg_download *how, X509 *subject,
                       X509 *issuer)
{
    char *url[POINTS];
    int count = points_of(subject, url);
    bool fetched = false;

    for (int i = 0; i < count; i++) {
        fetched = fetched || fetch_list(harvest, how, issuer, url[i]);
        free(url[i]);
    }
    harvest->wanted++;
    harvest->lists += fetched;
    harvest->failed |= count > 0 && !fetched;
    if (count == 0) {
        tg_buf_add(&harvest->report, "  crl   none is named by ");
        tg_write_name(&harvest->report, X509_get_subject_name(subject));
        tg_buf_add(&harvest->report, "\n");
    }
    return fetched;
}

/* ------------------------------------------------------------------------------------------- */

static void report_path(struct tg_harvest *harvest, const struct tg_issuers *issuers)
{
    static const char *const froms[] = {[TG_FROM_SENT] = "sent",
                                        [TG_FROM_POLICY] = "in the policy",
                                        [TG_FROM_ANCHOR] = "an anchor",
                                        [TG_FROM_WEB] = "fetched from "};

    for (int i = 0; i < issuers->count; i++) {
        const struct tg_issuer *one = &issuers->path[i];

        tg_buf_add(&harvest->report, "  path  ");
        tg_write_name(&harvest->report, X509_get_subject_name(one->certificate));
        tg_buf_printf(&harvest->report, ": %s%s\n", froms[one->from],
                      one->url != NULL ? one->url : "");
    }
    if (!issuers->complete)
        tg_buf_add(&harvest->report, "  path  the next issuer isn't to be had\n");
}

void tg_harvest_gather(struct tg_harvest *harvest, const struct tg_issuers *issuers,
                       const struct tg_download *how)
{
    struct tg_download lists = *how;

    lists.largest = TG_FILE_MAX;
    report_path(harvest, issuers);
    harvest->failed |= !issuers->complete;
    /* A root is no intermediate, and isn't trusted because a stranger's certificate names it. */
    for (int i = 1; i < issuers->count; i++)
        if (issuers->path[i].from == TG_FROM_WEB &&
            X509_self_signed(issuers->path[i].certificate, 1) != 1)
            take_intermediate(harvest, issuers->path[i].certificate);
    for (int i = 0; i + 1 < issuers->count; i++) {
        bool fetched = take_lists(harvest, &lists, issuers->path[i].certificate,
                                  issuers->path[i + 1].certificate);

        harvest->leaf_has |= fetched && i == 0;
    }
    harvest->report.failed |= harvest->intermediates.failed || harvest->crls.failed;
}

void tg_harvest_clear(struct tg_harvest *harvest)
{
    for (int i = 0; i < harvest->file_count; i++)
        tg_buf_free(&harvest->files[i].data);
    tg_buf_free(&harvest->report);
    tg_buf_free(&harvest->intermediates);
    tg_buf_free(&harvest->crls);
}
