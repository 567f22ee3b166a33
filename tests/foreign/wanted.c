#include "wanted.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static const char *name, *other_name, *host_flags, *address, *other_address, *email, *other_email,
    *at, *depth, *flags, *level, *broken;

static const struct {
    const char *word;
    const char **value;
} words[] = {
    {"name=", &name},                   /* that the library is to verify, */
    {"other-name=", &other_name},       /* or this one, */
    {"host-flags=", &host_flags},       /* with these X509_CHECK_FLAG_*; */
    {"address=", &address},             /* this too, */
    {"other-address=", &other_address}, /* (OpenSSL 4) or this, */
    {"email=", &email},                 /* and this, */
    {"other-email=", &other_email},     /* (OpenSSL 4) or this; */
    {"at=", &at},                       /* at this time, in seconds, */
    {"depth=", &depth},                 /* with no more CA certificates than these, */
    {"flags=", &flags},                 /* with these X509_V_FLAG_*, */
    {"level=", &level},                 /* at this security level */
    {"broken=", &broken}, /* host, address or email: setting one that is none, in vain */
};

int wanted_read(const char *word)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strncmp(word, words[i].word, strlen(words[i].word)) == 0) {
            *words[i].value = word + strlen(words[i].word);
            return 1;
        }
    return 0;
}

static unsigned long number(const char *text)
{
    return strtoul(text, NULL, 0);
}

static void require(int done)
{
    if (!done)
        exit(2);
}

/* What poisons a connection of BoringSSL's, and leaves others as they were. */
static void set_in_vain(X509_VERIFY_PARAM *param)
{
    static const unsigned char three[3] = {192, 0, 2};

    if ((strcmp(broken, "host") == 0 && X509_VERIFY_PARAM_set1_host(param, "a\0b", 3)) ||
        (strcmp(broken, "email") == 0 && X509_VERIFY_PARAM_set1_email(param, "a\0b", 3)) ||
        (strcmp(broken, "address") == 0 && X509_VERIFY_PARAM_set1_ip(param, three, sizeof(three))))
        exit(2);
    ERR_clear_error();
}

#ifdef OPENSSL_IS_BORINGSSL
static void set_more(X509_VERIFY_PARAM *param)
{
    (void)param;
    require(level == NULL && other_address == NULL && other_email == NULL);
}
#else
int X509_VERIFY_PARAM_add1_ip_asc(X509_VERIFY_PARAM *param, const char *text) __attribute__((weak));
int X509_VERIFY_PARAM_add1_rfc822(X509_VERIFY_PARAM *param, const char *text, size_t size)
    __attribute__((weak));

static void set_more(X509_VERIFY_PARAM *param)
{
    if (level != NULL)
        X509_VERIFY_PARAM_set_auth_level(param, (int)number(level));
    require(other_address == NULL || X509_VERIFY_PARAM_add1_ip_asc(param, other_address));
    require(other_email == NULL || X509_VERIFY_PARAM_add1_rfc822(param, other_email, 0));
}
#endif

void wanted_set(X509_VERIFY_PARAM *param)
{
    if (broken != NULL)
        set_in_vain(param);
    require(name == NULL || X509_VERIFY_PARAM_set1_host(param, name, strlen(name)));
    require(other_name == NULL ||
            X509_VERIFY_PARAM_add1_host(param, other_name, strlen(other_name)));
    require(address == NULL || X509_VERIFY_PARAM_set1_ip_asc(param, address));
    require(email == NULL || X509_VERIFY_PARAM_set1_email(param, email, strlen(email)));
    set_more(param);
    ERR_clear_error(); /* OpenSSL 4 tries an address for mail as either of its kinds */
    if (host_flags != NULL)
        X509_VERIFY_PARAM_set_hostflags(param, (unsigned)number(host_flags));
    if (at != NULL)
        X509_VERIFY_PARAM_set_time(param, strtol(at, NULL, 10));
    if (depth != NULL)
        X509_VERIFY_PARAM_set_depth(param, (int)number(depth));
    require(flags == NULL || X509_VERIFY_PARAM_set_flags(param, number(flags)));
}
