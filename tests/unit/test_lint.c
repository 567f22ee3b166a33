/* The warnings that depend on certificates; the others are tests/policies/lint-*. */
#include "diag.h"
#include "lint.h"
#include "load.h"
#include "pki.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define DAYS (time_t)86400

static char path[] = "/tmp/tg-lint.XXXXXX";

/* Lints KEYS of one [host a.example], in which each %s is the PKI's directory, at NOW. */
static char *lint(const char *keys, time_t now)
{
    struct tg_diags diags = {0};
    char *directory = realpath(pki_path("."), NULL), *said;
    FILE *out = fopen(path, "we");
    tg_policy *policy;
    const char *at;

    assert_non_null(directory);
    assert_non_null(out);
    fputs("[profile p]\n", out);
    while ((at = strstr(keys, "%s")) != NULL) {
        fprintf(out, "%.*s%s", (int)(at - keys), keys, directory);
        keys = at + 2;
    }
    fprintf(out, "%s\n[host a.example]\nprofile = p\n[host b.example]\nprofile = p\n", keys);
    assert_int_equal(fclose(out), 0);
    policy = tg_policy_parse(path, &diags);
    assert_non_null(policy);
    tg_policy_lint(policy, now, &diags);
    assert_false(tg_diags_failed(&diags));
    said = tg_diags_text(&diags);
    assert_non_null(said);
    tg_policy_free(policy);
    tg_diags_clear(&diags);
    free(directory);
    return said;
}

static void assert_says(const char *keys, time_t now, const char *words)
{
    char *said = lint(keys, now), *found = strstr(said, words);

    if (!found)
        fail_msg("no \"%s\" in: %s", words, said);
    assert_null(found ? strstr(found + 1, words)
                      : NULL); /* once for all rules that share a profile */
    free(said);
}

static void assert_silent(const char *keys, time_t now)
{
    char *said = lint(keys, now);

    assert_string_equal(said, "");
    free(said);
}

static time_t end_of(const char *name)
{
    STACK_OF(X509) *certs = pki_certificates(name, NULL);
    struct tm tm;

    assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(sk_X509_value(certs, 0)), &tm), 1);
    pki_free(certs);
    return timegm(&tm);
}

static void an_expired_anchor_is_warned_of(void **state)
{
    (void)state;
    assert_says("anchors = %s/expired-root.pem, %s/root.pem", time(NULL),
                "anchors: CN=Expired Test Root, O=Trustgraft Tests expired ");
    assert_silent("anchors = %s/root.pem", time(NULL));
}

static void an_anchor_is_warned_of_thirty_days_before_its_end(void **state)
{
    time_t end = end_of("root");

    (void)state;
    assert_silent("anchors = %s/root.pem", end - 31 * DAYS);
    assert_says("anchors = %s/root.pem", end - 29 * DAYS,
                "anchors: CN=Trustgraft Test Root, O=Trustgraft Tests expires ");
    assert_says("anchors = %s/root.pem", end + 1,
                "anchors: CN=Trustgraft Test Root, O=Trustgraft Tests expired ");
}

static void an_expired_intermediate_is_warned_of(void **state)
{
    (void)state;
    assert_says("intermediates = %s/expired-intermediate.pem", time(NULL), "intermediates: CN=");
    assert_silent("intermediates = %s/intermediate.pem", time(NULL));
}

static void where_dates_do_not_count_ends_do_not_either(void **state)
{
    (void)state;
    assert_silent("anchors = %s/expired-root.pem\ninsecure-skip-dates = yes", time(NULL));
    assert_silent("anchors = %s/expired-root.pem\nverify-time = 2020-01-01\n"
                  "leaf-pin = %s/api.pem, %s/device.pem",
                  time(NULL));
    assert_silent("anchors = %s/expired-root.pem\naction = reject", time(NULL));
}

static int set_up(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    umask(022);
    return fd >= 0 ? close(fd) : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expired_anchor_is_warned_of),
        cmocka_unit_test(an_anchor_is_warned_of_thirty_days_before_its_end),
        cmocka_unit_test(an_expired_intermediate_is_warned_of),
        cmocka_unit_test(where_dates_do_not_count_ends_do_not_either),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
