/* Names of certificates, held against hosts and against the constraints of CAs. */
#include "constraint.h"
#include "host.h"
#include "name.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/x509v3.h>

#define NEVER X509_CHECK_FLAG_NEVER_CHECK_SUBJECT

static void extend(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *one = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(one);
    assert_true(X509_add_ext(certificate, one, -1));
    X509_EXTENSION_free(one);
}

/* CN and SAN may be NULL. */
static X509 *leaf(const char *cn, const char *san)
{
    X509 *made = X509_new();

    if (cn != NULL)
        assert_true(X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                                               (const void *)cn, -1, -1, 0));
    if (san != NULL)
        extend(made, NID_subject_alt_name, san);
    return made;
}

static const struct {
    const char *cn, *san, *host;
    unsigned flags;
    bool matches;
} matches[] = {
    {NULL, "DNS:WWW.Corp.Test", "www.corp.test", 0, true},
    {NULL, "DNS:www.corp.test", "WWW.corp.test.", 0, true},
    {NULL, "DNS:www.corp.test", "ww.corp.test", 0, false},
    {NULL, "DNS:www.corp.test.", "www.corp.test", 0, false},
    {NULL, "DNS:*.corp.test", "a_b.corp.test", 0, true},
    {NULL, "DNS:*.corp.test", "a~b.corp.test", 0, true},
    {NULL, "DNS:*.corp.test", "-.corp.test", 0, true},
    {NULL, "DNS:*.corp.test", ".corp.test", 0, true}, /* X509_check_host(3): any name below it */
    {NULL, "DNS:a.corp.test", ".corp.test", 0, true},
    {NULL, "DNS:acorp.test", ".corp.test", 0, false},
    {NULL, "DNS:corp.test", ".corp.test", 0, false},
    {NULL, "DNS:*.corp.test", "corp.test", 0, false},
    {NULL, "DNS:*.corp.test", "a.b_c.corp.test", 0, false},
    {NULL, "DNS:*.corp.test", "a.b.corp.test", X509_CHECK_FLAG_MULTI_LABEL_WILDCARDS, true},
    {NULL, "DNS:*.corp.test", "a.corp.test", X509_CHECK_FLAG_NO_WILDCARDS, false},
    {NULL, "DNS:*.my_app.test", "a.my_app.test", 0, true},
    {NULL, "DNS:*.corp.test", "acorp.test", 0, false},
    {NULL, "DNS:*.test", "corp.test", 0, false},
    {NULL, "DNS:*", "localhost", 0, false},
    {NULL, "DNS:*.", "localhost", 0, false},
    {NULL, "DNS:*..test", "a..test", 0, false},
    {NULL, "DNS:w*.corp.test", "www.corp.test", 0, false},
    {NULL, "DNS:*w.corp.test", "www.corp.test", 0, false},
    {NULL, "DNS:*.*.test", "a.b.test", 0, false},
    {NULL, "DNS:a.*.test", "a.b.test", 0, false},
    {NULL, "DNS:*.0.1", "127.0.1", 0, false},
    {NULL, "DNS:127.0.0.1", "127.0.0.1", 0, false},
    {NULL, "IP:127.0.0.1", "127.0.0.1", 0, true},
    {NULL, "IP:127.0.0.1", "::ffff:127.0.0.1", 0, true},
    {NULL, "IP:127.0.0.1", "[::FFFF:7f00:1]", 0, true},
    {NULL, "IP:::ffff:127.0.0.1", "127.0.0.1", 0, false},
    {NULL, "IP:::1", "0:0:0:0:0:0:0:1", 0, true},
    {"www.corp.test", NULL, "www.corp.test", 0, true},
    {"*.corp.test", NULL, "a_b.corp.test", 0, true},
    {"www.corp.test", NULL, "www.corp.test", NEVER, false},
    {"www.corp.test", "IP:127.0.0.1", "www.corp.test", 0, true},
    {"www.corp.test", "email:a@corp.test", "www.corp.test", 0, true},
    {"www.corp.test", "DNS:other.test", "www.corp.test", 0, false},
    {"www.corp.test", "DNS:other.test", "www.corp.test", X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT,
     true},
    {"127.0.0.1", NULL, "127.0.0.1", 0, false},
    {NULL, NULL, "www.corp.test", 0, false},
    {NULL, "DNS:a.test", "", 0, false},
};

