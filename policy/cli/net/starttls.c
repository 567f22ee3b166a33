#include "starttls.h"
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
    unsigned port;
    const struct step *steps; /* end with a NULL `good`; NULL: `ask` does it */
    const char *more;         /* how lines begin that are no answer yet; NULL: with a number */
    bool (*ask)(struct tg_stream *stream, struct tg_buf *why);
};

static bool broke(enum tg_stream_state state, struct tg_buf *why)
{
    static const char *const sentences[] = {
        [TG_STREAM_CLOSED] = "the server closed the connection before TLS began",
        [TG_STREAM_TIMEOUT] = "the server said nothing in time: perhaps it speaks TLS at once, "
                              "without --starttls",
        [TG_STREAM_TOO_LONG] = "the server's answer is too long for the protocol"};

    tg_buf_add(why, sentences[state]);
    return false;
}

static bool quote(const char *sentence, const char *said, struct tg_buf *why)
{
    tg_buf_printf(why, "%s: \"%s\"", sentence, said); /* escaped where it is printed */
    return false;
}

static bool refused(const char *said, struct tg_buf *why)
{
    return quote("the server refuses STARTTLS", said, why);
}

/* ---- line by line ------------------------------------------------------------------------- */

static bool has_number(const char *said)
{
    return strspn(said, "0123456789") == 3;
}

static bool is_more(const struct tg_starttls *protocol, const char *said, bool greeting)
{
    if (protocol->more == NULL)
        return !has_number(said) || said[3] == '-';
    return !greeting && strncmp(said, protocol->more, strlen(protocol->more)) == 0;
}

static bool judge(const struct tg_starttls *protocol, const struct step *step, const char *said,
                  struct tg_buf *why)
{
    char sentence[64];

    if (strncmp(said, step->good, strlen(step->good)) == 0)
        return true;
    if (step->send != NULL)
        return refused(said, why);
    snprintf(sentence, sizeof(sentence), "the server doesn't greet as %s does", protocol->title);
    return quote(sentence, said, why);
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
    return broke(state == TG_STREAM_DONE ? TG_STREAM_TOO_LONG : state, why);
}

/* ---- PostgreSQL: protocol-flow.html, "SSL Session Encryption" ----------------------------- */

static bool ask_postgres(struct tg_stream *stream, struct tg_buf *why)
{
    static const uint8_t request[] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}; /* 1234, 5679 */
    enum tg_stream_state state = tg_stream_write(stream, request, sizeof(request));
    char answer = '\0';

    if (state == TG_STREAM_DONE)
        state = tg_stream_read(stream, &answer, 1);
    if (state != TG_STREAM_DONE)
        return broke(state, why);
    if (answer == 'S')
        return true;
    if (answer == 'N')
        return refused("N", why);
    tg_buf_add(why, "the server doesn't speak PostgreSQL's protocol");
    return false;
}

/* ---- LDAP: RFC 4511 sections 4.12 and 4.14 ------------------------------------------------ */

/* Enters the element with TAG at *AT and shortens *END to its content; false: it isn't there. */
static bool enter(const uint8_t **at, const uint8_t **end, uint8_t tag)
{
    size_t length = 0, more;

    if (*end - *at < 2 || (*at)[0] != tag)
        return false;
    length = (*at)[1];
    *at += 2;
    if (length > 0x80) {
        more = length - 0x80;
        if (more > 4 || (size_t)(*end - *at) < more)
            return false;
        for (length = 0; more > 0; more--)
            length = length << 8 | *(*at)++;
    }
    if (length > (size_t)(*end - *at))
        return false;
    *end = *at + length;
    return true;
}

/* The resultCode of an ExtendedResponse in the message AT..END; -1 if it is none. */
static int result_code(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *inner, *last = end;

    if (!enter(&at, &last, 0x30)) /* LDAPMessage */
        return -1;
    inner = last;
    if (!enter(&at, &inner, 0x02)) /* messageID */
        return -1;
    at = inner;
    inner = last;
    if (!enter(&at, &inner, 0x78)) /* [APPLICATION 24] */
        return -1;
    last = inner;
    if (!enter(&at, &last, 0x0a) || last - at != 1) /* resultCode */
        return -1;
    return *at;
}

/* Reads one message whole; its size, or 0 if it is none that an answer to us could be. */
static size_t read_message(struct tg_stream *stream, uint8_t *message, size_t size,
                           enum tg_stream_state *state)
{
    size_t head = 2, length;

    *state = tg_stream_read(stream, message, head);
    if (*state != TG_STREAM_DONE || message[0] != 0x30)
        return 0;
    length = message[1];
    if (length > 0x80) {
        head += length - 0x80;
        if (head > 6)
            return 0;
        *state = tg_stream_read(stream, message + 2, head - 2);
        if (*state != TG_STREAM_DONE)
            return 0;
        length = 0;
        for (size_t i = 2; i < head; i++)
            length = length << 8 | message[i];
    }
    if (length > size - head)
        return 0;
    *state = tg_stream_read(stream, message + head, length);
    return *state == TG_STREAM_DONE ? head + length : 0;
}

static bool ask_ldap(struct tg_stream *stream, struct tg_buf *why)
{
    static const char request[] = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
                                  "1.3.6.1.4.1.1466.20037";
    enum tg_stream_state state = tg_stream_write(stream, request, sizeof(request) - 1);
    uint8_t message[LINE];
    char text[32];
    size_t length = 0;
    int code = -1;

    if (state == TG_STREAM_DONE)
        length = read_message(stream, message, sizeof(message), &state);
    if (state != TG_STREAM_DONE)
        return broke(state, why);
    if (length > 0)
        code = result_code(message, message + length);
    if (code == 0)
        return true;
    if (code > 0) {
        snprintf(text, sizeof(text), "resultCode %d", code);
        return refused(text, why);
    }
    tg_buf_add(why, "the server doesn't speak LDAP");
    return false;
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

static const struct tg_starttls protocols[] = {
    /* RFC 3207 */
    {.name = "smtp", .title = "SMTP", .port = 25, .steps = smtp},
    /* RFC 9051 section 6.2.1 */
    {.name = "imap", .title = "IMAP", .port = 143, .steps = imap, .more = "* "},
    /* RFC 2595 section 4: each answer is one line */
    {.name = "pop3", .title = "POP3", .port = 110, .steps = pop3, .more = "\n"},
    /* RFC 4217 section 4 */
    {.name = "ftp", .title = "FTP", .port = 21, .steps = ftp},
    {.name = "postgres", .title = "PostgreSQL", .port = 5432, .ask = ask_postgres},
    {.name = "ldap", .title = "LDAP", .port = 389, .ask = ask_ldap},
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
    tg_buf_printf(why, "'%s' isn't one of smtp, imap, pop3, ftp, postgres and ldap%s%s%s", name,
                  hint.best != NULL ? ": did you mean '" : "", hint.best != NULL ? hint.best : "",
                  hint.best != NULL ? "'?" : "");
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
bool tg_starttls(const struct tg_starttls *protocol, struct tg_stream *stream, struct tg_buf *why)
{
    bool agreed = protocol->ask == NULL || protocol->ask(stream, why);

    for (const struct step *step = protocol->steps; agreed && step != NULL && step->good != NULL;
         step++)
        agreed = take_step(protocol, step, stream, why);
    if (agreed && stream->length > 0) {
        tg_buf_add(why, "the server sent more in the clear after it had agreed to TLS");
        return false;
    }
    return agreed;
}
