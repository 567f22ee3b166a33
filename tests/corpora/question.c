#include "corpora.h"
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    unsigned long flag;
} flags[] = {
    {"crl_check", X509_V_FLAG_CRL_CHECK},
    {"crl_check_all", X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL},
    {"extended_crl", X509_V_FLAG_EXTENDED_CRL_SUPPORT},
    {"use_deltas", X509_V_FLAG_USE_DELTAS},
    {"x509_strict", X509_V_FLAG_X509_STRICT},
    {"no_check_time", X509_V_FLAG_NO_CHECK_TIME},
};

static unsigned long flag(const char *name)
{
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (strcmp(flags[i].name, name) == 0)
            return flags[i].flag;
    corpora_fail("a case has an unknown flag");
}

/* The certificates among IDS, separated by commas, that parse. */
static STACK_OF(X509) *certificates(char *ids)
{
    STACK_OF(X509) *found = sk_X509_new_null();
    char *rest = NULL;

    for (char *id = strtok_r(ids, ",", &rest); id != NULL; id = strtok_r(NULL, ",", &rest)) {
        X509 *certificate = corpora_certificate(id);

        corpora_demand(certificate == NULL || sk_X509_push(found, certificate) > 0,
                       "memory ran out");
    }
    return found;
}

static STACK_OF(X509_CRL) *lists(char *ids)
{
    STACK_OF(X509_CRL) *found = sk_X509_CRL_new_null();
    char *rest = NULL;

    for (char *id = strtok_r(ids, ",", &rest); id != NULL; id = strtok_r(NULL, ",", &rest)) {
        X509_CRL *crl = corpora_crl(id);

        corpora_demand(crl == NULL || sk_X509_CRL_push(found, crl) > 0, "memory ran out");
    }
    return found;
}

static void set(struct question *question, const char *key, char *value)
{
    if (strcmp(key, "leaf") == 0)
        question->leaf = corpora_certificate(value);
    else if (strcmp(key, "trusted") == 0)
        question->trusted = certificates(value);
    else if (strcmp(key, "untrusted") == 0)
        question->untrusted = certificates(value);
    else if (strcmp(key, "crls") == 0)
        question->crls = lists(value);
    else if (strcmp(key, "host") == 0)
        question->host = value;
    else if (strcmp(key, "ip") == 0)
        question->ip = value;
    else if (strcmp(key, "time") == 0)
        question->time = (time_t)strtoll(value, NULL, 10);
    else if (strcmp(key, "purpose") == 0)
        question->any_purpose = strcmp(value, "any") == 0;
    else if (strcmp(key, "level") == 0)
        question->level = (int)strtol(value, NULL, 10);
    else if (strcmp(key, "flag") == 0)
        question->flags |= flag(value);
    else
        corpora_fail("a case has an unknown key");
}

void question_read(char *line, struct question *out)
{
    char *rest = NULL;

    *out = (struct question){.name = strtok_r(line, "\t", &rest)};
    for (char *key = strtok_r(NULL, "\t", &rest); key != NULL; key = strtok_r(NULL, "\t", &rest)) {
        char *value = strchr(key, '=');

        if (value == NULL)
            corpora_fail("a key has no value");
        *value = '\0';
        set(out, key, value + 1);
    }
}

void question_clear(struct question *question)
{
    sk_X509_free(question->trusted);
    sk_X509_free(question->untrusted);
    sk_X509_CRL_free(question->crls);
}
