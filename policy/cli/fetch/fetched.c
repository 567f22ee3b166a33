#include "fetched.h"
#include "argument.h"
#include "crls.h"
#include "file.h"
#include "hash.h"
#include "pem.h"
#include "pin.h"
#include "terminal.h"
#include "write.h"
#include <ctype.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 4 /* followed of one certificate */, READABLE = TG_FETCHED_NAME - 10 };

/* ---- files -------------------------------------------------------------------------------- */

/* An empty file called NAME.SUFFIX in the folder; NULL where the path is too long. */
static struct tg_fetched_file *add_file(struct tg_fetched *fetched, const char *name,
                                        const char *suffix)
{
    struct tg_fetched_file *file = &fetched->files[fetched->file_count];

    if (snprintf(file->path, PATH_MAX, "%s/%s.%s", fetched->folder != NULL ? fetched->folder : ".",
                 name, suffix) >= PATH_MAX)
        return NULL;
    fetched->file_count++;
    return file;
}

bool tg_fetched_name(const X509 *certificate, char name[TG_FETCHED_NAME])
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
    snprintf(name, TG_FETCHED_NAME, "%s-%.8s", words[0] != '\0' ? words : "ca", hex);
    return true;
}

/* Appends PATH to VALUES as a value of a policy, quoted where it has to be. */
static void add_value(struct tg_buf *values, const char *path)
{
    tg_buf_add(values, values->length > 0 ? ", " : "");
    if (path[strcspn(path, " \t\",\\#[]")] == '\0')
        tg_buf_add(values, path);
    else
        tg_argument_quote(values, path);
}

static void take_intermediate(struct tg_fetched *fetched, X509 *certificate)
{
    char name[TG_FETCHED_NAME];
    struct tg_fetched_file *file =
        tg_fetched_name(certificate, name) ? add_file(fetched, name, "pem") : NULL;

    if (file != NULL && tg_pem_add(&file->data, NULL, certificate))
        add_value(&fetched->intermediates, file->path);
    else
        fetched->report.failed = true;
}

bool tg_fetched_write(const struct tg_fetched *fetched)
{
    struct tg_save *saves = calloc((size_t)fetched->file_count + 1, sizeof(*saves));
    struct tg_buf why = {0};
    bool written = saves != NULL;

    for (int i = 0; i < fetched->file_count && written; i++)
        saves[i] = (struct tg_save){fetched->files[i].path, &fetched->files[i].data, .mode = 0644,
                                    .replace = true};
    written = written && tg_save_all(saves, (size_t)fetched->file_count, true, &why);
    if (!written)
        tg_complain_of("fetch", &why);
    free(saves);
    tg_buf_free(&why);
    return written;
}

/* ---- CRLs --------------------------------------------------------------------------------- */

static void report_crl(struct tg_fetched *fetched, const char *path, const X509_CRL *crl)
{
    tg_buf_add(&fetched->report, "  crl   ");
    tg_buf_escape(&fetched->report, path, strlen(path));
    tg_buf_add(&fetched->report, ", until ");
    tg_write_asn1_time(&fetched->report, X509_CRL_get0_nextUpdate(crl));
    tg_buf_add(&fetched->report, "\n");
}

/* Takes CRL, which is ISSUER's own, from URL, of which its name tells. False with a sentence in
 * WHY. */
static bool take_crl(struct tg_fetched *fetched, X509_CRL *crl, X509 *issuer, const char *url,
                     struct tg_buf *why)
{
    char name[TG_FETCHED_NAME], hex[TG_HEX_SIZE], whole[READABLE + 16];
    struct tg_fetched_file *file, *source;
    uint8_t digest[TG_SHA256_SIZE];
    bool same;

    if (!tg_fetched_name(issuer, name) ||
        EVP_Digest(url, strlen(url), digest, NULL, tg_hash_sha256(), NULL) != 1)
        return false;
    tg_hex_text(digest, hex);
    snprintf(whole, sizeof(whole), "%s-%.4s", name, hex);
    file = add_file(fetched, whole, "crl");
    source = add_file(fetched, whole, "crl.source");
    if (file == NULL || source == NULL || !tg_crls_encode(&file->data, crl) ||
        !tg_crls_source_write(&source->data, url, issuer)) {
        fetched->report.failed = true;
        return false;
    }
    if (fetched->folder != NULL && !tg_crls_follows(crl, file->path, &same, why)) {
        tg_buf_free(&fetched->files[--fetched->file_count].data);
        tg_buf_free(&fetched->files[--fetched->file_count].data);
        return false;
    }
    report_crl(fetched, file->path, crl);
    add_value(&fetched->crls, file->path);
    return true;
}

