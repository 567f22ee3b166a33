#include "anchors.h"
#include "distrust.h"
#include "error.h"
#include "holding.h"
#include "host.h"
#include "match.h"
#include "process.h"
#include "system.h"
#include <limits.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct tg_anchors {
    tg_policy *policy; /* a reference of its own */
    const struct tg_rule *rule;
    X509_NAME *subject; /* NULL: any */
};

/* Reads the digits of a port; 0 if they are none. */
static unsigned read_port(const char *digits)
{
    char *end = NULL;
    unsigned long port = digits[0] >= '0' && digits[0] <= '9' ? strtoul(digits, &end, 10) : 0;

    return end != NULL && *end == '\0' && port <= 65535 ? (unsigned)port : 0;
}

/*
 * Splits HOST[:PORT], where an IPv6 address with a port stands in brackets (RFC 3986 section
 * 3.2.2). Without brackets, more than one colon is an IPv6 address.
 */
static bool split(const char *text, char host[TG_HOST_SIZE], unsigned *port)
{
    const char *colon = strrchr(text, ':'), *bracket = strchr(text, ']');
    size_t length = strlen(text);

    *port = 0;
    if (colon != NULL && (bracket != NULL ? bracket < colon : strchr(text, ':') == colon)) {
        *port = read_port(colon + 1);
        if (*port == 0)
            return false;
        length = (size_t)(colon - text);
    }
    if (length == 0 || length >= TG_HOST_SIZE)
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    return true;
}

static bool parse(const char *uri, char host[TG_HOST_SIZE], unsigned *port)
{
    static const char scheme[] = "trustgraft:";
    char given[TG_HOST_SIZE];

    if (strncasecmp(uri, scheme, sizeof(scheme) - 1) != 0)
        return false;
    uri += sizeof(scheme) - 1;
    if (strncmp(uri, "//", 2) == 0)
        uri += 2;
    return split(uri, given, port) && tg_host_spell(given, host);
}

/* The rule for HOST if it has anchors, else NULL with the reason on the queue. */
static const struct tg_rule *choose(const struct tg_provider *provider,
                                    const struct tg_process *process, const char *host,
                                    unsigned port)
{
    const char *program = tg_process_program()[0] != '\0' ? tg_process_program() : NULL;
    struct tg_match match = tg_policy_match(process->policy, host, port, program);
    const struct tg_rule *rule = match.kind == TG_MATCH_UNMATCHED ? NULL : match.rule;
    enum tg_reason reason;

    if (rule == NULL)
        reason = TG_REASON_NO_RULE;
    else if (match.kind == TG_MATCH_UNKNOWN)
        reason = TG_REASON_AMBIGUOUS;
    else if (rule->action != TG_ACTION_EVALUATE)
        reason = TG_REASON_ACTION;
    else if (rule->anchors == NULL && !rule->anchors_system)
        reason = TG_REASON_NO_ANCHORS;
    else
        return rule;
    if (rule != NULL)
        tg_provider_error(provider, reason, "%s, %s:%u", host, rule->where.file, rule->where.line);
    else
        tg_provider_error(provider, reason, "%s", host);
    return NULL;
}

static struct tg_anchors *make(const struct tg_provider *provider, const tg_policy *policy,
                               const struct tg_rule *rule)
{
    struct tg_anchors *anchors = calloc(1, sizeof(*anchors));

    if (anchors == NULL) {
        tg_provider_error(provider, TG_REASON_MEMORY, NULL);
        return NULL;
    }
    anchors->policy = tg_policy_ref(policy);
    anchors->rule = rule;
    return anchors;
}

static struct tg_anchors *open_host(const struct tg_provider *provider,
                                    const struct tg_process *process, const char *host,
                                    unsigned port)
{
    const struct tg_rule *rule = NULL;

    if (tg_process_inert()) {
        tg_provider_error(provider, TG_REASON_NO_POLICY, NULL);
        return NULL;
    }
    if (process->policy == NULL) {
        tg_provider_error(provider, TG_REASON_POLICY_INVALID, "%s", process->problem);
        return NULL;
    }
    rule = choose(provider, process, host, port);
    return rule != NULL ? make(provider, process->policy, rule) : NULL;
}

