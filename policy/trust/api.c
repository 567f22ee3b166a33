/* api.c - trust objects, as trustgraft.h and libtrustgraft(3) have them, on top of tg_evaluate. */
#include "evaluate.h"
#include "hash.h"
#include "holding.h"
#include "host.h"
#include "match.h"
#include "pin.h"
#include "program.h"
#include "text.h"
#include "trustgraft.h"
#include "verdict.h"
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXCEPTIONS_HEAD "trustgraft-exceptions 1 sha256:"

struct tg_trust {
    X509 *leaf;
    STACK_OF(X509) *sent;
    char *host;
    unsigned port;
    tg_policy *policy;
    char *program;
    STACK_OF(X509) *anchors;
    STACK_OF(X509) *intermediates;
    X509_STORE *store;
    bool only, only_set; /* anchors-only, where the caller decided it */
    time_t when;
    uint64_t forgiven;
    struct tg_rule rule; /* what the last evaluation applied; its certificates are the two below */
    struct tg_holding *rule_anchors;
    struct tg_holding *rule_intermediates;
    struct tg_verdict *verdict; /* of the last evaluation; NULL before */
};

/* Replaces *SLOT by certificates of which each has one more reference. CERTS may be NULL. */
static bool replace(STACK_OF(X509) **slot, const STACK_OF(X509) *certs)
{
    STACK_OF(X509) *copy = NULL;

    if (certs != NULL && (copy = X509_chain_up_ref((STACK_OF(X509) *)certs)) == NULL)
        return false;
    sk_X509_pop_free(*slot, X509_free);
    *slot = copy;
    return true;
}

static bool replace_text(char **slot, const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;

    if (text != NULL && copy == NULL)
        return false;
    free(*slot);
    *slot = copy;
    return true;
}

tg_trust *tg_trust_new(X509 *leaf, STACK_OF(X509) *chain)
{
    tg_trust *trust = calloc(1, sizeof(*trust));

    if (trust == NULL || leaf == NULL || !replace(&trust->sent, chain) || !X509_up_ref(leaf)) {
        tg_trust_free(trust);
        return NULL;
    }
    trust->leaf = leaf;
    return trust;
}

void tg_trust_free(tg_trust *trust)
{
    if (trust == NULL)
        return;
    tg_verdict_free(trust->verdict);
    X509_free(trust->leaf);
    sk_X509_pop_free(trust->sent, X509_free);
    sk_X509_pop_free(trust->anchors, X509_free);
    sk_X509_pop_free(trust->intermediates, X509_free);
    tg_holding_free(trust->rule_anchors);
    tg_holding_free(trust->rule_intermediates);
    X509_STORE_free(trust->store);
    tg_policy_free(trust->policy);
    free(trust->host);
    free(trust->program);
    free(trust);
}

int tg_trust_set_host(tg_trust *trust, const char *host, unsigned port)
{
    char canonical[TG_HOST_SIZE];

    if (port > 65535 || !tg_host_spell(host, canonical) || !replace_text(&trust->host, canonical))
        return 0;
    trust->port = port;
    return 1;
}

int tg_trust_set_policy(tg_trust *trust, tg_policy *policy, const char *program)
{
    char self[TG_PROGRAM_SIZE];

    if (program == NULL) {
        tg_program_self(self);
        program = self[0] != '\0' ? self : NULL;
    }
    if (!replace_text(&trust->program, program))
        return 0;
    tg_policy_free(trust->policy);
    trust->policy = policy != NULL ? tg_policy_ref(policy) : NULL;
    return 1;
}

int tg_trust_set_anchors(tg_trust *trust, const STACK_OF(X509) *anchors)
{
    if (!replace(&trust->anchors, anchors))
        return 0;
    trust->only = trust->only_set = true;
    return 1;
}

void tg_trust_set_anchors_only(tg_trust *trust, int only)
{
    trust->only = only != 0;
    trust->only_set = true;
}

int tg_trust_set_store(tg_trust *trust, X509_STORE *store)
{
    if (store != NULL && !X509_STORE_up_ref(store))
        return 0;
    X509_STORE_free(trust->store);
    trust->store = store;
    return 1;
}

int tg_trust_set_intermediates(tg_trust *trust, const STACK_OF(X509) *certs)
{
    return replace(&trust->intermediates, certs);
}

void tg_trust_set_verify_time(tg_trust *trust, time_t when)
{
    trust->when = when;
}

/* Adds CERTIFICATE where HOLDING doesn't have it. */
static bool add_once(struct tg_holding *holding, X509 *certificate)
{
    STACK_OF(X509) *found = NULL;
    bool known = tg_holding_find(holding, X509_get_subject_name(certificate), NULL, &found);
    bool has = false;

    for (int i = 0; !has && i < sk_X509_num(found); i++)
        has = X509_cmp(sk_X509_value(found, i), certificate) == 0;
    sk_X509_pop_free(found, X509_free);
    return known && (has || tg_holding_add(holding, certificate));
}

/* *SLOT becomes FIRST and SECOND together, NULL where both are. */
static bool join(struct tg_holding **slot, const struct tg_holding *first,
                 const STACK_OF(X509) *second)
{
    bool joined = true;

    tg_holding_free(*slot);
    *slot = NULL;
    if (first == NULL && second == NULL)
        return true;
    *slot = tg_holding_new();
    joined = *slot != NULL && tg_holding_join(*slot, first);
    for (int i = 0; joined && i < sk_X509_num(second); i++)
        joined = add_once(*slot, sk_X509_value(second, i));
    return joined;
}

