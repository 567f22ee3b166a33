#include "foreign_judge.h"
#include "convert.h"
#include "judge.h"
#include "ownpath.h"
#include "process.h"
#include "status.h"
#include <errno.h>
#include <openssl/err.h>

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

enum tg_foreign_demand tg_foreign_demand(const struct tg_line *line)
{
    struct wishes wishes = {0};
    struct tg_peer peer;
    int cancel = 0;
    const struct tg_process *process = tg_process_enter(&cancel);

    tg_line_peer_at_verdict(line, &peer);
    wishes.any = process->problem != NULL || tg_judge_distrusts(process->policy);
    if (!tg_judge_rules(process, &peer, wish, &wishes)) {
        wishes.any = true;
        wishes.staple = wishes.staple || process->policy->staples;
    }
    tg_process_leave(process, cancel);
    return wishes.staple ? TG_FOREIGN_A_STAPLE
           : wishes.any  ? TG_FOREIGN_A_LOOK
                         : TG_FOREIGN_NOTHING;
}

bool tg_foreign_demands(const struct tg_line *line)
{
    struct tg_peer peer;
    int cancel = 0;
    const struct tg_process *process = tg_process_enter(&cancel);
    bool demands;

    tg_line_peer_at_verdict(line, &peer);
    demands = tg_judge_demands(process, &peer);
    tg_process_leave(process, cancel);
    return demands;
}

/* ---- the server ---- */

bool tg_foreign_present(struct tg_foreign_server *server, const unsigned char *der, size_t size)
{
    X509 *one = tg_convert_read(der, size);

    if (server->sent == NULL)
        server->sent = sk_X509_new_null();
    if (one == NULL || server->sent == NULL || !sk_X509_push(server->sent, one)) {
        X509_free(one);
        return false;
    }
    server->query.sent = server->sent;
    server->query.leaf = sk_X509_value(server->sent, 0);
    return true;
}

void tg_foreign_anchor(struct tg_foreign_server *server, X509_STORE_CTX_lookup_certs_fn lookup)
{
    server->store = X509_STORE_new();
    server->app = X509_STORE_CTX_new();
    server->problem = "memory ran out";
    if (server->store == NULL || server->app == NULL)
        return;
    X509_STORE_set_lookup_certs(server->store, lookup);
    if (!X509_STORE_CTX_init(server->app, server->store, server->query.leaf, server->sent) ||
        !X509_STORE_CTX_set_default(server->app, "ssl_server") ||
        !X509_STORE_CTX_set_app_data(server->app, server) ||
        !X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(server->app),
                                     X509_V_FLAG_PARTIAL_CHAIN))
        return;
    server->query.app = server->app;
    server->problem = NULL;
}

static void close_server(struct tg_foreign_server *server)
{
    X509_STORE_CTX_free(server->app);
    X509_STORE_free(server->store);
    sk_X509_pop_free(server->sent, X509_free);
}

/* ---- the verdict ---- */

static enum tg_foreign_outcome refuse_for(const struct tg_process *process,
                                          const struct tg_peer *peer, enum tg_finding_kind kind,
                                          const char *text)
{
    struct tg_verdict *verdict = tg_verdict_refuse(kind, text);

    if (verdict != NULL)
        tg_judge_log(process, verdict, peer);
    tg_verdict_free(verdict);
    return TG_FOREIGN_REFUSED;
}

/* What the policy leaves to the application, but for [distrust], which holds for every host. */
static enum tg_foreign_outcome leave(const struct tg_process *process, const struct tg_peer *peer,
                                     const struct tg_foreign_server *server)
{
    const char *missing = NULL;
    struct tg_own_path theirs = {.library = tg_cryptolib_native(&missing)};
    STACK_OF(X509) *path = NULL;
    bool refuse = true;

    if (server->query.leaf == NULL || !tg_judge_distrusts(process->policy))
        return TG_FOREIGN_LEFT;
    path = tg_ownpath_find(&server->query, &theirs.good);
    if (path != NULL && theirs.library != NULL) {
        theirs.path = path;
        tg_verdict_free(
            tg_judge_distrust(process, process->policy, peer, &server->query, &theirs, &refuse));
    }
    sk_X509_pop_free(path, X509_free);
    return refuse || server->unread ? TG_FOREIGN_REFUSED : TG_FOREIGN_LEFT;
}

/* Of a rule that goes by the program's anchors, its CRLs count too, and a staple that its library
 * has understood: what is revoked for the program stays so. */
static enum tg_foreign_outcome let_in(const struct tg_process *process, const struct tg_peer *peer,
                                      struct tg_foreign_server *server,
                                      const struct tg_verdict *verdict,
                                      const struct tg_foreign_operations *library)
{
    if (verdict->rule != NULL && !verdict->rule->anchors_only && library->revoked(server))
        return refuse_for(process, peer, TG_REVOKED,
                          "the program's own CRLs or the stapled answer say so");
    if (server->query.leaf == NULL || !library->let_in(server))
        return TG_FOREIGN_REFUSED;
    return TG_FOREIGN_ACCEPTED;
}

static enum tg_foreign_outcome judge(const struct tg_process *process, struct tg_peer *peer,
                                     struct tg_foreign_server *server,
                                     const struct tg_foreign_operations *library)
{
    struct tg_judgement judgement;
    enum tg_foreign_outcome outcome = TG_FOREIGN_REFUSED;

    if (server->problem != NULL)
        return tg_judge_demands(process, peer)
                   ? refuse_for(process, peer, TG_MALFORMED, server->problem)
                   : TG_FOREIGN_LEFT;
    judgement = tg_judge(process, process->policy, peer, &server->query);
    if (judgement.verdict != NULL)
        tg_judge_log(process, judgement.verdict, peer);
    if (judgement.leave)
        outcome = leave(process, peer, server);
    else if (judgement.verdict != NULL && judgement.verdict->accepted)
        outcome = let_in(process, peer, server, judgement.verdict, library);
    tg_verdict_free(judgement.verdict);
    return outcome;
}

enum tg_foreign_outcome tg_foreign_judge(const struct tg_line *line,
                                         struct tg_foreign_server *server,
                                         const struct tg_foreign_operations *library)
{
    int saved = errno, cancel = 0;
    const struct tg_process *process;
    struct tg_peer peer;
    enum tg_foreign_outcome outcome;

    ERR_set_mark();
    process = tg_process_enter(&cancel);
    tg_line_peer_at_verdict(line, &peer);
    library->fill(server);
    outcome = judge(process, &peer, server, library);
    close_server(server);
    tg_process_leave(process, cancel);
    ERR_pop_to_mark();
    errno = saved;
    return outcome;
}

enum tg_foreign_outcome tg_foreign_refuse(const struct tg_line *line, enum tg_finding_kind kind,
                                          const char *text)
{
    int saved = errno, cancel = 0;
    const struct tg_process *process = tg_process_enter(&cancel);
    struct tg_peer peer;
    enum tg_foreign_outcome outcome;

    tg_line_peer_at_verdict(line, &peer);
    outcome = refuse_for(process, &peer, kind, text);
    tg_process_leave(process, cancel);
    errno = saved;
    return outcome;
}
