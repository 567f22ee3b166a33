/* verify.c - the evaluation of a server, on a chain from a file. */
#include "chain.h"
#include "input.h"
#include "presented.h"
#include "question.h"
#include "terminal.h"
#include "text.h"
#include "verbs.h"
#include <openssl/tls1.h>
#include <string.h>

/* More than any answer needs; the hook takes what libssl gives, which is bounded as well. */
enum { LARGEST_STAPLE = 1 << 20 };

static bool read_staple(const char *path, struct tg_presented *presented)
{
    struct tg_buf data = {0};
    int error = tg_input_read(path, LARGEST_STAPLE, &data);

    if (error == 0 && data.length == 0)
        tg_complain("--staple: %s: is empty", path);
    if (error != 0)
        tg_complain("--staple: %s: %s", path, strerror(error));
    if (error != 0 || data.length == 0) {
        tg_buf_free(&data);
        return false;
    }
    presented->staple_length = data.length;
    presented->staple = (unsigned char *)tg_buf_take(&data);
    return presented->staple != NULL;
}

/* Reads the options into QUESTION and PRESENTED; false after a complaint. */
static bool ask(struct tg_question *question, struct tg_presented *presented)
{
    const struct tg_options *options = question->options;

    if (options->host == NULL) {
        tg_complain("verify: --host HOST[:PORT] is missing");
        return false;
    }
    presented->tls_version = TLS1_3_VERSION;
    return tg_argument_endpoint(options->host, &question->at) && tg_question_ask(question) &&
           (options->tls == NULL || tg_argument_tls(options->tls, &presented->tls_version)) &&
           (options->staple == NULL || read_staple(options->staple, presented));
}

static struct tg_verdict *refuse(const struct tg_question *question, const char *why)
{
    struct tg_verdict *verdict = tg_verdict_refuse(TG_MALFORMED, why);

    if (verdict == NULL)
        return NULL;
    verdict->rule = question->under.rule;
    verdict->pattern = question->under.pattern;
    verdict->reported = verdict->rule->mode == TG_MODE_REPORT;
    return verdict;
}

/* Evaluates the chain of the file PATH and prints the verdict; returns the exit code. */
static int verify_file(struct tg_question *question, struct tg_presented *presented,
                       const char *path)
{
    struct tg_buf why = {0};
    int status = TG_EXIT_USAGE;

    switch (tg_chain_read(path, &presented->chain, &why)) {
    case TG_CHAIN_READ:
        status = tg_question_answer(question, tg_question_evaluate(question, presented));
        break;
    case TG_CHAIN_MALFORMED:
        status = tg_question_answer(question, refuse(question, why.text));
        break;
    case TG_CHAIN_UNREADABLE:
        tg_complain_of(path, &why);
        break;
    }
    tg_buf_free(&why);
    return status;
}

static int verify(const struct tg_options *options)
{
    struct tg_question question = {.options = options};
    struct tg_presented presented = {0};
    int status = TG_EXIT_USAGE;

    if (ask(&question, &presented) && tg_question_match(&question, "--host HOST:PORT", &status))
        status = verify_file(&question, &presented, options->operands[0]);
    tg_presented_clear(&presented);
    tg_question_clear(&question);
    return status;
}

const struct tg_verb tg_verb_verify = {
    .name = "verify",
    .synopsis = "--host HOST[:PORT] [OPTION...] CHAIN.pem",
    .summary = "evaluate a chain from a file as a program would see it evaluated",
    .details =
        "Evaluates the certificates of CHAIN.pem under the policy, as if HOST had sent them: "
        "the leaf first, then the others in any order. Where the policy leaves HOST to the "
        "application, that is its own evaluation: its anchors, dates and the dialled name. "
        "The connection is taken to be TLS 1.3, and without --staple to have no OCSP answer.\n"
        "Exit 0: accepted; 1: refused, or the policy has errors; 2: usage, or a file can't be "
        "read.",
    .options = TG_OPTION_HOST | TG_OPTION_PROGRAM | TG_OPTION_TIME | TG_OPTION_APP_ANCHORS |
               TG_OPTION_STAPLE | TG_OPTION_TLS | TG_OPTION_JSON,
    .least = 1,
    .most = 1,
    .missing = "the file of the chain is missing",
    .run = verify,
};
