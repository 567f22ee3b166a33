/* connect.c - evaluates what a server presents, and never says more to it than hello. */
#include "connect.h"
#include "handshake.h"
#include "report.h"
#include "starttls.h"
#include "terminal.h"
#include <unistd.h>

enum { HTTPS = 443, SECONDS = 10 };

/* How the server is to be reached. */
struct way {
    const struct tg_starttls *starttls; /* NULL: TLS at once */
    struct tg_addresses addresses;
    int seconds;
};

static bool ask(struct tg_question *question, struct way *way)
{
    const struct tg_options *options = question->options;
    struct tg_endpoint *at = &question->at;

    way->seconds = SECONDS;
    if (!tg_argument_endpoint(options->operands[0], at) ||
        (options->timeout != NULL && !tg_argument_timeout(options->timeout, &way->seconds)))
        return false;
    if (options->starttls != NULL && (way->starttls = tg_starttls_find(options->starttls)) == NULL)
        return false;
    if (at->port == 0)
        at->port = way->starttls != NULL ? tg_starttls_port(way->starttls) : HTTPS;
    return tg_resolve_given(options->resolve, at, &way->addresses) && tg_question_ask(question);
}

/* Fills PRESENTED within the time; on failure WHY has a sentence. */
static bool meet(const struct tg_question *question, struct way *way, struct tg_line *line,
                 struct tg_presented *presented, struct tg_buf *why, struct tg_buf *note)
{
    int64_t deadline = tg_dial_deadline(way->seconds);
    bool met = way->addresses.count > 0 || tg_resolve_name(question->at.host, question->at.port,
                                                           deadline, &way->addresses, why);

    met = met && tg_dial(&way->addresses, deadline, line, why) &&
          (way->starttls == NULL || tg_starttls(way->starttls, line, why)) &&
          tg_handshake(line, question->at.host, presented, why, note);
    if (line->fd != -1)
        close(line->fd);
    return met;
}

/* How the server was reached, for people. */
static bool describe(struct tg_question *question, const struct tg_line *line,
                     const struct tg_presented *presented)
{
    struct tg_buf buf = {0};

    tg_buf_printf(&buf, "%s, %s, ", line->peer, tg_handshake_version(presented->tls_version));
    if (presented->staple != NULL)
        tg_buf_printf(&buf, "an OCSP answer of %zu bytes stapled", presented->staple_length);
    else
        tg_buf_add(&buf, "no OCSP answer stapled");
    question->reached = tg_buf_take(&buf);
    return question->reached != NULL;
}

static void complain(const struct tg_question *question, const struct tg_buf *why)
{
    struct tg_buf endpoint = {0};

    tg_report_endpoint(&endpoint, question->at.host, question->at.port);
    tg_complain("%s: %s", endpoint.text != NULL ? endpoint.text : question->at.host,
                why->text != NULL && !why->failed ? why->text : "memory ran out");
    tg_buf_free(&endpoint);
}

int tg_connect_explain(const struct tg_options *options)
{
    struct tg_question question = {.options = options};
    struct tg_presented presented = {0};
    struct tg_line line = {.fd = -1};
    struct tg_buf why = {0}, note = {0};
    struct way way = {0};
    int status = TG_EXIT_USAGE;

    tg_handshake_prepare();
    if (!ask(&question, &way) || !tg_question_match(&question, "HOST:PORT", &status))
        goto end;
    if (!meet(&question, &way, &line, &presented, &why, &note) ||
        !describe(&question, &line, &presented)) {
        complain(&question, &why);
        goto end;
    }
    if (note.length > 0)
        complain(&question, &note);
    status = tg_question_answer(&question, tg_question_evaluate(&question, &presented));
end:
    tg_presented_clear(&presented);
    tg_question_clear(&question);
    tg_buf_free(&why);
    tg_buf_free(&note);
    return status;
}
