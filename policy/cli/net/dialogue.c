#include "dialogue.h"
#include <stdio.h>
#include <string.h>

/* What a server says at once, and how many tags it takes to tell its features. */
enum { LONGEST = 1024, MOST_TAGS = 200 };

bool tg_dialogue_broke(enum tg_stream_state state, struct tg_buf *why)
{
    static const char *const sentences[] = {
        [TG_STREAM_CLOSED] = "the server closed the connection before TLS began",
        [TG_STREAM_TIMEOUT] = "the server said nothing in time: perhaps it speaks TLS at once, "
                              "without --starttls",
        [TG_STREAM_TOO_LONG] = "the server's answer is too long for the protocol"};

    tg_buf_add(why, sentences[state]);
    return false;
}

bool tg_dialogue_quote(const char *sentence, const char *said, struct tg_buf *why)
{
    tg_buf_printf(why, "%s: \"%s\"", sentence, said); /* escaped where it is printed */
    return false;
}

bool tg_dialogue_refused(const char *said, struct tg_buf *why)
{
    return tg_dialogue_quote("the server refuses STARTTLS", said, why);
}

bool tg_dialogue_foreign(const char *protocol, struct tg_buf *why)
{
    tg_buf_printf(why, "the server doesn't speak %s", protocol);
    return false;
}

/* ---- PostgreSQL: protocol-flow.html, "SSL Session Encryption" ----------------------------- */

bool tg_ask_postgres(struct tg_stream *stream, const char *host, struct tg_buf *why)
{
    static const uint8_t request[] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}; /* 1234, 5679 */
    enum tg_stream_state state = tg_stream_write(stream, request, sizeof(request));
    char answer = '\0';

    (void)host;
    if (state == TG_STREAM_DONE)
        state = tg_stream_read(stream, &answer, 1);
    if (state != TG_STREAM_DONE)
        return tg_dialogue_broke(state, why);
    if (answer == 'S')
        return true;
    if (answer == 'N')
        return tg_dialogue_refused("N", why);
    return tg_dialogue_foreign("PostgreSQL's protocol", why);
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

bool tg_ask_ldap(struct tg_stream *stream, const char *host, struct tg_buf *why)
{
    static const char request[] = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
                                  "1.3.6.1.4.1.1466.20037";
    enum tg_stream_state state = tg_stream_write(stream, request, sizeof(request) - 1);
    uint8_t message[LONGEST];
    char text[32];
    size_t length = 0;
    int code = -1;

    (void)host;
    if (state == TG_STREAM_DONE)
        length = read_message(stream, message, sizeof(message), &state);
    if (state != TG_STREAM_DONE)
        return tg_dialogue_broke(state, why);
    if (length > 0)
        code = result_code(message, message + length);
    if (code == 0)
        return true;
    if (code > 0) {
        snprintf(text, sizeof(text), "resultCode %d", code);
        return tg_dialogue_refused(text, why);
    }
    return tg_dialogue_foreign("LDAP", why);
}

/* ---- MySQL and MariaDB: "Connection Phase", Protocol::HandshakeV10, Protocol::SSLRequest -- */

enum {
    CLIENT_PROTOCOL_41 = 0x200,
    CLIENT_SSL = 0x800,
    CLIENT_RESERVED2 = 0x8000 /* authentication of 4.1 */
};

/* The low half of what the server of a HandshakeV10 can do; 0 if PACKET is none. */
static unsigned capabilities(const uint8_t *packet, size_t length)
{
    const uint8_t *end = length > 1 && packet[0] == 10 ? memchr(packet, '\0', length) : NULL;
    enum { BEFORE = 1 + 4 + 8 + 1 }; /* the version's NUL, thread, salt, filler */

    if (end == NULL || packet + length - end < BEFORE + 2)
        return 0;
    return end[BEFORE] | (unsigned)end[BEFORE + 1] << 8;
}

/* PACKET says "Host is blocked" or the like: a number, and words. */
static bool mysql_error(const uint8_t *packet, size_t length, struct tg_buf *why)
{
    char words[LONGEST];

    snprintf(words, sizeof(words), "%.*s", (int)(length - 3), (const char *)packet + 3);
    return tg_dialogue_refused(words, why);
}

