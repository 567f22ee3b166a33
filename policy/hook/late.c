/* late.c - the verdict on a server where the handshake is done. */
#include "late.h"
#include "accepted.h"
#include "alias.h"
#include "convert.h"
#include "judge.h"
#include "name.h"
#include "offer.h"
#include "outcome.h"
#include "query.h"
#include "reason.h"
#include "status.h"

X509_STORE_CTX *tg_late_context(const struct tg_hooked *hooked, SSL *ssl, X509 *leaf, void *sent)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    const struct tg_libcrypto *crypto = &hooked->library->crypto;
    X509_STORE *store = hooked->library->backend->store(hooked, ssl);
    X509_STORE_CTX *context = crypto->X509_STORE_CTX_new();

    if (store != NULL && context != NULL &&
        crypto->X509_STORE_CTX_init(context, store, leaf, sent) &&
        crypto->X509_STORE_CTX_set_default(context, "ssl_server") &&
        crypto->X509_VERIFY_PARAM_set1(crypto->X509_STORE_CTX_get0_param(context),
                                       libssl->SSL_get0_param(ssl)))
        return context;
    crypto->X509_STORE_CTX_free(context);
    return NULL;
}

/* A server that was met with the handshake done. */
struct late {
    const struct tg_hooked *hooked;
    SSL *ssl;
    const struct tg_process *process;
    struct tg_query query;
    struct tg_peer peer;
    bool key;   /* it answers under a key of the application's: it showed no certificate */
    bool left;  /* to the application: the verdict is about [distrust] alone */
    bool stray; /* a policy let the session in, but not for this host, or not this policy */
};

/* The verdict, to be freed, and in *REFUSE whether it refuses. */
static struct tg_verdict *judge_shown(struct late *late, const struct tg_presented *presented,
                                      bool *refuse)
{
    const struct tg_process *process = late->process;
    struct tg_own_path theirs = {.library = late->hooked->library};
    struct tg_judgement judgement;

    late->query.leaf = late->key ? NULL : presented->leaf;
    late->query.sent = late->key ? NULL : presented->sent;
    judgement = tg_judge(process, process->policy, &late->peer, &late->query);
    if (judgement.verdict != NULL)
        tg_judge_log(process, judgement.verdict, &late->peer);
    *refuse = judgement.verdict == NULL || !judgement.verdict->accepted || presented->failed;
    late->left = judgement.leave;
    if (!late->left)
        return judgement.verdict;
    tg_verdict_free(judgement.verdict);
    late->query.leaf = presented->leaf;
    late->query.sent = presented->sent;
    theirs.path = late->hooked->library->backend->own_path(late->hooked, late->ssl, &theirs.good);
    return tg_judge_distrust(process, process->policy, &late->peer, &late->query, &theirs, refuse);
}

/* What was accepted is remembered as it stands then, with the alias that it may get. */
static bool settle(struct late *late, X509 *leaf, const struct tg_verdict *verdict)
{
    uint8_t digest[TG_SHA256_SIZE];
    SSL_SESSION *session = late->hooked->libssl.SSL_get_session(late->ssl);

    if (late->key || late->left || verdict == NULL || late->query.host == NULL || leaf == NULL)
        return true;
    if (!tg_name_matches(late->query.leaf, late->query.host, 0) &&
        !tg_alias_add(late->hooked->library, leaf, late->query.leaf, late->query.host))
        return false;
    if (!tg_accepted_digest(late->hooked, session, digest))
        return true;
    tg_accepted_add(
        &(struct tg_admission){late->hooked, late->ssl, late->process->policy, &late->peer}, digest,
        late->query.tls_version, verdict->finding_count > 0, verdict->valid_until);
    return tg_accepted_mark(late->hooked, late->ssl, digest);
}