static void names_match(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
        X509 *one = leaf(matches[i].cn, matches[i].san);

        if (tg_name_matches(one, matches[i].host, matches[i].flags) != matches[i].matches)
            fail_msg("%s %s: %s", matches[i].cn, matches[i].san, matches[i].host);
        X509_free(one);
    }
}

/* Where host and certificate are spelled as usual, it is what X509_check_host(3) says. */
static void usual_names_match_as_in_libcrypto(void **state)
{
    static const char *const labels[] = {"", "a", "b-c", "test", "*", "xn--a", "9"};
    enum { LABELS = sizeof(labels) / sizeof(labels[0]) };

    (void)state;
    for (int i = 0; i < LABELS * LABELS * LABELS; i++) {
        const char *x = labels[i % LABELS], *y = labels[i / LABELS % LABELS],
                   *z = labels[i / LABELS / LABELS];
        char san[64], host[64];
        X509 *one;

        snprintf(san, sizeof(san), "DNS:%s.%s.%s", x, y, z);
        one = leaf(NULL, san);
        for (int j = 0; j < LABELS * LABELS * LABELS; j++) {
            char canonical[TG_HOST_SIZE];

            snprintf(host, sizeof(host), "%s.%s.%s", labels[j % LABELS],
                     labels[j / LABELS % LABELS], labels[j / LABELS / LABELS]);
            if (tg_host_spell(host, canonical) &&
                tg_name_matches(one, host, 0) != (X509_check_host(one, canonical, 0, 0, NULL) == 1))
                fail_msg("%s: %s", san, host);
        }
        X509_free(one);
    }
}

struct constrained {
    const char *constraints, *host;
    bool against;
};

/* Only the second of two CAs has the constraints: it is the one that is against the host. */
static void expect_constrained(const struct constrained *expected)
{
    X509 *ca = X509_new(), *free_ca = X509_new(), *end = leaf(NULL, "DNS:*.corp.test");
    STACK_OF(X509) *path = sk_X509_new_null();

    extend(ca, NID_name_constraints, expected->constraints);
    assert_true(sk_X509_push(path, end) && sk_X509_push(path, free_ca));
    assert_false(tg_constraint_on(path));
    assert_int_equal(tg_constraint_against(path, expected->host), 0);
    assert_true(sk_X509_push(path, ca));
    assert_true(tg_constraint_on(path));
    if (tg_constraint_against(path, expected->host) != (expected->against ? 2 : 0))
        fail_msg("%s: %s", expected->constraints, expected->host);
    sk_X509_pop_free(path, X509_free);
}

