#include "gnutls_judge.h"
#include "alias.h"
#include "gnutls_line.h"
#include "gnutls_query.h"
#include "judge.h"
#include "leaves.h"
#include "name.h"
#include "process.h"
#include "status.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* ---- before the server is known ---- */

struct wishes {
    bool any, staple;
};

static void wish(void *arg, const struct tg_rule *rule)
{
    struct wishes *wishes = arg;

    wishes->any = true;
    wishes->staple = wishes->staple || tg_status_wanted(rule);
}

enum tg_gnutls_demand tg_gnutls_demand(struct tg_gnutls_session *state)
{
    struct wishes wishes = {0};
    struct tg_peer peer;
    int cancel = 0;
    const struct tg_process *process = tg_process_enter(&cancel);

    tg_gnutls_peer(state, &peer);
    wishes.any = process->problem != NULL || tg_judge_distrusts(process->policy);
    if (!tg_judge_rules(process, &peer, wish, &wishes)) {
        wishes.any = true;
        wishes.staple = wishes.staple || process->policy->staples;
    }
    tg_process_leave(process, cancel);
    return wishes.staple ? TG_GNUTLS_A_STAPLE : wishes.any ? TG_GNUTLS_A_LOOK : TG_GNUTLS_NOTHING;
}

bool tg_gnutls_demands(struct tg_gnutls_session *state)
{
    struct tg_peer peer;
    int cancel = 0;
    const struct tg_process *process = tg_process_enter(&cancel);
    bool demands;

    tg_gnutls_peer(state, &peer);
    demands = tg_judge_demands(process, &peer);
    tg_process_leave(process, cancel);
    return demands;
}

/* ---- the verdict ---- */

/* A server under judgement. */
struct server {
    struct tg_gnutls_session *state;
    const struct tg_process *process;
    struct tg_peer peer;
    struct tg_gnutls_query question;
};

static void refuse_for(struct server *server, enum tg_finding_kind kind, const char *text)
{
    struct tg_verdict *verdict = tg_verdict_refuse(kind, text);

    if (verdict != NULL)
        tg_judge_log(server->process, verdict, &server->peer);
    tg_verdict_free(verdict);
    server->state->outcome = TG_GNUTLS_REFUSED;
}

/* What the policy leaves to the application, but for [distrust], which holds for every host. */
static void leave(struct server *server)
{
    const char *missing = NULL;
    struct tg_own_path theirs = {.library = tg_cryptolib_native(&missing)};
    STACK_OF(X509) *path = NULL;
    bool refuse = true;

    if (server->question.query.leaf == NULL || !tg_judge_distrusts(server->process->policy))
        return;
    path = tg_gnutls_query_path(&server->question, &theirs.good);
    if (path != NULL && theirs.library != NULL) {
        theirs.path = path;
        tg_verdict_free(tg_judge_distrust(server->process, server->process->policy, &server->peer,
                                          &server->question.query, &theirs, &refuse));
    }
    sk_X509_pop_free(path, X509_free);
    if (refuse || server->question.unread)
        server->state->outcome = TG_GNUTLS_REFUSED;
}

/*
 * Of a rule that goes by the program's anchors, its CRLs count too, and a staple that its library
 * has understood: what is revoked for the program stays so.
 */
static bool is_revoked(const struct server *server)
{
    const struct tg_gnutls *library = server->state->library;
    unsigned status = 0;

    return library->gnutls_certificate_verify_peers2(server->state->session, &status) == 0 &&
           status & TG_GNUTLS_CERT_REVOKED;
}

