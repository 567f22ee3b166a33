/* argument.h - what the words of a command line mean: a function for each kind, which complains of
 * a word that is wrong and says what would be accepted. */
#ifndef TG_ARGUMENT_H
#define TG_ARGUMENT_H

#include "host.h"
#include "policy.h"
#include "text.h"
#include "trustgraft.h"
#include <limits.h>

struct tg_endpoint {
    char host[TG_HOST_SIZE]; /* canonical */
    unsigned port;           /* 0: not given */
};

/* HOST[:PORT], as a pattern of [host] spells it, but for one host; or the URL of a server where TLS
 * begins at once. False after a complaint. */
TG_MUST_USE bool tg_argument_endpoint(const char *word, struct tg_endpoint *out);

/* The same, with the complaint in WHY. */
TG_MUST_USE bool tg_argument_host(const char *word, struct tg_endpoint *out, struct tg_buf *why);

/* How what a rule depends on is given, see struct tg_match: HOST_PORT, or the option. */
const char *tg_argument_for(const char *lacking, const char *host_port);

/* Appends WORD in double quotes, as policies have it, and nginx, JavaScript and Python too. */
void tg_argument_quote(struct tg_buf *out, const char *word);

/* Appends WORD as one word of a shell's, in single quotes where it needs them. */
void tg_argument_shell(struct tg_buf *out, const char *word);

/* PATH from the root, in OUT. False after a complaint. */
TG_MUST_USE bool tg_argument_absolute(const char *path, char out[PATH_MAX]);

/* PATH can stand in a policy, quoted: UTF-8 without control characters. False after a complaint. */
TG_MUST_USE bool tg_argument_nameable(const char *path);

/* RFC 3339 or seconds since 1970. False after a complaint. */
TG_MUST_USE bool tg_argument_time(const char *word, time_t *out);

/* "1.2" or "1.3", as SSL_version(3) numbers it. False after a complaint. */
TG_MUST_USE bool tg_argument_tls(const char *word, int *out);

/* A whole number from LEAST, which isn't negative, to MOST. False without a complaint. */
TG_MUST_USE bool tg_argument_number(const char *word, int least, int most, int *out);

/* --warn-days: 0 to 3650, 30 where it isn't given, in seconds. False after a complaint. */
TG_MUST_USE bool tg_argument_warn_days(const char *word, time_t *out);

/* Whole seconds, 1 to 3600. False after a complaint. */
TG_MUST_USE bool tg_argument_timeout(const char *word, int *out);

#endif
