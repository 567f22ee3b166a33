#include "discovery.h"
#include "attempt.h"
#include "path.h"
#include "sources.h"

/* Why a certificate that has the issuer's name isn't the issuer that was not found. */
static void explain_missing(struct tg_evaluation *evaluation, const struct tg_sources *sources)
{
    int depth = sk_X509_num(evaluation->path) - 1;
    bool key = false;

    if (depth < 0 || !tg_sources_misfit(sources, sk_X509_value(evaluation->path, depth), &key))
        return;
    tg_findings_extend(&evaluation->findings, TG_MISSING_ISSUER, depth,
                       key ? ": a certificate of that name is there, but its key isn't the one "
                             "of the authority key identifier"
                           : ": a certificate of that name is there, but its issuer and serial "
                             "number aren't those of the authority key identifier");
}

static bool ends_without_anchor(const struct tg_findings *findings)
{
    return (tg_findings_kinds(findings) &
            (UINT64_C(1) << TG_MISSING_ISSUER | UINT64_C(1) << TG_UNTRUSTED_ROOT |
             UINT64_C(1) << TG_SELF_SIGNED_LEAF)) != 0;
}

/* What kept the walk from a good path, beside the faults of the best one. */
static void explain_end(struct tg_evaluation *evaluation, const struct tg_path_end *end)
{
    struct tg_buf text = {0};

    if (end->unfit != NULL)
        tg_findings_add_x509(&evaluation->findings, X509_V_ERR_KEYUSAGE_NO_CERTSIGN,
                             end->unfit_depth, end->unfit);
    if (end->rejected != NULL && ends_without_anchor(&evaluation->findings))
        tg_findings_add_x509(&evaluation->findings, X509_V_ERR_CERT_REJECTED, end->rejected_depth,
                             end->rejected);
    if (!end->spent)
        return;
    tg_buf_add(&text, "no good path among those that could be tried within bounds");
    tg_findings_add(&evaluation->findings, TG_PATH_TOO_LONG, 0, 0, &text);
}

static bool find_path(struct tg_evaluation *evaluation, const struct tg_sources *sources)
{
    struct tg_path_end end;
    enum tg_walk found =
        tg_path_walk(sources, evaluation->query->leaf, tg_attempt, evaluation, &end);

    if (found == TG_WALK_ON && evaluation->path != NULL) {
        explain_end(evaluation, &end);
        explain_missing(evaluation, sources);
    }
    X509_free(end.unfit);
    X509_free(end.rejected);
    return found != TG_WALK_FAILED && evaluation->path != NULL && !evaluation->findings.failed;
}

bool tg_discover(struct tg_evaluation *evaluation)
{
    int sent = sk_X509_num(evaluation->query->sent);
    struct tg_buf text = {0};
    struct tg_sources sources;
    bool done;

    if (sent > TG_PATH_MAX_SENT) {
        tg_buf_printf(&text,
                      "the server sent %d certificates, more than the %d that are considered", sent,
                      TG_PATH_MAX_SENT);
        tg_findings_add(&evaluation->findings, TG_PATH_TOO_LONG, 0, 0, &text);
        return !evaluation->findings.failed;
    }
    done = tg_sources_open(&sources, evaluation) && find_path(evaluation, &sources);
    tg_sources_close(&sources);
    return done;
}