struct tg_anchors *tg_anchors_open(const struct tg_provider *provider, const char *uri)
{
    const struct tg_process *process = NULL;
    struct tg_anchors *anchors = NULL;
    char host[TG_HOST_SIZE];
    unsigned port = 0;
    int cancel = 0;

    if (!parse(uri, host, &port)) {
        tg_provider_error(provider, TG_REASON_URI, "%s", uri);
        return NULL;
    }
    process = tg_process_enter(&cancel);
    anchors = open_host(provider, process, host, port);
    tg_process_leave(process, cancel);
    return anchors;
}

void tg_anchors_free(struct tg_anchors *anchors)
{
    if (anchors == NULL)
        return;
    X509_NAME_free(anchors->subject);
    tg_policy_free(anchors->policy);
    free(anchors);
}

bool tg_anchors_set_subject(struct tg_anchors *anchors, const void *der, size_t size)
{
    const unsigned char *at = der;
    X509_NAME *name = size <= LONG_MAX ? d2i_X509_NAME(NULL, &at, (long)size) : NULL;

    if (name == NULL)
        return false;
    X509_NAME_free(anchors->subject);
    anchors->subject = name;
    return true;
}

/* 1 if CERTIFICATE is wanted, 0 if not, -1 when memory ran out. */
static int wanted(const struct tg_anchors *anchors, const X509 *certificate)
{
    int distrusted;

    if (anchors->subject != NULL &&
        X509_NAME_cmp(X509_get_subject_name(certificate), anchors->subject) != 0)
        return 0;
    distrusted = tg_distrusts(anchors->policy, certificate, NULL);
    return distrusted < 0 ? -1 : distrusted == 0;
}

static bool append_one(const struct tg_anchors *anchors, X509 *certificate, STACK_OF(X509) *out)
{
    int want = wanted(anchors, certificate);

    return want == 0 || (want > 0 && X509_add_cert(out, certificate,
                                                   X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP));
}

static bool append(const struct tg_anchors *anchors, const STACK_OF(X509) *from,
                   STACK_OF(X509) *out)
{
    for (int i = 0; i < sk_X509_num(from); i++)
        if (!append_one(anchors, sk_X509_value(from, i), out))
            return false;
    return true;
}

static bool append_own(const struct tg_anchors *anchors, STACK_OF(X509) *out)
{
    const struct tg_holding *own = anchors->rule->anchors;
    STACK_OF(X509) *found = NULL;
    bool done;

    if (anchors->subject != NULL) {
        done = tg_holding_find(own, anchors->subject, NULL, &found) && append(anchors, found, out);
        sk_X509_pop_free(found, X509_free);
        return done;
    }
    for (size_t i = 0; i < tg_holding_count(own); i++) {
        X509 *certificate = tg_holding_get(own, i);

        if (certificate == NULL || !append_one(anchors, certificate, out))
            return false;
    }
    return true;
}

/*
 * Of a folder of certificates under hashed names, OpenSSL reads only those with a subject that
 * was asked for: without one, those of the bundle and those read so far are listed.
 */
static bool append_system(const struct tg_anchors *anchors, STACK_OF(X509) *out)
{
    X509_STORE_CTX *context = tg_system_store(anchors->policy);
    STACK_OF(X509) *found = NULL;
    bool done;

    if (context == NULL)
        return false;
    ERR_set_mark();
    if (anchors->subject != NULL)
        found = X509_STORE_CTX_get1_certs(context, anchors->subject);
    else
        found = X509_STORE_get1_all_certs(X509_STORE_CTX_get0_store(context));
    ERR_pop_to_mark();
    /* Looked for by its subject, NULL is how "there is none" is said. */
    done = found != NULL ? append(anchors, found, out) : anchors->subject != NULL;
    sk_X509_pop_free(found, X509_free);
    X509_STORE_CTX_free(context);
    return done;
}

bool tg_anchors_list(const struct tg_anchors *anchors, STACK_OF(X509) *out)
{
    return append_own(anchors, out) &&
           (!anchors->rule->anchors_system || append_system(anchors, out));
}