static void constraints_on_names_hold_for_the_host(void **state)
{
    static const struct constrained cases[] = {
        {"permitted;DNS:corp.test", "www.corp.test", false},
        {"permitted;DNS:corp.test", "corp.test", false},
        {"permitted;DNS:Corp.Test", "WWW.corp.test.", false},
        {"permitted;DNS:corp.test", "wwwcorp.test", true},
        {"permitted;DNS:corp.test", "test", true},
        {"permitted;DNS:.corp.test", "www.corp.test", false},
        {"permitted;DNS:.corp.test", "corp.test", true},
        {"permitted;DNS:corp.test,permitted;DNS:other.test", "a.other.test", false},
        {"permitted;DNS:corp.test,excluded;DNS:secret.corp.test", "secret.corp.test", true},
        {"permitted;DNS:corp.test,excluded;DNS:secret.corp.test", "a~b.secret.corp.test", true},
        {"permitted;DNS:corp.test,excluded;DNS:secret.corp.test", "www.corp.test", false},
        {"excluded;DNS:secret.corp.test.", "secret.corp.test", true},
        {"excluded;DNS:*.corp.test", "www.corp.test", true},
        {"excluded;DNS:*.corp.test", "corp.test", false},
        {"excluded;DNS:*.other.test", "www.corp.test", false},
        {"excluded;DNS:.", "www.corp.test", true},
        {"permitted;DNS:*.corp.test", "www.corp.test", true},
        {"permitted;DNS:.", "www.corp.test", true},
        {"excluded;DNS:test", "test", true},
        {"excluded;DNS:test", "localhost", false},
        {"excluded;DNS:localhost", "localhost", true},
        {"permitted;DNS:localhost", "localhost", false},
        {"permitted;DNS:corp.test", "10.1.2.3", false},
        {"permitted;email:corp.test", "www.corp.test", false},
        {"permitted;DNS:corp.test", "", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_constrained(&cases[i]);
}

static void constraints_on_addresses_hold_for_the_host(void **state)
{
    static const struct constrained cases[] = {
        {"permitted;IP:10.0.0.0/255.0.0.0", "www.corp.test", false},
        {"permitted;IP:10.0.0.0/255.0.0.0", "10.1.2.3", false},
        {"permitted;IP:10.0.0.0/255.0.0.0", "::ffff:10.1.2.3", false},
        {"permitted;IP:10.0.0.0/255.0.0.0", "11.1.2.3", true},
        {"permitted;IP:10.0.0.0/255.0.0.0", "fd00::1", true},
        {"excluded;IP:10.0.0.0/255.0.0.0", "10.1.2.3", true},
        {"excluded;IP:10.0.0.0/255.0.0.0", "fd00::1", false},
        {"excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:::/::", "::1", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_constrained(&cases[i]);
}

/* Not a constraint that can be read, or one with bounds, which RFC 5280 has none. */
static void what_constraints_mean_has_to_be_known(void **state)
{
    static const unsigned char bounded[] = {0x30, 0x0C, 0xA0, 0x0A, 0x30, 0x08, 0x82,
                                            0x03, 'f',  'o',  'o',  0x80, 0x01, 0x01};
    static const unsigned char garbage[] = {0x30, 0x02, 0x05};
    static const struct {
        const unsigned char *der;
        int size;
    } cases[] = {{bounded, sizeof(bounded)}, {garbage, sizeof(garbage)}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        X509 *ca = X509_new();
        STACK_OF(X509) *path = sk_X509_new_null();
        ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
        X509_EXTENSION *one;

        assert_true(ASN1_OCTET_STRING_set(value, cases[i].der, cases[i].size));
        one = X509_EXTENSION_create_by_NID(NULL, NID_name_constraints, 1, value);
        assert_true(X509_add_ext(ca, one, -1));
        assert_true(sk_X509_push(path, leaf(NULL, "DNS:foo")) && sk_X509_push(path, ca));
        assert_int_equal(tg_constraint_against(path, "foo"), 1);
        X509_EXTENSION_free(one);
        ASN1_OCTET_STRING_free(value);
        sk_X509_pop_free(path, X509_free);
    }
}

static void an_objection_is_made_to_what_is_there_alone(void **state)
{
    X509 *cn = leaf("www.corp.test", NULL), *star = leaf(NULL, "DNS:*.corp.test");
    X509 *part = leaf(NULL, "DNS:w*.corp.test");

    (void)state;
    assert_non_null(strstr(tg_name_objection(cn, "www.corp.test", NEVER), "common name"));
    assert_null(tg_name_objection(cn, "other.test", NEVER));
    assert_non_null(
        strstr(tg_name_objection(star, "www.corp.test", X509_CHECK_FLAG_NO_WILDCARDS), "wildcard"));
    assert_non_null(strstr(tg_name_objection(star, "a_b.corp.test", 0), "hyphens alone"));
    assert_non_null(strstr(tg_name_objection(part, "www.corp.test", 0), "whole label"));
    assert_null(tg_name_objection(part, "127.0.0.1", 0));
    assert_true(tg_name_matches_app(star, "www.corp.test.", 0));
    assert_true(tg_name_matches_app(star, ".corp.test", 0));
    assert_false(tg_name_matches_app(star, "a_b.corp.test", 0));
    assert_false(tg_name_matches_app(star, "", 0));
    X509_free(cn);
    X509_free(star);
    X509_free(part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_match),
        cmocka_unit_test(usual_names_match_as_in_libcrypto),
        cmocka_unit_test(constraints_on_names_hold_for_the_host),
        cmocka_unit_test(constraints_on_addresses_hold_for_the_host),
        cmocka_unit_test(what_constraints_mean_has_to_be_known),
        cmocka_unit_test(an_objection_is_made_to_what_is_there_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
