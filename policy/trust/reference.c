#include "reference.h"
#include "constraint.h"
#include "name.h"
#include "text.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

static bool says_none(unsigned long error)
{
    return ERR_GET_REASON(error) == ERR_R_PASSED_NULL_PARAMETER;
}

/*
 * Told by what a copy that has an address of its own takes over from PARAM: OWN stays where there
 * is none. Both are asked for, lest one of them be PARAM's.
 */
static bool keeps_own(const X509_VERIFY_PARAM *param, const char *own)
{
    X509_VERIFY_PARAM *copy = X509_VERIFY_PARAM_new();
    char *left = NULL;
    bool keeps = copy != NULL && X509_VERIFY_PARAM_set1_ip_asc(copy, own) == 1 &&
                 X509_VERIFY_PARAM_set1(copy, param) == 1 &&
                 (left = X509_VERIFY_PARAM_get1_ip_asc(copy)) != NULL && strcmp(left, own) == 0;

    OPENSSL_free(left);
    X509_VERIFY_PARAM_free(copy);
    return keeps;
}

static bool has_none(X509_VERIFY_PARAM *param)
{
    return (X509_VERIFY_PARAM_get_inh_flags(param) & X509_VP_FLAG_LOCKED) == 0 &&
           keeps_own(param, "192.0.2.1") && keeps_own(param, "192.0.2.2");
}

/*
 * libcrypto says the same of no address and of no memory, but for an error that it leaves for the
 * former alone: by another before it, where the last one is like it, the two are told apart.
 * OpenSSL before 3.0.7 leaves none.
 */
bool tg_reference_address(X509_VERIFY_PARAM *param, char **address)
{
    bool told;

    ERR_set_mark();
    if (says_none(ERR_peek_last_error()))
        ERR_raise(ERR_LIB_X509, ERR_R_MALLOC_FAILURE);
    *address = X509_VERIFY_PARAM_get1_ip_asc(param);
    told = *address != NULL || says_none(ERR_peek_last_error()) || has_none(param);
    ERR_pop_to_mark();
    return told;
}

/* Any one of the rule's names will do, or the dialled one: the name at I, NULL behind the last. */
static const char *wanted_at(const struct tg_evaluation *evaluation, size_t i)
{
    const struct tg_words *hostnames = &evaluation->rule->hostnames;

    if (hostnames->count == 0)
        return i == 0 ? evaluation->query->host : NULL;
    return i < hostnames->count ? hostnames->word[i] : NULL;
}

static void add_name(struct tg_buf *text, const char *before, const char *name)
{
    tg_buf_add(text, before);
    tg_buf_escape(text, name, strlen(name));
}

/* Of names of which any one will do, those that the leaf has. */
struct claims {
    const STACK_OF(X509) *path;
    const char *refused; /* the first that a CA may not speak for; NULL: none */
    int depth;           /* of that CA */
    bool permitted;      /* another that they all may speak for */
};

static void claim(struct claims *claims, const char *name)
{
    int depth = claims->permitted ? 0 : tg_constraint_against(claims->path, name);

    claims->permitted = depth == 0;
    if (depth == 0 || claims->refused != NULL)
        return;
    claims->refused = name;
    claims->depth = depth;
}

static void settle(const struct claims *claims, struct tg_findings *findings)
{
    struct tg_buf text = {0};

    if (claims->permitted || claims->refused == NULL)
        return;
    add_name(&text, "the certificate is for ", claims->refused);
    tg_buf_add(&text, ", for which ");
    tg_findings_who(&text, claims->depth, sk_X509_value(claims->path, claims->depth));
    tg_buf_add(&text, " may not speak by its name constraints");
    tg_findings_add(findings, TG_NAME_CONSTRAINT, 0, 0, &text);
}

/* Of the application's flags those that forbid. For those that loosen, as many labels for one
 * wildcard, a name is not found that RFC 6125 has not there. */
