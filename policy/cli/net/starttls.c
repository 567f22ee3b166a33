#include "starttls.h"
#include "dialogue.h"
#include "hint.h"
#include "terminal.h"
#include "text.h"
#include <stdio.h>
#include <string.h>

/* More lines than this in one answer are a server that wants to keep us busy. */
enum { MOST_LINES = 100, LINE = 1024 };

/*
 * One exchange: what is sent, and how the good answer begins. An answer may have several lines:
 * those before its last are `OPENING-` of a number (RFC 5321 section 4.2.1, RFC 959 section 4.2),
 * or untagged responses (RFC 9051 section 7).
 */
struct step {
    const char *send; /* NULL: the server speaks first */
    const char *good;
};

struct tg_starttls {
    const char *name, *title;
    const struct step *steps; /* end with a NULL `good`; NULL: `ask` does it */
    const char *more;         /* how lines begin that are no answer yet; NULL: with a number */
    bool (*ask)(struct tg_stream *stream, const char *host, struct tg_buf *why);
    unsigned port;
    bool greets_in_lines; /* `more` counts for what the server says first, too */
};

/* ---- line by line ------------------------------------------------------------------------- */

static bool has_number(const char *said)
{
    return strspn(said, "0123456789") == 3;
}

static bool is_more(const struct tg_starttls *protocol, const char *said, bool greeting)
{
    if (protocol->more == NULL)
        return !has_number(said) || said[3] == '-';
    return (!greeting || protocol->greets_in_lines) &&
           strncmp(said, protocol->more, strlen(protocol->more)) == 0;
}

static bool judge(const struct tg_starttls *protocol, const struct step *step, const char *said,
                  struct tg_buf *why)
{
    char sentence[64];

    if (strncmp(said, step->good, strlen(step->good)) == 0)
        return true;
    if (step->send != NULL)
        return tg_dialogue_refused(said, why);
    snprintf(sentence, sizeof(sentence), "the server doesn't greet as %s does", protocol->title);
    return tg_dialogue_quote(sentence, said, why);
}

static bool take_step(const struct tg_starttls *protocol, const struct step *step,
                      struct tg_stream *stream, struct tg_buf *why)
{
    enum tg_stream_state state = TG_STREAM_DONE;
    bool greeting = step->send == NULL;
    char said[LINE];

    if (!greeting)
        state = tg_stream_write(stream, step->send, strlen(step->send));
    for (int lines = 0; state == TG_STREAM_DONE && lines < MOST_LINES; lines++) {
        state = tg_stream_read_line(stream, said, sizeof(said));
        if (state != TG_STREAM_DONE)
            break;
        if ((lines == 0 && protocol->more == NULL && !has_number(said)) ||
            !is_more(protocol, said, greeting))
            return judge(protocol, step, said, why);
    }
    return tg_dialogue_broke(state == TG_STREAM_DONE ? TG_STREAM_TOO_LONG : state, why);
}

/* ---- the table ---------------------------------------------------------------------------- */

static const struct step smtp[] = {{.good = "220"},
                                   {.send = "EHLO localhost\r\n", .good = "250"},
                                   {.send = "STARTTLS\r\n", .good = "220"},
                                   {.good = NULL}};
static const struct step imap[] = {
    {.good = "* OK"}, {.send = "a1 STARTTLS\r\n", .good = "a1 OK"}, {.good = NULL}};
static const struct step pop3[] = {
    {.good = "+OK"}, {.send = "STLS\r\n", .good = "+OK"}, {.good = NULL}};
static const struct step ftp[] = {
    {.good = "220"}, {.send = "AUTH TLS\r\n", .good = "234"}, {.good = NULL}};
static const struct step lmtp[] = {{.good = "220"},
                                   {.send = "LHLO localhost\r\n", .good = "250"},
                                   {.send = "STARTTLS\r\n", .good = "220"},
                                   {.good = NULL}};
