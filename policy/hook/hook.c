#include "hook.h"
#include "boring.h"
#include "name.h"
#include <errno.h>
#include <openssl/err.h>

/* One server under judgement. */
struct meeting {
    const struct tg_hooked *hooked;
    SSL *ssl;
    X509_STORE_CTX *context; /* theirs; NULL where BoringSSL's application verifies by itself: */
    uint8_t *alert;          /* what is sent then on refusal */
    bool called;             /* by the application itself, which is then not to be asked again */
    const struct tg_process *process;
    const tg_policy *policy; /* NULL: this process has none, or an invalid one */
    struct tg_query query;
    struct tg_shown shown;
    struct tg_peer peer;
};

/* What a verification comes to: as a cert_verify_callback returns it, and one more. */
enum { REFUSED, ACCEPTED, RETRY };

static int ask_custom(const struct meeting *met)
{
    static const int outcomes[] = {
        [TG_CUSTOM_OK] = ACCEPTED, [TG_CUSTOM_INVALID] = REFUSED, [TG_CUSTOM_RETRY] = RETRY};
    tg_custom_callback *custom = tg_boring_custom(met->hooked, met->ssl);
    struct tg_connection_state *state = tg_connection_state_of(met->hooked, met->ssl);
    int answer = custom != NULL ? custom(met->ssl, met->alert) : TG_CUSTOM_INVALID;

    if (state != NULL)
        state->asking = answer == TG_CUSTOM_RETRY;
    return answer >= TG_CUSTOM_OK && answer <= TG_CUSTOM_RETRY ? outcomes[answer] : REFUSED;
}

/* What the application would have done: its own callback, or libssl's default. */
static int ask_application(const struct meeting *met)
{
    const struct tg_hooked *hooked = met->hooked;
    X509_STORE_CTX *context = met->context;
    const struct tg_context_state *state =
        tg_context_state_of(hooked, hooked->libssl.SSL_get_SSL_CTX(met->ssl));
    int verified;

    if (!met->called && state != NULL && state->verify != NULL)
        return state->verify(context, state->verify_arg);
    verified = hooked->crypto->X509_verify_cert(context);
    return verified < 0 ? 0 : verified; /* as ssl_verify_cert_chain does */
}

static int ask(const struct meeting *met)
{
    return met->context == NULL ? ask_custom(met) : ask_application(met);
}

static int refuse(const struct meeting *met, const struct tg_verdict *verdict)
{
    if (met->context == NULL)
        *met->alert = met->hooked->libssl.SSL_alert_from_verify_result(
            verdict != NULL ? verdict->x509_error : X509_V_ERR_OUT_OF_MEM);
    return tg_outcome_refuse(met->hooked, met->ssl, met->context, verdict, &met->peer);
}

/* The leaf as the session will hold it. */
static bool digest_of(const struct meeting *met, uint8_t digest[TG_SHA256_SIZE])
{
    if (met->hooked->library->kind == TG_BORINGSSL)
        return tg_hash_certificate(met->query.leaf, digest);
    return tg_border_digest(met->hooked->library,
                            met->hooked->crypto->X509_STORE_CTX_get0_cert(met->context), digest);
}

/* What the application let in; on its own account alone, if no verdict of the policy's stands
 * behind it: only where sessions can't be marked that is a thing to know then. */
static void remember(const struct meeting *met)
{
    uint8_t digest[TG_SHA256_SIZE];

    if (met->query.leaf != NULL && digest_of(met, digest))
        tg_known_add(met->policy, &met->peer, digest, met->query.tls_version, false, 0);
}

/* What the policy let in; LEAF is its digest where that is there already, or NULL. LATER: the
 * staple is yet to come. False: no memory to tell its session from the application's own. */
static bool let_in(const struct meeting *met, const struct tg_verdict *verdict, const uint8_t *leaf,
                   bool later)
{
    uint8_t digest[TG_SHA256_SIZE];

    if (leaf == NULL && digest_of(met, digest))
        leaf = digest;
    if (leaf == NULL || !tg_known_mark(met->hooked, met->ssl, leaf))
        return false;
    if (!later)
        tg_known_add(met->policy, &met->peer, leaf, met->query.tls_version,
                     verdict->finding_count > 0, verdict->valid_until);
    return true;
}

/* The policy leaves this host to the application, or only reports on it, but for [distrust],
 * which holds for every host. */
