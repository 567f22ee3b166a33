#include "crls.h"
#include "download.h"
#include "file.h"
#include "input.h"
#include "pem.h"
#include "write.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

enum { SLACK = 300 /* seconds that clocks may differ */ };

X509_CRL *tg_crls_parse(const struct tg_buf *data, struct tg_buf *why)
{
    const unsigned char *at = (const unsigned char *)data->text;
    X509_CRL *crl = NULL;
    BIO *bio;

    if (data->length > 0 && data->length <= TG_FILE_MAX && data->text[0] == 0x30) {
        crl = d2i_X509_CRL(NULL, &at, (long)data->length);
        if (crl != NULL && at != (const unsigned char *)data->text + data->length) {
            X509_CRL_free(crl);
            crl = NULL;
        }
    } else if (data->length > 0 && data->length <= TG_FILE_MAX) {
        bio = BIO_new_mem_buf(data->text, (int)data->length);
        crl = bio != NULL ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : NULL;
        BIO_free(bio);
    }
    if (crl == NULL)
        tg_buf_add(why, "is no CRL, neither in DER nor in PEM");
    ERR_clear_error();
    return crl;
}

/* What evaluation doesn't understand, or what lists not all: RFC 5280 sections 5.2.4 and 5.2.5. */
static const char *fault_of_kind(const X509_CRL *crl)
{
    if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0)
        return "is a delta CRL, which lists only changes";
    for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
        X509_EXTENSION *one = X509_CRL_get_ext(crl, i);

        if (X509_EXTENSION_get_critical(one) &&
            OBJ_obj2nid(X509_EXTENSION_get_object(one)) != NID_issuing_distribution_point)
            return "has a critical extension that isn't understood";
    }
    return NULL;
}

static bool check_dates(const X509_CRL *crl, struct tg_buf *why)
{
    const ASN1_TIME *from = X509_CRL_get0_lastUpdate(crl), *to = X509_CRL_get0_nextUpdate(crl);
    time_t now = time(NULL), soon = now + SLACK;

    if (from == NULL || X509_cmp_time(from, &soon) >= 0) {
        tg_buf_add(why, "is from the future: ");
        if (from != NULL)
            tg_write_asn1_time(why, from);
    } else if (to == NULL) {
        tg_buf_add(why, "doesn't say until when it counts");
    } else if (X509_cmp_time(to, &now) <= 0) {
        tg_buf_add(why, "counted only until ");
        tg_write_asn1_time(why, to);
    } else {
        return true;
    }
    return false;
}

bool tg_crls_genuine(X509_CRL *crl, X509 *issuer, struct tg_buf *why)
{
    const char *fault = fault_of_kind(crl);
    bool genuine = false;

    if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)) != 0) {
        tg_buf_add(why, "is of another issuer: ");
        tg_write_name(why, X509_CRL_get_issuer(crl));
    } else if ((X509_get_key_usage(issuer) & KU_CRL_SIGN) == 0) {
        tg_buf_add(why, "is of an issuer that may not sign CRLs");
    } else if (X509_CRL_verify(crl, X509_get0_pubkey(issuer)) != 1) {
        tg_buf_add(why, "isn't signed by its issuer");
    } else if (fault != NULL) {
        tg_buf_add(why, fault);
    } else {
        genuine = check_dates(crl, why);
    }
    ERR_clear_error();
    return genuine;
}

bool tg_crls_follows(X509_CRL *crl, const char *path, bool *same, struct tg_buf *why)
{
    struct tg_buf data = {0}, ignored = {0};
    X509_CRL *old =
        tg_input_read(path, TG_FILE_MAX, &data) == 0 ? tg_crls_parse(&data, &ignored) : NULL;
    bool follows = true;

    *same = old != NULL && X509_CRL_match(old, crl) == 0;
    if (old != NULL && X509_CRL_cmp(old, crl) == 0 &&
        ASN1_TIME_compare(X509_CRL_get0_lastUpdate(old), X509_CRL_get0_lastUpdate(crl)) > 0) {
        tg_buf_add(why, "is older than the one there, of ");
        tg_write_asn1_time(why, X509_CRL_get0_lastUpdate(old));
        follows = false;
    }
    X509_CRL_free(old);
    tg_buf_free(&data);
    tg_buf_free(&ignored);
    return follows;
}

/* ---- files -------------------------------------------------------------------------------- */

void tg_crls_source_path(struct tg_buf *out, const char *path)
{
    tg_buf_printf(out, "%s.source", path);
}

/* The line of TEXT that is neither empty nor a comment: it is cut off there. NULL: none. */
static char *first_line(char *text)
{
    char *line;

    while ((line = strsep(&text, "\n")) != NULL)
        if (line[0] != '#' && line[0] != '\0')
            return line;
    return NULL;
}

static X509 *parse_issuer(const struct tg_file *file)
{
    BIO *bio = file->size < INT_MAX ? BIO_new_mem_buf(file->data, (int)file->size) : NULL;
    X509 *issuer = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, (void *)"") : NULL;

    BIO_free(bio);
    ERR_clear_error();
    return issuer;
}

bool tg_crls_source_read(const char *path, char **url, X509 **issuer, struct tg_buf *why)
{
    struct tg_arena *arena = tg_arena_new();
    struct tg_file file = {0};
    struct tg_buf source = {0};
    const char *wrong = tg_no_memory, *line;

    tg_crls_source_path(&source, path);
    if (arena != NULL && !source.failed)
        wrong = tg_file_read(arena, source.text, &file);
    if (wrong == NULL) {
        *issuer = parse_issuer(&file);
        line = first_line(file.data);
        *url = line != NULL && tg_download_takes(line) ? strdup(line) : NULL;
        if (*issuer == NULL || *url == NULL)
            wrong = "has no line with an http address and a certificate behind it";
    }
    if (wrong != NULL)
        tg_buf_printf(why, "%s: %s", source.text != NULL ? source.text : path, wrong);
    tg_file_clear(&file);
    tg_buf_free(&source);
    tg_arena_free(arena);
    return wrong == NULL;
}

bool tg_crls_encode(struct tg_buf *out, X509_CRL *crl)
{
    unsigned char *der = NULL;
    int length = i2d_X509_CRL(crl, &der);

    if (length > 0)
        tg_buf_addn(out, (const char *)der, (size_t)length);
    OPENSSL_free(der);
    return length > 0 && !out->failed;
}

bool tg_crls_source_write(struct tg_buf *out, const char *url, X509 *issuer)
{
    tg_buf_printf(out,
                  "# For 'trustgraft fetch --refresh': where the CRL beside this is from, and who "
                  "signs it.\n%s\n",
                  url);
    return tg_pem_add(out, NULL, issuer);
}
