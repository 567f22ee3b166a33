#include "hook.h"
#include "accepted.h"
#include "convert.h"
#include "gate.h"
#include "judge.h"
#include "late.h"
#include "name.h"
#include "outcome.h"
#include "query.h"
#include "reason.h"
#include "status.h"
#include "trustgraft.h"
#include <errno.h>
#include <openssl/err.h>

/* One server under judgement. */
struct server {
    const struct tg_hooked *hooked;
    SSL *ssl;
    X509_STORE_CTX *context; /* theirs; NULL where BoringSSL's application verifies by itself: */
    uint8_t *alert;          /* what is sent then on refusal */
    bool called;             /* by the application itself, which is then not to be asked again */
    const struct tg_process *process;
    const tg_policy *policy; /* NULL: this process has none, or an invalid one */
    struct tg_query query;
    struct tg_presented presented;
    struct tg_peer peer;
};

/* What a verification comes to: as a cert_verify_callback returns it, and one more. */
enum { REFUSED, ACCEPTED, RETRY };

static int ask_custom(const struct server *server)
{
    static const int outcomes[] = {
        [TG_CUSTOM_OK] = ACCEPTED, [TG_CUSTOM_INVALID] = REFUSED, [TG_CUSTOM_RETRY] = RETRY};
    struct tg_connection_state *state = tg_connection_state_of(server->hooked, server->ssl);
    tg_custom_callback *custom = state != NULL ? state->custom : NULL;
    int answer = custom != NULL ? custom(server->ssl, server->alert) : TG_CUSTOM_INVALID;

    if (state != NULL)
        state->asking = answer == TG_CUSTOM_RETRY;
    return answer >= TG_CUSTOM_OK && answer <= TG_CUSTOM_RETRY ? outcomes[answer] : REFUSED;
}

/* What holds the application's own callback, where it has one that is to be asked; or NULL. */
static const struct tg_context_state *own_verifier(const struct server *server)
{
    const struct tg_hooked *hooked = server->hooked;
    const struct tg_context_state *state =
        tg_context_state_of(hooked, hooked->libssl.SSL_get_SSL_CTX(server->ssl));

    return server->context != NULL && !server->called && state != NULL && state->verify != NULL
               ? state
               : NULL;
}

/* What the application would have done: its own callback, or libssl's default. */
static int ask_application(const struct server *server)
{
    const struct tg_context_state *own = own_verifier(server);
    int verified;

    if (own != NULL)
        return own->verify(server->context, own->verify_arg);
    verified = server->hooked->library->crypto.X509_verify_cert(server->context);
    return verified < 0 ? 0 : verified; /* as ssl_verify_cert_chain does */
}

static int ask(const struct server *server)
{
    return server->context == NULL ? ask_custom(server) : ask_application(server);
}

static int refuse(const struct server *server, const struct tg_verdict *verdict)
{
    if (server->context == NULL)
        *server->alert = server->hooked->library->backend->alert_for(
            server->hooked, verdict != NULL ? verdict->x509_error : X509_V_ERR_OUT_OF_MEM);
    return tg_outcome_refuse(server->hooked, server->ssl, server->context, verdict, &server->peer);
}

/* The leaf as the session will hold it. */
static bool digest_of(const struct server *server, uint8_t digest[TG_SHA256_SIZE])
{
    return server->hooked->library->backend->leaf_digest(server->hooked, server->context,
                                                         server->query.leaf, digest);
}

static struct tg_admission admission_of(struct server *server)
{
    return (struct tg_admission){server->hooked, server->ssl, server->policy, &server->peer};
}

/* What the application let in; on its own account alone, if no verdict of the policy's stands
 * behind it: only where sessions can't be marked that is a thing to know then. */
static void remember(struct server *server)
{
    const struct tg_admission admission = admission_of(server);
    uint8_t digest[TG_SHA256_SIZE];

    if (server->query.leaf != NULL && digest_of(server, digest))
        tg_accepted_add(&admission, digest, server->query.tls_version, false, 0);
}

/* What the policy let in; LEAF is its digest where that is there already, or NULL. LATER: the
 * staple is yet to come. False: no memory to tell its session from the application's own. */
static bool let_in(struct server *server, const struct tg_verdict *verdict, const uint8_t *leaf,
                   bool later)
{
    const struct tg_admission admission = admission_of(server);
    uint8_t digest[TG_SHA256_SIZE];

    if (leaf == NULL && digest_of(server, digest))
        leaf = digest;
    if (leaf == NULL || !tg_accepted_mark(server->hooked, server->ssl, leaf))
        return false;
    if (!later)
        tg_accepted_add(&admission, leaf, server->query.tls_version, verdict->finding_count > 0,
                        verdict->valid_until);
    return true;
}

/* The policy leaves this host to the application, or only reports on it, but for [distrust],
 * which holds for every host. */
