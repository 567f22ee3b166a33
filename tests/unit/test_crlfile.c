/* The CRLs that a policy names: what is read, what is refused, and what is warned of. */
#include "certfile.h"
#include "diag.h"
#include "evaluate.h"
#include "folder.h"
#include "lint.h"
#include "load.h"
#include "match.h"
#include "pki.h"
#include "verdict.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char work[] = "/tmp/tg-crlfile.XXXXXX";
static struct tg_arena *arena;

static void put(const char *path, const char *text)
{
    FILE *out = fopen(path, "we");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

/* When the CRLs that are made begin. */
static time_t begins = 1700000000;

/* An empty CRL of NAME's, good until UNTIL; nobody looks at its signature here. */
static X509_CRL *make_crl(const char *name, time_t until)
{
    STACK_OF(X509) *certs = pki_certificates(name, NULL);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *from = ASN1_TIME_set(NULL, begins), *end = ASN1_TIME_set(NULL, until);

    assert_true(key && crl && from && end);
    assert_true(X509_CRL_set_version(crl, 1) && X509_CRL_set1_lastUpdate(crl, from) &&
                X509_CRL_set1_nextUpdate(crl, end) &&
                X509_CRL_set_issuer_name(crl, X509_get_subject_name(sk_X509_value(certs, 0))) &&
                X509_CRL_sign(crl, key, EVP_sha256()));
    ASN1_TIME_free(from);
    ASN1_TIME_free(end);
    EVP_PKEY_free(key);
    pki_free(certs);
    return crl;
}

/* Appends a CRL to PATH, or makes it PATH's DER. */
static void put_crl(const char *path, const char *mode, const char *name, time_t until)
{
    X509_CRL *crl = make_crl(name, until);
    FILE *out = fopen(path, mode);

    assert_non_null(out);
    if (strstr(path, ".der"))
        assert_int_equal(i2d_X509_CRL_fp(out, crl), 1);
    else
        assert_int_equal(PEM_write_X509_CRL(out, crl), 1);
    assert_int_equal(fclose(out), 0);
    X509_CRL_free(crl);
}

static const char *read_crls(const char *path, int *count)
{
    STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
    const char *wrong = tg_file_crls(arena, path, crls, NULL);

    *count = sk_X509_CRL_num(crls);
    sk_X509_CRL_pop_free(crls, X509_CRL_free);
    return wrong;
}

static void assert_count(const char *path, int expected)
{
    int count;

    assert_null(read_crls(path, &count));
    assert_int_equal(count, expected);
}

static void assert_wrong(const char *path, const char *expected)
{
    int count;
    const char *wrong = read_crls(path, &count);

    assert_non_null(wrong);
    assert_string_equal(wrong, expected);
}

static void crls_come_from_pem_der_and_directories(void **state)
{
    (void)state;
    put_crl("one.crl", "we", "root", 4000000000);
    assert_count("one.crl", 1);
    put_crl("two.pem", "we", "root", 4000000000);
    put_crl("two.pem", "ae", "intermediate", 4000000000);
    assert_count("two.pem", 2);
    put_crl("one.der", "we", "root", 4000000000);
    assert_count("one.der", 1);
    assert_int_equal(mkdir("crls", 0700), 0);
    assert_wrong("crls", "holds no file *.pem, *.crl, *.der or HASH.rN");
    put("crls/1a2b3c4d.0", "a certificate's hash is not looked at");
    put_crl("crls/1a2b3c4d.r0", "we", "root", 4000000000);
    put_crl("crls/other.crl", "we", "other-root", 4000000000);
    assert_count("crls", 2);
    assert_int_equal(chmod("crls", 0770), 0);
    assert_wrong("crls", "is writable by group (mode 0770): chmod g-w");
    assert_int_equal(chmod("crls", 0700), 0);
}

static void what_is_no_crl_is_refused(void **state)
{
    (void)state;
    put("empty.crl", "");
    assert_wrong("empty.crl", "is empty");
    put("words.crl", "words\n");
    assert_wrong("words.crl", "holds no CRL, neither in PEM nor in DER");
    put("bad.crl", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n");
    assert_wrong("bad.crl", "CRL 1 doesn't parse");
    assert_wrong(pki_path("root.pem"), "holds a PEM block \"CERTIFICATE\" where CRLs are expected");
    assert_wrong("missing.crl", "No such file or directory");
    put_crl("long.der", "we", "root", 4000000000);
    assert_int_equal(truncate("long.der", 60), 0);
    assert_wrong("long.der", "CRL 1 doesn't parse");
}

/* The policy's text, with what is said of it; *POLICY is NULL where it is refused. */
static char *load(const char *text, tg_policy **policy)
{
    struct tg_diags diags = {0};
    char *said;

    put("policy.conf", text);
    *policy = tg_policy_parse("policy.conf", &diags);
    if (*policy)
        tg_policy_lint(*policy, 1800000000, &diags);
    said = tg_diags_text(&diags);
    assert_non_null(said);
    tg_diags_clear(&diags);
    return said;
}

static void a_rule_has_the_crls_that_it_names(void **state)
{
    tg_policy *policy;
    char *said = load("[profile p]\nrevocation = crl-chain\ncrl = one.crl, crls\ncrl = two.pem\n"
                      "[host a.example]\nprofile = p\n[host b.example]\nprofile = p\n",
                      &policy);

    (void)state;
    assert_string_equal(said, "");
    assert_non_null(policy);
    assert_int_equal(sk_X509_CRL_num(policy->rules[0]->crls), 5);
    assert_ptr_equal(policy->rules[0]->crls, policy->rules[1]->crls);
    assert_non_null(policy->crl_memo);
    tg_policy_free(policy);
    free(said);
}

static void a_file_without_a_crl_is_an_error(void **state)
{
    tg_policy *policy;
    char *said = load("[host a.example]\nrevocation = crl\ncrl = words.crl\n", &policy);

    (void)state;
    assert_null(policy);
    assert_non_null(strstr(said, "policy.conf:3:7: error: crl: words.crl: holds no CRL"));
    free(said);
}

static void a_crl_out_of_date_is_warned_of(void **state)
{
    tg_policy *policy;
    char *said;

    (void)state;
    put_crl("late.crl", "we", "root", 1799999999);
    said = load("[profile p]\nrevocation = crl\ncrl = late.crl, one.crl\n[host a.example]\n"
                "profile = p\n[host b.example]\nprofile = p\n",
                &policy);
    assert_non_null(policy);
    assert_string_equal(said, "policy.conf:4:2: warning: crl: that of CN=Trustgraft Test Root, "
                              "O=Trustgraft Tests is out of date since 2027-01-15T07:59:59Z, in "
                              "[host a.example]\n");
    tg_policy_free(policy);
    free(said);
}

static void assert_holds_until(const tg_policy *policy, time_t now, time_t until)
{
    const struct tg_match match = {.kind = TG_MATCH_RULE, .rule = policy->rules[0]};
    STACK_OF(X509) *sent = pki_chain("api");
    const struct tg_query query = {
        .host = "a.example", .leaf = sk_X509_value(sent, 0), .sent = sent, .now = now};
    struct tg_verdict *verdict = tg_evaluate(policy, &match, &query);

    assert_non_null(verdict);
    assert_int_equal(verdict->valid_until, until);
    tg_verdict_free(verdict);
    pki_free(sent);
}

static void a_verdict_ends_with_the_next_crl(void **state)
{
    time_t now = time(NULL);
    tg_policy *policy;

    (void)state;
    put_crl("ends.pem", "we", "root", now + 200);
    put_crl("ends.pem", "ae", "intermediate", now + 100);
    put_crl("ends.pem", "ae", "other-root", now);
    free(load("[host a.example]\nrevocation = crl\ncrl = one.crl, ends.pem\n", &policy));
    assert_non_null(policy);
    assert_holds_until(policy, now - 1, now);
    assert_holds_until(policy, now, now + 100);
    assert_holds_until(policy, now + 99, now + 100);
    assert_holds_until(policy, now + 100, now + 200);
    tg_policy_free(policy);
    free(load("[profile p]\nrevocation = crl\ncrl = ends.pem\n[host a.example]\nprofile = p\n",
              &policy));
    assert_non_null(policy);
    assert_holds_until(policy, now, now + 100);
    tg_policy_free(policy);
}

/* One that is there already and begins later may list what the one before it doesn't. */
static void a_verdict_ends_where_a_crl_begins(void **state)
{
    time_t now = time(NULL), begun = begins;
    tg_policy *policy;

    (void)state;
    put_crl("begins.pem", "we", "intermediate", now + 200);
    begins = now + 50;
    put_crl("begins.pem", "ae", "intermediate", now + 300);
    begins = begun;
    free(load("[host a.example]\nrevocation = crl\ncrl = begins.pem\n", &policy));
    assert_non_null(policy);
    assert_holds_until(policy, now, now + 50);
    assert_holds_until(policy, now + 50, now + 200);
    assert_holds_until(policy, now + 200, now + 300);
    tg_policy_free(policy);
}

static int set_up(void **state)
{
    (void)state;
    arena = tg_arena_new();
    return arena ? folder_enter(work) : -1;
}

static int tear_down(void **state)
{
    (void)state;
    tg_arena_free(arena);
    return folder_remove(work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crls_come_from_pem_der_and_directories),
        cmocka_unit_test(what_is_no_crl_is_refused),
        cmocka_unit_test(a_rule_has_the_crls_that_it_names),
        cmocka_unit_test(a_file_without_a_crl_is_an_error),
        cmocka_unit_test(a_crl_out_of_date_is_warned_of),
        cmocka_unit_test(a_verdict_ends_with_the_next_crl),
        cmocka_unit_test(a_verdict_ends_where_a_crl_begins),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
