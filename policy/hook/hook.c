#include "hook.h"
#include <errno.h>

/* What the application would have done: its own callback, or libssl's default. */
static int ask_application(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context)
{
    const struct tg_context_state *state = tg_context_state_of(hooked->libssl.SSL_get_SSL_CTX(ssl));
    int verified;

    if (state != NULL && state->verify != NULL)
        return state->verify(context, state->verify_arg);
    verified = X509_verify_cert(context);
    return verified < 0 ? 0 : verified; /* as ssl_verify_cert_chain does */
}

/* One server under judgement. */
struct meeting {
    const struct tg_hooked *hooked;
    SSL *ssl;
    X509_STORE_CTX *context;
    const struct tg_process *process;
    const tg_policy *policy; /* NULL: this process has none, or an invalid one */
    struct tg_query query;
    struct tg_peer peer;
};

/*
 * The policy leaves this host to the application, or only reports on it, but for [distrust],
 * which holds for every host: on the path that the application verified, or what it was sent if it
 * verified none.
 */
static int leave(const struct meeting *met)
{
    int verified = ask_application(met->hooked, met->ssl, met->context);
    const STACK_OF(X509) *path = NULL;
    struct tg_verdict *verdict = NULL;
    bool refuse = false;

    if (verified == 1 && X509_STORE_CTX_get_error(met->context) == X509_V_OK)
        path = X509_STORE_CTX_get0_chain(met->context);
    verdict = tg_judge_distrust(met->process, met->policy, &met->query, path, &refuse);
    if (refuse)
        verified = tg_outcome_refuse(met->hooked, met->ssl, met->context, verdict, &met->peer);
    else if (verified == 1 && tg_judge_distrusts(met->policy))
        tg_known_add(met->policy, &met->peer, met->query.leaf, met->query.tls_version, 0);
    tg_verdict_free(verdict);
    return verified;
}

/* True if the gate must have another look, once the staple has come. */
static bool pending(const struct meeting *met, const struct tg_verdict *verdict)
{
    return met->query.staple_pending && tg_status_wanted(verdict->rule);
}

static int carry_out(const struct meeting *met, const struct tg_verdict *verdict)
{
    bool later;

    if (verdict == NULL || !verdict->accepted)
        return tg_outcome_refuse(met->hooked, met->ssl, met->context, verdict, &met->peer);
    later = pending(met, verdict);
    if (!tg_outcome_accept(met->context, verdict, later ? NULL : met->query.host))
        return 0;
    if (!later)
        tg_known_add(met->policy, &met->peer, met->query.leaf, met->query.tls_version,
                     verdict->valid_until);
    return 1;
}

static int judge_client(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context,
                        const struct tg_process *process, const tg_policy *policy)
{
    struct meeting met = {
        .hooked = hooked,
        .ssl = ssl,
        .context = context,
        .process = process,
        .policy = policy,
        .query = {.leaf = X509_STORE_CTX_get0_cert(context),
                  .sent = X509_STORE_CTX_get0_untrusted(context),
                  .app = context,
                  .security_level = hooked->libssl.SSL_get_security_level(ssl)},
    };
    struct tg_connection_state *state = tg_connection_state_of(ssl);
    struct tg_judgement judgement;
    int outcome;

    (void)tg_gate_restore(hooked, ssl);
    tg_peer_of(hooked, ssl, &met.peer);
    tg_status_read(hooked, ssl, &met.query);
    judgement = tg_judge(process, policy, &met.peer, &met.query);
    if (state != NULL)
        state->judged = judgement.verdict == NULL || !pending(&met, judgement.verdict);
    if (judgement.verdict != NULL)
        tg_log_verdict(process, judgement.verdict, met.query.host, met.peer.port);
    outcome = judgement.leave ? leave(&met) : carry_out(&met, judgement.verdict);
    tg_verdict_free(judgement.verdict);
    return outcome;
}

static SSL *connection_of(const struct tg_hooked *hooked, const X509_STORE_CTX *context)
{
    return X509_STORE_CTX_get_ex_data(context, hooked->libssl.SSL_get_ex_data_X509_STORE_CTX_idx());
}

/* POLICY is the caller's, or NULL for the process's own. */
static int verify(const struct tg_hooked *hooked, X509_STORE_CTX *context, const tg_policy *policy)
{
    SSL *ssl = connection_of(hooked, context);
    const struct tg_process *process = NULL;
    int saved = errno, outcome;

    if (ssl == NULL)
        return tg_hook_refuse(context, (void *)hooked);
    if (hooked->libssl.SSL_is_server(ssl))
        return ask_application(hooked, ssl, context);
    process = tg_process_enter();
    outcome =
        judge_client(hooked, ssl, context, process, policy != NULL ? policy : process->policy);
    tg_process_leave(process);
    errno = saved;
    return outcome;
}

int tg_hook_verify(X509_STORE_CTX *context, void *arg)
{
    return verify(arg, context, NULL);
}

int tg_verify_callback(X509_STORE_CTX *context, void *policy)
{
    const struct tg_hooked *hooked = tg_hooked_any();

    if (hooked != NULL)
        return verify(hooked, context, policy);
    X509_STORE_CTX_set_error(context, X509_V_ERR_UNSPECIFIED);
    return 0;
}

int tg_hook_refuse(X509_STORE_CTX *context, void *arg)
{
    const struct tg_hooked *hooked = arg;
    SSL *ssl = connection_of(hooked, context);
    struct tg_peer nobody = {.port = 0};

    if (ssl != NULL)
        return tg_outcome_refuse(hooked, ssl, context, NULL, &nobody);
    X509_STORE_CTX_set_error(context, X509_V_ERR_UNSPECIFIED);
    return 0;
}