static int leave(struct server *server)
{
    const struct tg_libcrypto *crypto = &server->hooked->library->crypto;
    int verified = ask(server);
    struct tg_own_path theirs = {.library = server->hooked->library};
    struct tg_verdict *verdict = NULL;
    bool refused = false;

    if (!tg_judge_distrusts(server->policy)) {
        bool goes_on = verified > REFUSED ||
                       !(server->hooked->libssl.SSL_get_verify_mode(server->ssl) & SSL_VERIFY_PEER);

        if (goes_on && !server->hooked->library->backend->marks_sessions())
            remember(server);
        return verified;
    }
    if (server->context != NULL) {
        theirs.path = crypto->X509_STORE_CTX_get0_chain(server->context);
        theirs.good =
            verified == ACCEPTED && crypto->X509_STORE_CTX_get_error(server->context) == X509_V_OK;
    }
    verdict = tg_judge_distrust(server->process, server->policy, &server->peer, &server->query,
                                &theirs, &refused);
    if (refused)
        verified = refuse(server, verdict);
    else if (verified > REFUSED) /* what the application puts off is its own alone to decide */
        remember(server);
    tg_verdict_free(verdict);
    return verified;
}

/* True if the gate must have another look, once the staple has come. */
static bool pending(const struct server *server, const struct tg_verdict *verdict)
{
    return server->query.staple_pending && tg_status_wanted(verdict->rule);
}

/*
 * An application that lets the verification wait (SSL_set_retry_verify(3)) has it done once
 * more, on a leaf that carries an alias by then: the one that came is kept for that.
 */
static bool keep_pristine(const struct server *server)
{
    struct tg_connection_state *state = tg_connection_state_of(server->hooked, server->ssl);

    if (state == NULL || state->pristine != NULL || !server->hooked->library->backend->keeps_leaf())
        return true;
    state->pristine = server->hooked->library->foreign
                          ? (X509_up_ref(server->query.leaf) ? server->query.leaf : NULL)
                          : X509_dup(server->query.leaf);
    return state->pristine != NULL;
}

/* Where a rule goes by the application's anchors, what its own callback calls revoked stays so:
 * that may know of CRLs, or of blocked keys as Node.js does. All else that it says is overruled. */
static bool is_revoked(const struct server *server, const struct tg_verdict *verdict)
{
    const struct tg_libcrypto *crypto = &server->hooked->library->crypto;
    const struct tg_context_state *state = own_verifier(server);

    if (state == NULL || state->verify == tg_verify_callback || verdict->rule == NULL ||
        verdict->rule->anchors_only)
        return false;
    (void)crypto->ERR_set_mark();
    (void)state->verify(server->context, state->verify_arg);
    (void)crypto->ERR_pop_to_mark();
    return crypto->X509_STORE_CTX_get_error(server->context) == X509_V_ERR_CERT_REVOKED;
}

static int refuse_for(struct server *server, enum tg_finding_kind kind, const char *text)
{
    struct tg_verdict *verdict = tg_verdict_refuse(kind, text);
    int outcome;

    if (verdict != NULL)
        tg_judge_log(server->process, verdict, &server->peer);
    outcome = refuse(server, verdict);
    tg_verdict_free(verdict);
    return outcome;
}

static int carry_out(struct server *server, const struct tg_verdict *verdict)
{
    const char *host = server->query.host;
    bool later, alias, as_shown;

    if (verdict == NULL || !verdict->accepted)
        return refuse(server, verdict);
    if (is_revoked(server, verdict))
        return refuse_for(server, TG_REVOKED, "the program's own verification says so");
    later = pending(server, verdict);
    if (later) /* the gate may not have been there to ask */
        tg_status_request(server->hooked, server->ssl, tg_gate_staple);
    alias = !later && host != NULL && !tg_name_matches(server->query.leaf, host, 0);
    if (alias && !keep_pristine(server))
        return refuse(server, NULL);
    if (server->context != NULL && !tg_outcome_accept(server->hooked, server->ssl, server->context,
                                                      verdict, alias ? host : NULL))
        return 0;
    as_shown =
        !alias && !server->hooked->library->foreign && server->query.leaf == server->presented.leaf;
    if (let_in(server, verdict, as_shown && verdict->leaf_digested ? verdict->leaf_digest : NULL,
               later))
        return 1;
    return refuse(server, NULL);
}

/* Something of this server's can't be read by our libcrypto. */
static int judge_unreadable(struct server *server)
{
    if (!tg_judge_demands(server->process, &server->peer))
        return ask(server);
    return refuse_for(server, TG_MALFORMED, tg_presented_problem(&server->presented));
}

static int judge_shown(struct server *server)
{
    struct tg_connection_state *state = tg_connection_state_of(server->hooked, server->ssl);
    struct tg_judgement judgement;
    int outcome;

    server->query.leaf =
        state != NULL && state->pristine != NULL ? state->pristine : server->presented.leaf;
    server->query.sent = server->presented.sent;
    server->query.app = server->presented.app;
    server->query.security_level =
        server->hooked->library->backend->security_level(server->hooked, server->ssl);
    tg_status_read(server->hooked, server->ssl, &server->query);
    (void)server->hooked->library->crypto.ERR_set_mark(); /* of what their store can't find */
    judgement = tg_judge(server->process, server->policy, &server->peer, &server->query);
    (void)server->hooked->library->crypto.ERR_pop_to_mark();
    if (server->presented.failed) { /* without all that there is, it is no verdict */
        tg_verdict_free(judgement.verdict);
        judgement.verdict = NULL;
    }
    if (state != NULL)
        state->judged = judgement.verdict == NULL || !pending(server, judgement.verdict);
    if (judgement.verdict != NULL)
        tg_judge_log(server->process, judgement.verdict, &server->peer);
    outcome = judgement.leave ? leave(server) : carry_out(server, judgement.verdict);
    tg_verdict_free(judgement.verdict);
    return outcome;
}