static int leave(const struct meeting *met)
{
    const struct tg_libcrypto *crypto = met->hooked->crypto;
    int verified = ask(met);
    struct tg_own_path theirs = {.library = met->hooked->library};
    struct tg_verdict *verdict = NULL;
    bool refused = false;

    if (!tg_judge_distrusts(met->policy)) {
        bool goes_on = verified > REFUSED ||
                       !(met->hooked->libssl.SSL_get_verify_mode(met->ssl) & SSL_VERIFY_PEER);

        if (goes_on && met->hooked->library->kind == TG_BORINGSSL)
            remember(met);
        return verified;
    }
    if (met->context != NULL) {
        theirs.path = crypto->X509_STORE_CTX_get0_chain(met->context);
        theirs.good =
            verified == ACCEPTED && crypto->X509_STORE_CTX_get_error(met->context) == X509_V_OK;
    }
    verdict =
        tg_judge_distrust(met->process, met->policy, &met->peer, &met->query, &theirs, &refused);
    if (refused)
        verified = refuse(met, verdict);
    else if (verified > REFUSED) /* what the application puts off is its own alone to decide */
        remember(met);
    tg_verdict_free(verdict);
    return verified;
}

/* True if the gate must have another look, once the staple has come. */
static bool pending(const struct meeting *met, const struct tg_verdict *verdict)
{
    return met->query.staple_pending && tg_status_wanted(verdict->rule);
}

/*
 * An application that lets the verification wait (SSL_set_retry_verify(3)) has it done once
 * more, on a leaf that carries an alias by then: the one that came is kept for that.
 */
static bool keep_pristine(const struct meeting *met)
{
    struct tg_connection_state *state = tg_connection_state_of(met->hooked, met->ssl);

    if (state == NULL || state->pristine != NULL || met->hooked->library->kind == TG_BORINGSSL)
        return true;
    state->pristine = met->hooked->library->foreign
                          ? (X509_up_ref(met->query.leaf) ? met->query.leaf : NULL)
                          : X509_dup(met->query.leaf);
    return state->pristine != NULL;
}

void tg_hook_forget(struct tg_connection_state *state)
{
    X509_free(state->pristine);
    state->pristine = NULL;
}

static int carry_out(const struct meeting *met, const struct tg_verdict *verdict)
{
    const char *host = met->query.host;
    bool later, alias, as_shown;

    if (verdict == NULL || !verdict->accepted)
        return refuse(met, verdict);
    later = pending(met, verdict);
    if (later) /* the gate may not have been there to ask */
        tg_status_request(met->hooked, met->ssl, verdict->rule);
    alias = !later && host != NULL && !tg_name_matches(met->query.leaf, host, 0);
    if (alias && !keep_pristine(met))
        return refuse(met, NULL);
    if (met->context != NULL &&
        !tg_outcome_accept(met->hooked, met->ssl, met->context, verdict, alias ? host : NULL))
        return 0;
    as_shown = !alias && !met->hooked->library->foreign && met->query.leaf == met->shown.leaf;
    if (let_in(met, verdict, as_shown && verdict->leaf_digested ? verdict->leaf_digest : NULL,
               later))
        return 1;
    return refuse(met, NULL);
}

int tg_hook_security_level(const struct tg_hooked *hooked, const SSL *ssl)
{
    return hooked->library->kind == TG_BORINGSSL ? -1 : hooked->libssl.SSL_get_security_level(ssl);
}

/* Something on this server's side of the border can't be read on ours. */
static int judge_unreadable(struct meeting *met)
{
    struct tg_verdict *verdict = NULL;
    int outcome;

    if (!tg_judge_demands(met->process, &met->peer))
        return ask(met);
    verdict = tg_verdict_refuse(TG_MALFORMED, tg_border_reason(&met->shown));
    if (verdict != NULL)
        tg_judge_log(met->process, verdict, &met->peer);
    outcome = refuse(met, verdict);
    tg_verdict_free(verdict);
    return outcome;
}

static int judge_shown(struct meeting *met)
{
    struct tg_connection_state *state = tg_connection_state_of(met->hooked, met->ssl);
    struct tg_judgement judgement;
    int outcome;

    met->query.leaf = state != NULL && state->pristine != NULL ? state->pristine : met->shown.leaf;
    met->query.sent = met->shown.sent;
    met->query.app = met->shown.app;
    met->query.security_level = tg_hook_security_level(met->hooked, met->ssl);
    tg_status_read(met->hooked, met->ssl, &met->query);
    (void)met->hooked->crypto->ERR_set_mark(); /* of what their store can't find */
    judgement = tg_judge(met->process, met->policy, &met->peer, &met->query);
    (void)met->hooked->crypto->ERR_pop_to_mark();
    if (met->shown.failed) { /* without all that there is, it is no verdict */
        tg_verdict_free(judgement.verdict);
        judgement.verdict = NULL;
    }
    if (state != NULL)
        state->judged = judgement.verdict == NULL || !pending(met, judgement.verdict);
    if (judgement.verdict != NULL)
        tg_judge_log(met->process, judgement.verdict, &met->peer);
    outcome = judgement.leave ? leave(met) : carry_out(met, judgement.verdict);
    tg_verdict_free(judgement.verdict);
    return outcome;
}