static bool fetch_crl(struct tg_fetched *fetched, const struct tg_download *how, X509 *issuer,
                      const char *url)
{
    struct tg_buf data = {0}, why = {0};
    X509_CRL *crl = tg_download(how, url, &data, &why) ? tg_crls_parse(&data, &why) : NULL;
    bool found = crl != NULL && tg_crls_genuine(crl, issuer, &why) &&
                 take_crl(fetched, crl, issuer, url, &why);

    if (!found)
        tg_complain_of(url, &why);
    X509_CRL_free(crl);
    tg_buf_free(&data);
    tg_buf_free(&why);
    return found;
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
static bool take_crls(struct tg_fetched *fetched, const struct tg_download *how, X509 *subject,
                      X509 *issuer)
{
    char *url[POINTS];
    int count = points_of(subject, url);
    bool found = false;

    for (int i = 0; i < count; i++) {
        found = found || fetch_crl(fetched, how, issuer, url[i]);
        free(url[i]);
    }
    fetched->wanted++;
    fetched->crls_found += found;
    fetched->failed |= count > 0 && !found;
    if (count == 0) {
        tg_buf_add(&fetched->report, "  crl   none is named by ");
        tg_write_name(&fetched->report, X509_get_subject_name(subject));
        tg_buf_add(&fetched->report, "\n");
    }
    return found;
}

/* ------------------------------------------------------------------------------------------- */

static void report_path(struct tg_fetched *fetched, const struct tg_issuers *issuers)
{
    static const char *const froms[] = {[TG_FROM_SENT] = "sent",
                                        [TG_FROM_POLICY] = "in the policy",
                                        [TG_FROM_ANCHOR] = "an anchor",
                                        [TG_FROM_WEB] = "fetched from "};

    for (int i = 0; i < issuers->count; i++) {
        const struct tg_issuer *one = &issuers->path[i];

        tg_buf_add(&fetched->report, "  path  ");
        tg_write_name(&fetched->report, X509_get_subject_name(one->certificate));
        tg_buf_printf(&fetched->report, ": %s%s\n", froms[one->from],
                      one->url != NULL ? one->url : "");
    }
    if (!issuers->complete)
        tg_buf_printf(&fetched->report, "  path  the next issuer isn't to be had%s\n",
                      issuers->unreferred
                          ? ": the certificate tells no address of it; with a file of it, the rule "
                            "takes intermediates = FILE, or anchors = FILE where it is a root"
                          : "");
}

void tg_fetched_gather(struct tg_fetched *fetched, const struct tg_issuers *issuers,
                       const struct tg_download *how)
{
    struct tg_download for_crls = *how;

    for_crls.largest = TG_FILE_MAX;
    report_path(fetched, issuers);
    fetched->failed |= !issuers->complete;
    /* A root is no intermediate, and isn't trusted because a stranger's certificate names it. */
    for (int i = 1; i < issuers->count; i++)
        if (issuers->path[i].from == TG_FROM_WEB &&
            X509_self_signed(issuers->path[i].certificate, 1) != 1)
            take_intermediate(fetched, issuers->path[i].certificate);
    for (int i = 0; i + 1 < issuers->count; i++) {
        bool found = take_crls(fetched, &for_crls, issuers->path[i].certificate,
                               issuers->path[i + 1].certificate);

        fetched->leaf_has |= found && i == 0;
    }
    fetched->report.failed |= fetched->intermediates.failed || fetched->crls.failed;
}

void tg_fetched_clear(struct tg_fetched *fetched)
{
    for (int i = 0; i < fetched->file_count; i++)
        tg_buf_free(&fetched->files[i].data);
    tg_buf_free(&fetched->report);
    tg_buf_free(&fetched->intermediates);
    tg_buf_free(&fetched->crls);
}
