#include "refresh.h"
#include "chosen.h"
#include "crls.h"
#include "file.h"
#include "replace.h"
#include "terminal.h"
#include "watch.h"
#include "write.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One run. */
struct refresh {
    const struct tg_download *how;
    size_t known, failed;
    bool unwritable;
};

static void tell(const char *path, const X509_CRL *crl, bool same)
{
    struct tg_buf out = {0};

    tg_buf_printf(&out, "%s ", same ? "unchanged" : "renewed  ");
    tg_buf_escape(&out, path, strlen(path));
    tg_buf_add(&out, ", until ");
    tg_write_asn1_time(&out, X509_CRL_get0_nextUpdate(crl));
    tg_buf_add(&out, "\n");
    if (!tg_terminal_write(stdout, &out))
        tg_complain("%s", tg_no_memory);
}

/* Puts CRL in the place of the file PATH. False with a sentence in WHY. */
static bool put(X509_CRL *crl, const char *path, struct tg_buf *why)
{
    struct tg_replace file = {0};
    struct tg_buf der = {0};
    bool done = false;

    if (!tg_crls_encode(&der, crl))
        tg_buf_add(why, tg_no_memory);
    else
        done =
            tg_replace_begin(&file, path, TG_FILE_MAX, why) && tg_replace_commit(&file, &der, why);
    tg_replace_end(&file);
    tg_buf_free(&der);
    return done;
}

/* Renews the file PATH. False with a sentence in WHY: it is as it was then. */
static bool renew(struct refresh *run, const char *path, struct tg_buf *why)
{
    struct tg_buf data = {0};
    char *url = NULL;
    X509 *issuer = NULL;
    X509_CRL *crl = NULL;
    bool same = false, renewed = false;

    if (!tg_crls_source_read(path, &url, &issuer, why))
        goto end;
    if (tg_download(run->how, url, &data, why))
        crl = tg_crls_parse(&data, why);
    if (crl == NULL || !tg_crls_genuine(crl, issuer, why) ||
        !tg_crls_follows(crl, path, &same, why))
        goto end;
    renewed = same || put(crl, path, why);
    run->unwritable |= !renewed;
    if (renewed)
        tell(path, crl, same);
end:
    X509_CRL_free(crl);
    X509_free(issuer);
    free(url);
    tg_buf_free(&data);
    return renewed;
}

/* A tg_watch_seen. */
static void visit(void *arg, const char *path)
{
    struct refresh *run = arg;
    struct tg_buf source = {0}, why = {0};

    tg_crls_source_path(&source, path);
    if (!source.failed && access(source.text, F_OK) == 0) {
        run->known++;
        if (!renew(run, path, &why)) {
            run->failed++;
            tg_complain("%s stays as it was: %s", path, tg_why(&why));
        }
    }
    tg_buf_free(&source);
    tg_buf_free(&why);
}

int tg_refresh(const struct tg_options *options, const struct tg_download *how)
{
    struct refresh run = {.how = how};
    int status = TG_EXIT_USAGE;
    tg_policy *policy = tg_chosen_policy(options, &status);

    if (policy == NULL)
        return status;
    tg_watch_each(policy->watch, visit, &run);
    if (run.known == 0)
        tg_complain("%s names no CRL that 'trustgraft fetch --to' has written", policy->file);
    tg_policy_free(policy);
    if (run.known == 0 || run.unwritable)
        return TG_EXIT_USAGE;
    return run.failed > 0 ? TG_EXIT_REFUSED : TG_EXIT_GOOD;
}