/* The rule of the policy, with what was set on the object on top of it. */
static bool make_rule(tg_trust *trust, struct tg_match *match)
{
    static const struct tg_rule blank = {.anchors_only = true};

    if (trust->policy != NULL)
        *match = tg_policy_match(trust->policy, trust->host, trust->port, trust->program);
    if (match->rule != NULL && match->rule->action == TG_ACTION_PASS)
        match->rule = NULL;
    trust->rule = match->rule != NULL ? *match->rule : blank;
    if (!join(&trust->rule_anchors, trust->rule.anchors, trust->anchors) ||
        !join(&trust->rule_intermediates, trust->rule.intermediates, trust->intermediates))
        return false;
    trust->rule.anchors = trust->rule_anchors;
    trust->rule.intermediates = trust->rule_intermediates;
    if (trust->only_set)
        trust->rule.anchors_only = trust->only;
    if (trust->when != 0)
        trust->rule.verify_time = trust->when;
    match->rule = &trust->rule;
    return true;
}

static struct tg_verdict *evaluate(tg_trust *trust)
{
    struct tg_match match = {.kind = TG_MATCH_UNMATCHED};
    struct tg_query query = {.host = trust->host,
                             .port = trust->port,
                             .program = trust->program,
                             .leaf = trust->leaf,
                             .sent = trust->sent,
                             .forgiven = trust->forgiven,
                             .security_level = -1};
    struct tg_verdict *verdict = NULL;

    if (!make_rule(trust, &match))
        return NULL;
    if (trust->store != NULL) {
        query.app = X509_STORE_CTX_new();
        if (query.app == NULL ||
            !X509_STORE_CTX_init(query.app, trust->store, trust->leaf, trust->sent))
            goto end;
    }
    verdict = tg_evaluate(trust->policy, &match, &query);
end:
    X509_STORE_CTX_free(query.app);
    return verdict;
}

tg_result tg_trust_evaluate(tg_trust *trust)
{
    tg_verdict_free(trust->verdict);
    trust->verdict = evaluate(trust);
    return tg_trust_get_result(trust);
}

tg_result tg_trust_get_result(const tg_trust *trust)
{
    return trust->verdict != NULL ? trust->verdict->result : TG_RESULT_OTHER_ERROR;
}

int tg_trust_get_x509_error(const tg_trust *trust)
{
    return trust->verdict != NULL ? trust->verdict->x509_error : X509_V_ERR_UNSPECIFIED;
}

STACK_OF(X509) *tg_trust_get0_path(const tg_trust *trust)
{
    return trust->verdict != NULL ? trust->verdict->path : NULL;
}

size_t tg_trust_get_finding_count(const tg_trust *trust)
{
    return trust->verdict != NULL ? trust->verdict->finding_count : 0;
}

int tg_trust_get_finding(const tg_trust *trust, size_t index, tg_trust_finding *finding)
{
    const struct tg_finding *found = NULL;

    if (index >= tg_trust_get_finding_count(trust))
        return 0;
    found = &trust->verdict->findings[index];
    *finding = (tg_trust_finding){
        .name = tg_finding_info(found->kind)->name,
        .text = found->text,
        .depth = found->depth,
        .x509_error = found->x509_error,
    };
    return 1;
}

char *tg_trust_copy_exceptions(const tg_trust *trust)
{
    uint8_t digest[TG_SHA256_SIZE];
    char hex[TG_HEX_SIZE];
    struct tg_buf text = {0};
    size_t count = tg_trust_get_finding_count(trust);

    if (count == 0 || !tg_hash_certificate(trust->leaf, digest))
        return NULL;
    tg_hex_text(digest, hex);
    tg_buf_printf(&text, EXCEPTIONS_HEAD "%s", hex);
    for (size_t i = 0; i < count; i++) {
        enum tg_finding_kind kind = trust->verdict->findings[i].kind;

        if (!tg_finding_forgivable(kind)) {
            tg_buf_free(&text);
            return NULL;
        }
        tg_buf_printf(&text, " %s", tg_finding_info(kind)->name);
    }
    return tg_buf_take(&text);
}

/* The finding names of WORDS, which is cut up; 0 if one is unknown or can't be forgiven. */
static uint64_t read_findings(char *words)
{
    uint64_t kinds = 0;
    char *rest = NULL;

    for (char *word = strtok_r(words, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        enum tg_finding_kind kind = tg_finding_by_name(word);

        if (kind == TG_FINDING_KINDS || !tg_finding_forgivable(kind))
            return 0;
        kinds |= UINT64_C(1) << kind;
    }
    return kinds;
}

int tg_trust_set_exceptions(tg_trust *trust, const char *exceptions)
{
    uint8_t digest[TG_SHA256_SIZE];
    char hex[TG_HEX_SIZE], head[sizeof(EXCEPTIONS_HEAD) + sizeof(hex)];
    char *words = NULL;
    uint64_t kinds;

    if (!tg_hash_certificate(trust->leaf, digest))
        return 0;
    tg_hex_text(digest, hex);
    snprintf(head, sizeof(head), EXCEPTIONS_HEAD "%s ", hex);
    if (strncmp(exceptions, head, strlen(head)) != 0)
        return 0;
    words = strdup(exceptions + strlen(head));
    kinds = words != NULL ? read_findings(words) : 0;
    free(words);
    if (kinds == 0)
        return 0;
    trust->forgiven = kinds;
    return 1;
}
