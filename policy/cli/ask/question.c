#include "question.h"
#include "anchors.h"
#include "chosen.h"
#include "evaluate.h"
#include "match.h"
#include "presented.h"
#include "report.h"
#include "script.h"
#include "show.h"
#include "terminal.h"
#include "text.h"
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <unistd.h>

static X509_STORE *default_store(void)
{
    X509_STORE *store = X509_STORE_new();

    if (store != NULL && X509_STORE_set_default_paths(store) == 1)
        return store;
    tg_complain("OpenSSL's default store can't be opened");
    X509_STORE_free(store);
    return NULL;
}

static X509_STORE *given_store(const char *path)
{
    struct tg_buf why = {0};
    X509_STORE *store = tg_anchors_store(path, &why);

    if (store == NULL)
        tg_complain("--app-anchors: %s: %s", path, tg_why(&why));
    tg_buf_free(&why);
    return store;
}

bool tg_question_ask(struct tg_question *question)
{
    const struct tg_options *options = question->options;

    if ((options->program != NULL && !tg_script_resolve(options->program, question->program)) ||
        (options->time != NULL && !tg_argument_time(options->time, &question->when)))
        return false;
    question->store =
        options->app_anchors != NULL ? given_store(options->app_anchors) : default_store();
    return question->store != NULL;
}

static const char *program(const struct tg_question *question)
{
    return question->program[0] != '\0' ? question->program : NULL;
}

/*
 * Where the policy leaves a host to the application, this is what one that verifies does: its
 * own anchors, dates and the name that was dialled.
 */
bool tg_question_apply(struct tg_question *question)
{
    struct tg_match *under = &question->under;

    *under =
        tg_policy_match(question->policy, question->at.host, question->at.port, program(question));
    if (under->kind == TG_MATCH_UNMATCHED && under->rule == NULL) {
        question->own = (struct tg_rule){.mode = question->policy->mode};
        under->rule = &question->own;
    } else if (under->rule->action == TG_ACTION_PASS) {
        question->own = (struct tg_rule){.where = under->rule->where, .mode = under->rule->mode};
        under->rule = &question->own;
    }
    return under->kind != TG_MATCH_UNKNOWN;
}

bool tg_question_load(struct tg_question *question, int *status)
{
    question->policy = tg_chosen_decider(question->options, status);
    return question->policy != NULL;
}

bool tg_question_match(struct tg_question *question, const char *host_port, int *status)
{
    if (!tg_question_load(question, status))
        return false;
    if (tg_question_apply(question))
        return true;
    tg_complain("which rule applies to %s depends on the %s: give %s", question->at.host,
                question->under.lacking, tg_argument_for(question->under.lacking, host_port));
    *status = TG_EXIT_USAGE;
    return false;
}

/* The context an application's libssl would have verified with. */
static X509_STORE_CTX *app_context(const struct tg_question *question, X509 *leaf,
                                   STACK_OF(X509) *sent)
{
    X509_STORE_CTX *app = X509_STORE_CTX_new();

    if (app == NULL || X509_STORE_CTX_init(app, question->store, leaf, sent) != 1 ||
        X509_STORE_CTX_set_default(app, "ssl_server") != 1) {
        X509_STORE_CTX_free(app);
        return NULL;
    }
    return app;
}

struct tg_verdict *tg_question_evaluate(const struct tg_question *question,
                                        const struct tg_presented *presented)
{
    X509 *leaf = sk_X509_value(presented->chain, 0);
    X509_STORE_CTX *app = app_context(question, leaf, presented->chain);
    struct tg_query query = {
        .host = question->at.host,
        .port = question->at.port,
        .program = program(question),
        .leaf = leaf,
        .sent = presented->chain,
        .app = app,
        .now = question->when,
        .tls_version = presented->tls_version,
        .staple = presented->staple,
        .staple_length = presented->staple_length,
        .security_level = -1,
    };
    struct tg_verdict *verdict =
        app != NULL ? tg_evaluate(question->policy, &question->under, &query) : NULL;

    X509_STORE_CTX_free(app);
    return verdict;
}

static struct tg_occasion occasion_of(const struct tg_question *question)
{
    return (struct tg_occasion){
        .time = question->when != 0 ? question->when : time(NULL),
        .program = program(question),
        .pid = getpid(),
        .host = question->at.host,
        .port = question->at.port,
    };
}

char *tg_question_json(const struct tg_question *question, const struct tg_verdict *verdict)
{
    const struct tg_occasion occasion = occasion_of(question);

    return tg_verdict_json(verdict, &occasion);
}

static bool print(const struct tg_question *question, const struct tg_verdict *verdict)
{
    const struct tg_occasion occasion = occasion_of(question);
    struct tg_buf buf = {0};
    char *json;

    if (question->options->json) {
        json = tg_question_json(question, verdict);
        buf.failed = json == NULL;
        tg_buf_printf(&buf, "%s\n", json != NULL ? json : "");
        free(json);
    } else {
        tg_show_verdict(&buf, verdict, &occasion, question->connection);
    }
    return tg_terminal_write(stdout, &buf);
}

int tg_question_answer(const struct tg_question *question, struct tg_verdict *verdict)
{
    int status = TG_EXIT_REFUSED;

    if (verdict == NULL)
        tg_complain("memory ran out: nothing was accepted");
    else if (!print(question, verdict))
        status = TG_EXIT_USAGE;
    else if (verdict->accepted)
        status = TG_EXIT_GOOD;
    tg_verdict_free(verdict);
    return status;
}

void tg_question_clear(struct tg_question *question)
{
    tg_policy_free(question->policy);
    X509_STORE_free(question->store);
    free(question->connection);
}