static const struct step nntp[] = {
    {.good = "20"}, {.send = "STARTTLS\r\n", .good = "382"}, {.good = NULL}};
static const struct step sieve[] = {
    {.good = "OK"}, {.send = "STARTTLS\r\n", .good = "OK"}, {.good = NULL}};

static const struct tg_starttls protocols[] = {
    /* RFC 3207 */
    {.name = "smtp", .title = "SMTP", .port = 25, .steps = smtp},
    /* RFC 9051 section 6.2.1 */
    {.name = "imap", .title = "IMAP", .port = 143, .steps = imap, .more = "* "},
    /* RFC 2595 section 4: each answer is one line */
    {.name = "pop3", .title = "POP3", .port = 110, .steps = pop3, .more = "\n"},
    /* RFC 4217 section 4 */
    {.name = "ftp", .title = "FTP", .port = 21, .steps = ftp},
    /* RFC 2033 section 4.1, RFC 3207; no port is assigned, 24 is what servers are given */
    {.name = "lmtp", .title = "LMTP", .port = 24, .steps = lmtp},
    /* RFC 4642 section 2.2 */
    {.name = "nntp", .title = "NNTP", .port = 119, .steps = nntp},
    /* RFC 5804 sections 1.7 and 2.2: capabilities are lines of quoted strings */
    {.name = "sieve",
     .title = "ManageSieve",
     .port = 4190,
     .steps = sieve,
     .more = "\"",
     .greets_in_lines = true},
    {.name = "postgres", .port = 5432, .ask = tg_ask_postgres},
    {.name = "mysql", .port = 3306, .ask = tg_ask_mysql},
    {.name = "ldap", .port = 389, .ask = tg_ask_ldap},
    {.name = "xmpp", .port = 5222, .ask = tg_ask_xmpp_client},
    {.name = "xmpp-server", .port = 5269, .ask = tg_ask_xmpp_server},
};

enum { PROTOCOLS = sizeof(protocols) / sizeof(protocols[0]) };

const struct tg_starttls *tg_starttls_named(const char *name, struct tg_buf *why)
{
    struct tg_hint hint = {.wanted = name};

    for (int i = 0; i < PROTOCOLS; i++) {
        if (strcmp(protocols[i].name, name) == 0)
            return &protocols[i];
        tg_hint_offer(&hint, protocols[i].name);
    }
    tg_buf_printf(why, "'%s' isn't one of ", name);
    for (int i = 0; i < PROTOCOLS; i++)
        tg_buf_printf(why, "%s%s",
                      i == 0               ? ""
                      : i == PROTOCOLS - 1 ? " and "
                                           : ", ",
                      protocols[i].name);
    if (hint.best != NULL)
        tg_buf_printf(why, ": did you mean '%s'?", hint.best);
    return NULL;
}

const struct tg_starttls *tg_starttls_find(const char *name)
{
    struct tg_buf why = {0};
    const struct tg_starttls *found = tg_starttls_named(name, &why);

    if (found == NULL)
        tg_complain_of("--starttls", &why);
    tg_buf_free(&why);
    return found;
}

unsigned tg_starttls_port(const struct tg_starttls *protocol)
{
    return protocol->port;
}

/*
 * What came in the clear behind the server's last word was perhaps put there by someone in
 * between, for a client that would take it for a part of what is secured (CVE-2011-0411).
 */
bool tg_starttls(const struct tg_starttls *protocol, struct tg_stream *stream, const char *host,
                 struct tg_buf *why)
{
    bool agreed = protocol->ask == NULL || protocol->ask(stream, host, why);

    for (const struct step *step = protocol->steps; agreed && step != NULL && step->good != NULL;
         step++)
        agreed = take_step(protocol, step, stream, why);
    if (agreed && stream->length > 0) {
        tg_buf_add(why, "the server sent more in the clear after it had agreed to TLS");
        return false;
    }
    return agreed;
}
