/* connect.c - evaluates what a server presents, and never says more to it than hello. */
#include "connect.h"
#include "handshake.h"
#include "presented.h"
#include "question.h"
#include "remedy.h"
#include "route.h"
#include "terminal.h"
#include "text.h"

static bool ask(struct tg_question *question, struct tg_route *route)
{
    const struct tg_options *options = question->options;

    return tg_argument_endpoint(options->operands[0], &question->at) &&
           tg_route_read(route, options) && tg_route_to(route, options, &question->at) &&
           tg_question_ask(question);
}

/* How the server was reached, for people. False after a complaint. */
static bool describe(struct tg_question *question, const struct tg_presented *presented)
{
    struct tg_buf buf = {0};

    tg_buf_printf(&buf, "%s, %s, ", presented->peer, tg_handshake_version(presented->tls_version));
    if (presented->staple != NULL)
        tg_buf_printf(&buf, "an OCSP answer of %zu bytes stapled", presented->staple_length);
    else
        tg_buf_add(&buf, "no OCSP answer stapled");
    question->connection = tg_buf_take(&buf);
    if (question->connection == NULL)
        tg_complain("%s", tg_no_memory);
    return question->connection != NULL;
}

static int answer(const struct tg_question *question, struct tg_verdict *verdict)
{
    struct tg_buf remedy = {0};
    int status;

    if (verdict != NULL && !verdict->accepted && !question->options->json)
        tg_remedy(&remedy, question, verdict);
    status = tg_question_answer(question, verdict);
    return tg_terminal_write(stdout, &remedy) ? status : TG_EXIT_USAGE;
}

int tg_connect_explain(const struct tg_options *options)
{
    struct tg_question question = {.options = options};
    struct tg_presented presented = {0};
    struct tg_route route = {0};
    int status = TG_EXIT_USAGE;

    tg_handshake_prepare();
    if (ask(&question, &route) && tg_question_match(&question, "HOST:PORT", &status)) {
        status = TG_EXIT_USAGE;
        if (tg_route_call(&route, &question.at, &presented) && describe(&question, &presented))
            status = answer(&question, tg_question_evaluate(&question, &presented));
    }
    tg_presented_clear(&presented);
    tg_question_clear(&question);
    return status;
}