static int judge_client(struct meeting *met)
{
    const struct tg_hooked *hooked = met->hooked;
    const struct tg_libcrypto *crypto = hooked->crypto;
    X509_STORE_CTX *own = NULL;
    bool shown;
    int outcome;

    (void)tg_gate_restore(hooked, met->ssl);
    tg_peer_of(hooked, met->ssl, &met->peer);
    if (met->context != NULL) {
        shown = tg_border_show(hooked->library, crypto->X509_STORE_CTX_get0_cert(met->context),
                               crypto->X509_STORE_CTX_get0_untrusted(met->context), met->context,
                               &met->shown);
    } else {
        own = tg_late_context(hooked, met->ssl, NULL, NULL);
        shown =
            tg_border_show_own(hooked->library, tg_boring_sent(hooked, met->ssl), own, &met->shown);
    }
    outcome = shown ? judge_shown(met) : judge_unreadable(met);
    tg_border_hide(&met->shown);
    crypto->X509_STORE_CTX_free(own);
    return outcome;
}

/* Under the policy of the process where MET has none. A border has two error queues: what the
 * evaluation leaves on ours is nobody's. */
static int meet(struct meeting *met)
{
    bool foreign = met->hooked->library->foreign;
    int saved = errno, cancel = 0, outcome;
    const struct tg_process *process = NULL;
    struct tg_process given;

    if (foreign)
        ERR_set_mark();
    met->process = process = tg_process_enter(&cancel);
    if (met->policy == NULL) {
        met->policy = process->policy;
    } else {
        given = *process;
        given.policy = met->policy;
        given.problem = NULL;
        met->process = &given; // cppcheck-suppress autoVariables ; used no longer than here
    }
    outcome = judge_client(met);
    met->process = NULL;
    tg_process_leave(process, cancel);
    if (foreign)
        ERR_pop_to_mark();
    errno = saved;
    return outcome;
}

SSL *tg_hook_connection(const struct tg_hooked *hooked, const X509_STORE_CTX *context)
{
    return hooked->crypto->X509_STORE_CTX_get_ex_data(
        context, hooked->libssl.SSL_get_ex_data_X509_STORE_CTX_idx());
}

static int verify(const struct tg_hooked *hooked, X509_STORE_CTX *context, struct meeting *met)
{
    met->hooked = hooked;
    met->ssl = tg_hook_connection(hooked, context);
    met->context = context;
    if (met->ssl == NULL)
        return tg_hook_refuse(context, (void *)hooked);
    if (hooked->libssl.SSL_is_server(met->ssl))
        return ask(met);
    return meet(met);
}

int tg_hook_verify(X509_STORE_CTX *context, void *arg)
{
    return verify(arg, context, &(struct meeting){.called = false});
}

int tg_hook_verify_under(const struct tg_hooked *hooked, X509_STORE_CTX *context,
                         const tg_policy *policy)
{
    return verify(hooked, context, &(struct meeting){.called = true, .policy = policy});
}

int tg_hook_verify_custom(const struct tg_hooked *hooked, SSL *ssl, uint8_t *alert)
{
    static const int answers[] = {
        [REFUSED] = TG_CUSTOM_INVALID, [ACCEPTED] = TG_CUSTOM_OK, [RETRY] = TG_CUSTOM_RETRY};
    struct meeting met = {.hooked = hooked, .ssl = ssl, .alert = alert};
    const struct tg_connection_state *state = tg_connection_state_of(hooked, ssl);

    if (hooked->libssl.SSL_is_server(ssl) || (state != NULL && state->asking))
        return answers[ask(&met)];
    return answers[meet(&met)];
}

int tg_hook_refuse(X509_STORE_CTX *context, void *arg)
{
    const struct tg_hooked *hooked = arg;
    SSL *ssl = tg_hook_connection(hooked, context);
    struct tg_peer nobody = {.count = 1};

    if (ssl != NULL)
        return tg_outcome_refuse(hooked, ssl, context, NULL, &nobody);
    hooked->crypto->X509_STORE_CTX_set_error(context, X509_V_ERR_UNSPECIFIED);
    return 0;
}