static unsigned forbidding_flags(const struct tg_query *query)
{
    return tg_query_host_flags(query) &
           (X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
            X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
}

/*
 * That a name is there and that the CAs may speak for it has to be found at one time: were each
 * found at its own, one that memory ran out for could be missed by both.
 */
static struct claims claim_wanted(const struct tg_evaluation *evaluation,
                                  const STACK_OF(X509) *path)
{
    const struct tg_query *query = evaluation->query;
    struct claims claims = {.path = path};
    struct tg_leaf_names names;
    const char *name = NULL;

    tg_leaf_names_read(&names, query->leaf);
    for (size_t i = 0; (name = wanted_at(evaluation, i)) != NULL; i++)
        if (tg_leaf_names_match(&names, name, forbidding_flags(query)))
            claim(&claims, name);
    tg_leaf_names_free(&names);
    return claims;
}

/* The same for the names that the application set; ".example" is none that a CA could speak for. */
static struct claims claim_set(const struct tg_query *query, const STACK_OF(X509) *path)
{
    X509_VERIFY_PARAM *param = tg_query_param(query);
    struct claims claims = {.path = path};
    const char *name = NULL;

    for (int i = 0; param != NULL && (name = X509_VERIFY_PARAM_get0_host(param, i)) != NULL; i++) {
        if (!tg_name_matches_app(query->leaf, name, tg_query_host_flags(query)))
            continue;
        if (name[0] == '.')
            claims.permitted = true;
        else
            claim(&claims, name);
    }
    return claims;
}

static bool are_there(const struct claims *claims)
{
    return claims->permitted || claims->refused != NULL;
}

/* Of so many wanted names it is told why what is like them doesn't count: that takes its time. */
#define EXPLAINED 4

/* What is wanted and isn't there, and why what is like it doesn't count. */
struct lack {
    struct tg_buf wanted;
    const char *objection; /* NULL: nothing is like it */
};

static void add_wanted(const struct tg_evaluation *evaluation, struct lack *lack)
{
    const struct tg_query *query = evaluation->query;
    const char *name = NULL;

    for (size_t i = 0; (name = wanted_at(evaluation, i)) != NULL; i++) {
        add_name(&lack->wanted, i > 0 ? " or " : "", name);
        if (lack->objection == NULL && i < EXPLAINED)
            lack->objection = tg_name_objection(query->leaf, name, tg_query_host_flags(query));
    }
    if (lack->wanted.length == 0)
        tg_buf_add(&lack->wanted, "a name that is not known");
}

/* One of the names that the application set must match; nothing is added where one does. */
static void add_app_names(struct tg_evaluation *evaluation, X509_VERIFY_PARAM *param,
                          struct lack *lack)
{
    const struct tg_query *query = evaluation->query;
    struct claims claims = claim_set(query, evaluation->path);
    const char *name = NULL;

    settle(&claims, &evaluation->findings);
    if (are_there(&claims))
        return;
    for (int i = 0; (name = X509_VERIFY_PARAM_get0_host(param, i)) != NULL; i++) {
        add_name(&lack->wanted, i > 0 ? " or " : "", name);
        if (lack->objection == NULL && i < EXPLAINED)
            lack->objection = tg_name_objection(query->leaf, name, tg_query_host_flags(query));
    }
}

/*
 * What else the application has the library check, and isn't so: a name that names no host
 * (".example"), an address or a mail address beside the name.
 */
static void add_app_wanted(struct tg_evaluation *evaluation, struct lack *lack)
{
    const struct tg_query *query = evaluation->query;
    X509_VERIFY_PARAM *param = tg_query_param(query);
    const char *email = param != NULL ? X509_VERIFY_PARAM_get0_email(param) : NULL;
    struct tg_buf *wanted = &lack->wanted;
    char *address = NULL;

    if (param != NULL && !tg_reference_address(param, &address))
        evaluation->findings.failed = true;
    if (param != NULL)
        add_app_names(evaluation, param, lack);
    if (address != NULL && !tg_name_matches(query->leaf, address, 0))
        add_name(wanted, wanted->length > 0 ? " and " : "", address);
    if (email != NULL && X509_check_email(query->leaf, email, 0, 0) != 1)
        add_name(wanted, wanted->length > 0 ? " and mail for " : "mail for ", email);
    OPENSSL_free(address);
}

void tg_reference_check(struct tg_evaluation *evaluation)
{
    struct lack lack = {.objection = NULL};
    struct tg_buf text = {0};
    struct claims claims;

    if (evaluation->rule->skip_hostname)
        return;
    claims = claim_wanted(evaluation, evaluation->path);
    settle(&claims, &evaluation->findings);
    if (!are_there(&claims))
        add_wanted(evaluation, &lack);
    else if (evaluation->rule->hostnames.count == 0)
        add_app_wanted(evaluation, &lack);
    if (lack.wanted.length == 0 && !lack.wanted.failed)
        return;
    tg_buf_add(&text, "the certificate names ");
    tg_name_list(evaluation->query->leaf, &text);
    tg_buf_add(&text, ", wanted ");
    tg_buf_add(&text, lack.wanted.length > 0 ? lack.wanted.text : "");
    if (lack.objection != NULL)
        tg_buf_printf(&text, ": %s", lack.objection);
    text.failed = text.failed || lack.wanted.failed;
    tg_findings_add(&evaluation->findings, TG_NAME_MISMATCH, 0, 0, &text);
    tg_buf_free(&lack.wanted);
}

void tg_reference_check_path(const struct tg_evaluation *evaluation, const STACK_OF(X509) *path,
                             struct tg_findings *findings)
{
    struct claims claims;

    if (evaluation->rule->skip_hostname || !tg_constraint_on(path))
        return;
    claims = claim_wanted(evaluation, path);
    settle(&claims, findings);
    if (evaluation->rule->hostnames.count > 0)
        return;
    claims = claim_set(evaluation->query, path);
    settle(&claims, findings);
}