void tg_late_refuse_session(const struct tg_hooked *hooked, const struct tg_process *process,
                            const struct tg_peer *peer)
{
    struct tg_verdict *verdict =
        tg_verdict_refuse(TG_HOST_REJECTED, "the program resumes a session that this policy did "
                                            "not evaluate");

    if (verdict != NULL)
        tg_judge_log(process, verdict, peer);
    tg_outcome_raise(hooked->library, verdict, peer);
    tg_verdict_free(verdict);
}

static void refuse_late(const struct late *late, const struct tg_verdict *verdict)
{
    const struct tg_hooked *hooked = late->hooked;
    struct tg_connection_state *state = tg_connection_state_of(hooked, late->ssl);

    if (state != NULL)
        state->reason = verdict != NULL ? tg_reason_now() : NULL;
    hooked->library->backend->set_result(
        hooked, late->ssl, verdict != NULL ? verdict->x509_error : X509_V_ERR_OUT_OF_MEM);
    tg_outcome_raise(hooked->library, verdict, &late->peer);
}

/* True if SESSION, which is resumed, stands in for an evaluation. */
static bool stands_in(struct late *late, const struct tg_policies *policies, SSL_SESSION *session)
{
    const struct tg_hooked *hooked = late->hooked;

    struct tg_admission admission = {hooked, late->ssl, late->process->policy, &late->peer};

    if (!late->key && tg_accepted(&admission, session))
        return true;
    late->stray = tg_accepted_marked(hooked, session);
    for (size_t i = 0; i < policies->count; i++) {
        admission.policy = policies->each[i].policy;
        if (tg_accepted(&admission, session))
            late->stray = false;
    }
    return false;
}

/*
 * The handshake is done and our verify callback was never asked: the application has put one
 * of its own in its place (which a provider can't prevent), the server showed no certificate
 * (PSK, anonymous), or a session was resumed. The policy has the last word all the same; it
 * can only be stricter here, for the application has decided already. False: refused.
 */
bool tg_late_judge(const struct tg_hooked *hooked, SSL *ssl, const struct tg_process *process,
                   const struct tg_policies *policies)
{
    const struct tg_libssl *libssl = &hooked->libssl;
    SSL_SESSION *session = libssl->SSL_get_session(ssl);
    struct late late = {.hooked = hooked, .ssl = ssl, .process = process};
    X509 *leaf = session != NULL ? libssl->SSL_SESSION_get0_peer(session) : NULL;
    void *sent = libssl->SSL_get_peer_cert_chain(ssl);
    X509_STORE_CTX *context = NULL;
    struct tg_verdict *verdict = NULL;
    struct tg_presented presented;
    bool refuse = true;

    tg_peer_at_verdict(hooked, ssl, NULL, &late.peer);
    tg_status_read(hooked, ssl, &late.query);
    late.query.staple_pending = false;
    late.key = tg_offer_is_key(hooked, ssl);
    if (libssl->SSL_session_reused(ssl) && stands_in(&late, policies, session))
        return true;
    context = tg_late_context(hooked, ssl, leaf, sent);
    if (tg_presented_import(hooked->library, leaf, sent, context, &presented) && context != NULL) {
        late.query.app = presented.app;
        late.query.security_level = hooked->library->backend->security_level(hooked, ssl);
        verdict = judge_shown(&late, &presented, &refuse);
    } else {
        refuse = tg_judge_demands(process, &late.peer);
        if (refuse &&
            (verdict = tg_verdict_refuse(TG_MALFORMED, tg_presented_problem(&presented))) != NULL)
            tg_judge_log(process, verdict, &late.peer);
    }
    if (!refuse && late.left && late.stray) {
        refuse = true;
        tg_late_refuse_session(hooked, process, &late.peer);
    } else if ((refuse = refuse || !settle(&late, leaf, verdict)))
        refuse_late(&late, verdict);
    tg_verdict_free(verdict);
    tg_presented_free(&presented);
    hooked->library->crypto.X509_STORE_CTX_free(context);
    return !refuse;
}
