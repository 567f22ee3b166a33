/* connect.c - evaluates what a server presents, and never says more to it than hello. */
#include "connect.h"
#include "handshake.h"
#include "meet.h"
#include "text.h"

static bool ask(struct tg_question *question, struct tg_route *route)
{
    const struct tg_options *options = question->options;

    return tg_argument_endpoint(options->operands[0], &question->at) &&
           tg_route_ask(route, options) && tg_route_to(route, options, &question->at) &&
           tg_question_ask(question);
}

/* How the server was reached, for people. */
static bool describe(struct tg_question *question, const char *peer,
                     const struct tg_presented *presented)
{
    struct tg_buf buf = {0};

    tg_buf_printf(&buf, "%s, %s, ", peer, tg_handshake_version(presented->tls_version));
    if (presented->staple != NULL)
        tg_buf_printf(&buf, "an OCSP answer of %zu bytes stapled", presented->staple_length);
    else
        tg_buf_add(&buf, "no OCSP answer stapled");
    question->reached = tg_buf_take(&buf);
    return question->reached != NULL;
}

int tg_connect_explain(const struct tg_options *options)
{
    struct tg_question question = {.options = options};
    struct tg_presented presented = {0};
    struct tg_buf why = {0}, note = {0};
    struct tg_route route = {0};
    char peer[TG_PEER_SIZE];
    int status = TG_EXIT_USAGE;

    tg_handshake_prepare();
    if (!ask(&question, &route) || !tg_question_match(&question, "HOST:PORT", &status))
        goto end;
    if (!tg_meet(&route, &question.at, &presented, peer, &why, &note) ||
        !describe(&question, peer, &presented)) {
        tg_meet_complain(&question.at, &why);
        goto end;
    }
    if (note.length > 0)
        tg_meet_complain(&question.at, &note);
    status = tg_question_answer(&question, tg_question_evaluate(&question, &presented));
end:
    tg_presented_clear(&presented);
    tg_question_clear(&question);
    tg_buf_free(&why);
    tg_buf_free(&note);
    return status;
}
