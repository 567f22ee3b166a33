/* dialogue.h - the plain beginnings of protocols that aren't lines, and how a beginning fails. */
#ifndef TG_DIALOGUE_H
#define TG_DIALOGUE_H

#include "stream.h"
#include "text.h"
#include "trustgraft.h"

/*
 * Each asks the server on STREAM for TLS in its protocol. HOST is its canonical name. True if TLS
 * comes next; else WHY is a sentence, in which the server's words stand as they are.
 */
TG_MUST_USE bool tg_ask_postgres(struct tg_stream *stream, const char *host, struct tg_buf *why);
TG_MUST_USE bool tg_ask_mysql(struct tg_stream *stream, const char *host, struct tg_buf *why);
TG_MUST_USE bool tg_ask_ldap(struct tg_stream *stream, const char *host, struct tg_buf *why);
TG_MUST_USE bool tg_ask_xmpp_client(struct tg_stream *stream, const char *host, struct tg_buf *why);
TG_MUST_USE bool tg_ask_xmpp_server(struct tg_stream *stream, const char *host, struct tg_buf *why);

/* Each appends to WHY what went wrong, and is false. SAID are the server's words. */
bool tg_dialogue_broke(enum tg_stream_state state, struct tg_buf *why);
bool tg_dialogue_quote(const char *sentence, const char *said, struct tg_buf *why);
bool tg_dialogue_refused(const char *said, struct tg_buf *why);
bool tg_dialogue_foreign(const char *protocol, struct tg_buf *why);

#endif