/* The leaf with HOST for one more name, which is what the program is shown from now on. */
static bool show_alias(struct tg_gnutls_session *state, X509 *leaf, const char *host)
{
    const char *missing = NULL;
    const struct tg_cryptolib *library = tg_cryptolib_native(&missing);
    X509 *alias = library != NULL ? X509_dup(leaf) : NULL;
    unsigned count = 0;
    const gnutls_datum_t *list =
        state->library->gnutls_certificate_get_peers(state->session, &count);
    int size = 0;

    if (alias != NULL && list != NULL && count > 0 && tg_alias_add(library, alias, leaf, host)) {
        size = i2d_X509(alias, &state->alias);
        state->shown = calloc(count, sizeof(*state->shown));
    }
    X509_free(alias);
    if (size <= 0 || state->shown == NULL)
        return false;
    memcpy(state->shown, list, count * sizeof(*list));
    state->shown[0] = (gnutls_datum_t){state->alias, (unsigned)size};
    state->shown_count = count;
    return true;
}

/* For what the program does with the certificate apart from its session. */
static bool remember(const unsigned char *der, size_t size, const char *host)
{
    uint8_t digest[TG_SHA256_SIZE];

    if (EVP_Digest(der, size, digest, NULL, tg_hash_sha256(), NULL) != 1)
        return false;
    tg_leaves_accept(digest, host);
    return true;
}

static void let_in(struct server *server, const struct tg_verdict *verdict)
{
    struct tg_gnutls_session *state = server->state;
    const struct tg_query *query = &server->question.query;
    const char *host = query->host;
    unsigned count = 0;
    const gnutls_datum_t *list =
        state->library->gnutls_certificate_get_peers(state->session, &count);

    state->outcome = TG_GNUTLS_REFUSED;
    if (verdict->rule != NULL && !verdict->rule->anchors_only && is_revoked(server)) {
        refuse_for(server, TG_REVOKED, "the program's own CRLs or the stapled answer say so");
        return;
    }
    if (list == NULL || count == 0 || query->leaf == NULL)
        return;
    if (host != NULL) {
        if (!remember(list[0].data, list[0].size, host))
            return;
        if (state->shown_count == 0 && !tg_name_matches(query->leaf, host, 0) &&
            !show_alias(state, query->leaf, host))
            return;
        if (state->shown_count > 0 && !remember(state->shown[0].data, state->shown[0].size, host))
            return;
    }
    if (host != NULL)
        memcpy(state->accepted, host, strlen(host) + 1);
    state->outcome = TG_GNUTLS_ACCEPTED;
}

static void judge(struct server *server)
{
    const struct tg_process *process = server->process;
    struct tg_judgement judgement;

    tg_gnutls_query_open(&server->question, server->state);
    if (server->question.problem != NULL) {
        if (tg_judge_demands(process, &server->peer))
            refuse_for(server, TG_MALFORMED, server->question.problem);
        return;
    }
    judgement = tg_judge(process, process->policy, &server->peer, &server->question.query);
    if (judgement.verdict != NULL)
        tg_judge_log(process, judgement.verdict, &server->peer);
    if (judgement.leave)
        leave(server);
    else if (judgement.verdict != NULL && judgement.verdict->accepted)
        let_in(server, judgement.verdict);
    else
        server->state->outcome = TG_GNUTLS_REFUSED;
    tg_verdict_free(judgement.verdict);
}

void tg_gnutls_refuse(struct tg_gnutls_session *state, enum tg_finding_kind kind, const char *text)
{
    struct server server = {.state = state};
    int saved = errno, cancel = 0;

    server.process = tg_process_enter(&cancel);
    tg_gnutls_peer(state, &server.peer);
    refuse_for(&server, kind, text);
    tg_process_leave(server.process, cancel);
    errno = saved;
}

void tg_gnutls_judge(struct tg_gnutls_session *state)
{
    struct server server = {.state = state};
    int saved = errno, cancel = 0;

    state->judged = true;
    if (state->outcome == TG_GNUTLS_REFUSED)
        return;
    ERR_set_mark();
    state->outcome = TG_GNUTLS_LEFT;
    state->accepted[0] = '\0';
    server.process = tg_process_enter(&cancel);
    tg_gnutls_peer(state, &server.peer);
    judge(&server);
    tg_gnutls_query_close(&server.question);
    tg_process_leave(server.process, cancel);
    ERR_pop_to_mark();
    errno = saved;
}