static int judge_client(struct server *server)
{
    const struct tg_hooked *hooked = server->hooked;
    const struct tg_libcrypto *crypto = &hooked->library->crypto;
    X509_STORE_CTX *own = NULL;
    bool presented;
    int outcome;

    (void)tg_gate_restore(hooked, server->ssl);
    tg_peer_at_verdict(hooked, server->ssl, server->context, &server->peer);
    if (server->context != NULL) {
        presented =
            tg_presented_import(hooked->library, crypto->X509_STORE_CTX_get0_cert(server->context),
                                crypto->X509_STORE_CTX_get0_untrusted(server->context),
                                server->context, &server->presented);
    } else {
        own = tg_late_context(hooked, server->ssl, NULL, NULL);
        presented = tg_presented_import_own(hooked->library,
                                            hooked->library->backend->sent(hooked, server->ssl),
                                            own, &server->presented);
    }
    outcome = presented ? judge_shown(server) : judge_unreadable(server);
    tg_peer_keep_matches(tg_connection_state_of(hooked, server->ssl), &server->peer);
    tg_presented_free(&server->presented);
    crypto->X509_STORE_CTX_free(own);
    return outcome;
}

/* Under the policy of the process where SERVER has none. A foreign libcrypto has an error
 * queue of its own: what the evaluation leaves on ours is nobody's. */
static int judge_under(struct server *server)
{
    bool foreign = server->hooked->library->foreign;
    int saved = errno, cancel = 0, outcome;
    const struct tg_process *process = NULL;
    struct tg_process given;

    if (foreign)
        ERR_set_mark();
    server->process = process = tg_process_enter(&cancel);
    if (server->policy == NULL) {
        server->policy = process->policy;
    } else {
        given = *process;
        given.policy = server->policy;
        given.problem = NULL;
        server->process = &given; // cppcheck-suppress autoVariables ; used no longer than here
    }
    outcome = judge_client(server);
    server->process = NULL;
    tg_process_leave(process, cancel);
    if (foreign)
        ERR_pop_to_mark();
    errno = saved;
    return outcome;
}

/* What was refused before says nothing of SSL (may be NULL), which is verified now. */
static void forget_reason(const struct tg_hooked *hooked, const SSL *ssl)
{
    struct tg_connection_state *state = ssl != NULL ? tg_connection_state_of(hooked, ssl) : NULL;

    tg_reason_forget();
    if (state != NULL)
        state->reason = NULL;
}

static int verify(const struct tg_hooked *hooked, X509_STORE_CTX *context, struct server *server)
{
    server->hooked = hooked;
    server->ssl = tg_connection_of(hooked, context);
    server->context = context;
    forget_reason(hooked, server->ssl);
    if (server->ssl == NULL)
        return tg_hook_refuse(context, (void *)hooked);
    if (hooked->libssl.SSL_is_server(server->ssl))
        return ask(server);
    return judge_under(server);
}

int tg_hook_verify(X509_STORE_CTX *context, void *arg)
{
    return verify(arg, context, &(struct server){.called = false});
}

int tg_hook_verify_under(const struct tg_hooked *hooked, X509_STORE_CTX *context,
                         const tg_policy *policy)
{
    return verify(hooked, context, &(struct server){.called = true, .policy = policy});
}

int tg_hook_verify_custom(const struct tg_hooked *hooked, SSL *ssl, uint8_t *alert)
{
    static const int answers[] = {
        [REFUSED] = TG_CUSTOM_INVALID, [ACCEPTED] = TG_CUSTOM_OK, [RETRY] = TG_CUSTOM_RETRY};
    struct server server = {.hooked = hooked, .ssl = ssl, .alert = alert};
    const struct tg_connection_state *state = tg_connection_state_of(hooked, ssl);

    forget_reason(hooked, ssl);
    if (hooked->libssl.SSL_is_server(ssl) || (state != NULL && state->asking))
        return answers[ask(&server)];
    return answers[judge_under(&server)];
}

int tg_hook_refuse(X509_STORE_CTX *context, void *arg)
{
    const struct tg_hooked *hooked = arg;
    SSL *ssl = tg_connection_of(hooked, context);
    struct tg_peer nobody = {.count = 1};

    if (ssl != NULL)
        return tg_outcome_refuse(hooked, ssl, context, NULL, &nobody);
    hooked->library->crypto.X509_STORE_CTX_set_error(context, X509_V_ERR_UNSPECIFIED);
    return 0;
}