bool tg_ask_mysql(struct tg_stream *stream, const char *host, struct tg_buf *why)
{
    static const uint8_t request[36] = {
        32, 0,
        0,  1, /* length, and its place in the sequence */
        0,  (CLIENT_PROTOCOL_41 | CLIENT_SSL | CLIENT_RESERVED2) >> 8,
        0,  0,
        0,  0,
        0,  1, /* 16 MiB a packet */
        45};   /* utf8mb4 */
    uint8_t head[4], packet[LONGEST];
    enum tg_stream_state state = tg_stream_read(stream, head, sizeof(head));
    size_t length = 0;
    unsigned can;

    (void)host;
    if (state == TG_STREAM_DONE) {
        length = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
        if (length < 4 || length > sizeof(packet) || head[3] != 0)
            return tg_dialogue_foreign("MySQL's protocol", why);
        state = tg_stream_read(stream, packet, length);
    }
    if (state != TG_STREAM_DONE)
        return tg_dialogue_broke(state, why);
    if (packet[0] == 0xff)
        return mysql_error(packet, length, why);
    can = capabilities(packet, length);
    if (can == 0)
        return tg_dialogue_foreign("MySQL's protocol", why);
    if ((can & CLIENT_SSL) == 0)
        return tg_dialogue_refused("it can't do CLIENT_SSL", why);
    state = tg_stream_write(stream, request, sizeof(request));
    return state == TG_STREAM_DONE || tg_dialogue_broke(state, why);
}

/* ---- XMPP: RFC 6120 sections 4.2, 4.3 and 5.4 --------------------------------------------- */

/* Reads to the end of a tag, or of the next one unless INSIDE; TAG gets it without its brackets. */
static enum tg_stream_state read_tag(struct tg_stream *stream, bool inside, char *tag, size_t size)
{
    enum tg_stream_state state = TG_STREAM_DONE;
    size_t length = 0;

    for (size_t read = 0; read < 16 * size && length < size; read++) {
        char byte;

        state = tg_stream_read(stream, &byte, 1);
        if (state != TG_STREAM_DONE)
            return state;
        if (inside && byte == '>') {
            tag[length] = '\0';
            return TG_STREAM_DONE;
        }
        if (inside)
            tag[length++] = byte;
        else
            inside = byte == '<';
    }
    return TG_STREAM_TOO_LONG;
}

static bool is_tag(const char *tag, const char *name)
{
    size_t length = strlen(name);

    return strncmp(tag, name, length) == 0 && strchr(" \t\r\n/", tag[length]) != NULL;
}

/* The tag that ends what it begins. */
static bool is_empty(const char *tag)
{
    size_t length = strlen(tag);

    return length > 0 && tag[length - 1] == '/';
}

/* Reads the server's stream up to the end of its features, of which <starttls/> is one. */
static bool find_feature(struct tg_stream *stream, struct tg_buf *why)
{
    enum tg_stream_state state;
    char tag[LONGEST];
    bool offered = false, begun = false;

    state = tg_stream_read(stream, tag, 1);
    if (state == TG_STREAM_DONE && tag[0] != '<')
        return tg_dialogue_foreign("XMPP", why);
    for (int tags = 0; state == TG_STREAM_DONE; tags++) {
        state =
            tags < MOST_TAGS ? read_tag(stream, tags == 0, tag, sizeof(tag)) : TG_STREAM_TOO_LONG;
        if (state != TG_STREAM_DONE || is_tag(tag, "?xml"))
            continue;
        if (!begun && !is_tag(tag, "stream:stream"))
            return tg_dialogue_foreign("XMPP", why);
        begun = true;
        if (is_tag(tag, "stream:error"))
            return read_tag(stream, false, tag, sizeof(tag)) == TG_STREAM_DONE
                       ? tg_dialogue_refused(tag, why)
                       : tg_dialogue_refused("stream:error", why);
        offered = offered || is_tag(tag, "starttls");
        if (is_tag(tag, "/stream:features") || (is_tag(tag, "stream:features") && is_empty(tag)))
            return offered || tg_dialogue_refused("it isn't among its features", why);
    }
    return tg_dialogue_broke(state, why);
}

static bool ask_xmpp(struct tg_stream *stream, const char *host, const char *space,
                     struct tg_buf *why)
{
    static const char request[] = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    char text[LONGEST];
    int length = snprintf(text, sizeof(text),
                          "<?xml version='1.0'?><stream:stream to='%s' xmlns='%s' "
                          "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
                          host, space);
    enum tg_stream_state state = tg_stream_write(stream, text, (size_t)length);

    if (state != TG_STREAM_DONE)
        return tg_dialogue_broke(state, why);
    if (!find_feature(stream, why))
        return false;
    state = tg_stream_write(stream, request, sizeof(request) - 1);
    if (state == TG_STREAM_DONE)
        state = read_tag(stream, false, text, sizeof(text));
    if (state != TG_STREAM_DONE)
        return tg_dialogue_broke(state, why);
    return is_tag(text, "proceed") || tg_dialogue_refused(text, why);
}

bool tg_ask_xmpp_client(struct tg_stream *stream, const char *host, struct tg_buf *why)
{
    return ask_xmpp(stream, host, "jabber:client", why);
}

bool tg_ask_xmpp_server(struct tg_stream *stream, const char *host, struct tg_buf *why)
{
    return ask_xmpp(stream, host, "jabber:server", why);
}
