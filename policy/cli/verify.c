/* verify.c - the evaluation of a server, on a chain from a file. */
#include "argument.h"
#include "chain.h"
#include "chosen.h"
#include "show.h"
#include "terminal.h"
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* What was asked, put together from the options. */
struct question {
    const struct tg_options *options;
    struct tg_endpoint at;
    char program[PATH_MAX]; /* "": not given */
    time_t when;            /* 0: now */
    X509_STORE *store;      /* what the application trusts; owned */
    tg_policy *policy;      /* a reference */
    struct tg_rule own;     /* stands for the application's own evaluation */
};

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
    X509_STORE *store = tg_chain_store(path, &why);

    if (store == NULL)
        tg_complain("--app-anchors: %s: %s", path, why.text != NULL ? why.text : "memory ran out");
    tg_buf_free(&why);
    return store;
}

/* Reads the options into QUESTION; false after a complaint. */
static bool ask(struct question *question)
{
    const struct tg_options *options = question->options;

    if (options->host == NULL) {
        tg_complain("verify: --host HOST[:PORT] is missing");
        return false;
    }
    if (!tg_argument_endpoint(options->host, &question->at) ||
        (options->program != NULL && !tg_argument_program(options->program, question->program)) ||
        (options->time != NULL && !tg_argument_time(options->time, &question->when)) ||
        (options->tls != NULL && !tg_argument_tls(options->tls)) ||
        (options->staple != NULL && !tg_argument_readable("--staple: ", options->staple)))
        return false;
    question->store =
        options->app_anchors != NULL ? given_store(options->app_anchors) : default_store();
    return question->store != NULL;
}

static const char *program(const struct question *question)
{
    return question->program[0] != '\0' ? question->program : NULL;
}

/*
 * Where the policy leaves a host to the application, this is what one that verifies does: its
 * own anchors, dates and the name that was dialled.
 */
static struct tg_match match(struct question *question)
{
    struct tg_match match =
        tg_policy_match(question->policy, question->at.host, question->at.port, program(question));

    if (match.kind == TG_MATCH_UNMATCHED && match.rule == NULL) {
        question->own = (struct tg_rule){.mode = question->policy->mode};
        match.rule = &question->own;
    } else if (match.rule->action == TG_ACTION_PASS) {
        question->own = (struct tg_rule){.where = match.rule->where, .mode = match.rule->mode};
        match.rule = &question->own;
    }
    return match;
}

/* The context an application's libssl would have verified with. */
static X509_STORE_CTX *app_context(const struct question *question, X509 *leaf,
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

static struct tg_verdict *evaluate(struct question *question, const struct tg_match *under,
                                   STACK_OF(X509) *chain)
{
    X509 *leaf = sk_X509_value(chain, 0);
    X509_STORE_CTX *app = app_context(question, leaf, chain);
    struct tg_query query = {
        .host = question->at.host,
        .port = question->at.port,
        .program = program(question),
        .leaf = leaf,
        .sent = chain,
        .app = app,
        .now = question->when,
        .security_level = -1,
    };
    struct tg_verdict *verdict = app != NULL ? tg_evaluate(question->policy, under, &query) : NULL;

    X509_STORE_CTX_free(app);
    return verdict;
}

/* Prints VERDICT and returns the exit code. */
static int answer(const struct question *question, const struct tg_verdict *verdict)
{
    const struct tg_occasion occasion = {
        .time = question->when != 0 ? question->when : time(NULL),
        .program = program(question),
        .pid = getpid(),
        .host = question->at.host,
        .port = question->at.port,
    };
    struct tg_buf buf = {0};
    char *json;

    if (question->options->json) {
        json = tg_verdict_json(verdict, &occasion);
        buf.failed = json == NULL;
        tg_buf_printf(&buf, "%s\n", json != NULL ? json : "");
        free(json);
    } else {
        tg_show_verdict(&buf, verdict, &occasion);
    }
    if (!tg_terminal_write(stdout, &buf))
        return TG_EXIT_USAGE;
    return verdict->accepted ? TG_EXIT_GOOD : TG_EXIT_REFUSED;
}

/* Evaluates the chain of the file PATH and prints the verdict; returns the exit code. */
static int verify_file(struct question *question, const struct tg_match *under, const char *path)
{
    STACK_OF(X509) *chain = NULL;
    struct tg_verdict *verdict = NULL;
    struct tg_buf why = {0};
    int status = TG_EXIT_REFUSED;

    switch (tg_chain_read(path, &chain, &why)) {
    case TG_CHAIN_READ:
        verdict = evaluate(question, under, chain);
        break;
    case TG_CHAIN_MALFORMED:
        verdict = tg_verdict_refuse(TG_MALFORMED, why.text);
        break;
    case TG_CHAIN_UNREADABLE:
        tg_complain("%s: %s", path, why.text != NULL ? why.text : "memory ran out");
        status = TG_EXIT_USAGE;
        goto end;
    }
    if (verdict != NULL)
        status = answer(question, verdict);
    else
        tg_complain("memory ran out: nothing was accepted");
end:
    tg_verdict_free(verdict);
    sk_X509_pop_free(chain, X509_free);
    tg_buf_free(&why);
    return status;
}

static int verify(const struct tg_options *options)
{
    struct question question = {.options = options};
    struct tg_match under;
    int status = TG_EXIT_USAGE;

    if (!ask(&question))
        goto end;
    question.policy = tg_chosen_policy(options, &status);
    if (question.policy == NULL)
        goto end;
    under = match(&question);
    if (under.kind == TG_MATCH_UNKNOWN) {
        tg_complain("which rule applies to %s depends on the %s: give %s", question.at.host,
                    question.at.port == 0 ? "port" : "program",
                    question.at.port == 0 ? "--host HOST:PORT" : "--program PATH");
        status = TG_EXIT_USAGE;
        goto end;
    }
    status = verify_file(&question, &under, options->operands[0]);
end:
    tg_policy_free(question.policy);
    X509_STORE_free(question.store);
    return status;
}

const struct tg_verb tg_verb_verify = {
    .name = "verify",
    .synopsis = "--host HOST[:PORT] [OPTION...] CHAIN.pem",
    .summary = "evaluate a chain from a file as a program would see it evaluated",
    .details =
        "Evaluates the certificates of CHAIN.pem under the policy, as if HOST had sent them: the\n"
        "leaf first, then the others in any order. Where the policy leaves HOST to the\n"
        "application, that is its own evaluation: its anchors, dates and the dialled name.\n"
        "Exit 0: accepted; 1: refused, or the policy has errors; 2: usage, or a file can't be\n"
        "read.",
    .options = TG_OPTION_HOST | TG_OPTION_PROGRAM | TG_OPTION_TIME | TG_OPTION_APP_ANCHORS |
               TG_OPTION_STAPLE | TG_OPTION_TLS | TG_OPTION_JSON,
    .least = 1,
    .most = 1,
    .missing = "the file of the chain is missing",
    .run = verify,
};
