#include "url.h"
#include <string.h>
#include <strings.h>

/* Ports of IANA's registry. A scheme that begins in the clear has the name --starttls knows. */
static const struct scheme {
    const char *name, *port, *starttls;
} schemes[] = {
    {"https", "443", NULL},
    {"wss", "443", NULL},
    {"ldaps", "636", NULL},
    {"imaps", "993", NULL},
    {"pop3s", "995", NULL},
    {"smtps", "465", NULL},
    {"ftps", "990", NULL},
    {"nntps", "563", NULL},
    {"ircs", "6697", NULL},
    {"mqtts", "8883", NULL},
    {"amqps", "5671", NULL},
    {"rediss", "6379", NULL},
    {"sips", "5061", NULL},
    {"smtp", NULL, "smtp"},
    {"imap", NULL, "imap"},
    {"pop3", NULL, "pop3"},
    {"ftp", NULL, "ftp"},
    {"lmtp", NULL, "lmtp"},
    {"nntp", NULL, "nntp"},
    {"sieve", NULL, "sieve"},
    {"ldap", NULL, "ldap"},
    {"postgres", NULL, "postgres"},
    {"postgresql", NULL, "postgres"},
    {"mysql", NULL, "mysql"},
    {"xmpp", NULL, "xmpp"},
};

bool tg_url_is(const char *word)
{
    const char *colon = strstr(word, "://");

    return colon != NULL && colon > word && strcspn(word, "/[") > (size_t)(colon - word);
}

static const struct scheme *scheme_of(const char *url)
{
    size_t length = strcspn(url, ":");

    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
        if (strlen(schemes[i].name) == length && strncasecmp(schemes[i].name, url, length) == 0)
            return &schemes[i];
    return NULL;
}

bool tg_url_endpoint(const char *url, struct tg_buf *out, struct tg_buf *why)
{
    const struct scheme *scheme = scheme_of(url);
    const char *host = strstr(url, "://") + 3, *user;
    size_t length = strcspn(host, "/?#");

    user = memrchr(host, '@', length);
    if (user != NULL) {
        length -= (size_t)(user + 1 - host);
        host = user + 1;
    }
    if (scheme != NULL && scheme->port != NULL) {
        bool has_port = memchr(host, ':', length) != NULL && host[0] != '[';

        has_port = has_port || memmem(host, length, "]:", 2) != NULL;
        tg_buf_printf(out, "%.*s%s%s", (int)length, host, has_port ? "" : ":",
                      has_port ? "" : scheme->port);
        return true;
    }
    if (scheme != NULL)
        tg_buf_printf(why, "\"%s\" begins in the clear: write %.*s and --starttls %s", url,
                      (int)length, host, scheme->starttls);
    else
        tg_buf_printf(why,
                      "\"%s\" has no certificate, or a scheme whose port isn't known: write "
                      "HOST[:PORT]",
                      url);
    return false;
}
