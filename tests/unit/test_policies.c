/*
 * Each tests/policies/NAME.conf is parsed: what is said of it, and what rules come out where it
 * is valid, is NAME.expected. Those called lint-* are linted too, as on the first of June 2026.
 * With TG_POLICIES_WRITE set, the .expected files are written anew instead of compared.
 */
#include "finding.h"
#include "folder.h"
#include "holding.h"
#include "keys.h"
#include "lint.h"
#include "load.h"
#include "policy.h"
#include "text.h"
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { JUNE_2026 = 1780272000 };

static char source[4096], work[] = "/tmp/tg-policies.XXXXXX";

/* Empty where there is no such file. */
static struct tg_buf read_all(const char *path)
{
    struct tg_buf buf = {0};
    FILE *in = fopen(path, "re");
    char chunk[4096];
    size_t got;

    tg_buf_add(&buf, "");
    while (in && (got = fread(chunk, 1, sizeof chunk, in)) > 0)
        tg_buf_addn(&buf, chunk, got);
    if (in)
        fclose(in);
    assert_false(buf.failed);
    return buf;
}

static void write_all(const char *path, const struct tg_buf *buf)
{
    FILE *out = fopen(path, "we");

    assert_non_null(out);
    assert_int_equal(fwrite(buf->text, 1, buf->length, out), buf->length);
    assert_int_equal(fclose(out), 0);
}

/* To the working directory, where nobody else may write whatever the checkout's modes are. */
static int copy(const char *path, const struct stat *status, int type, struct FTW *at)
{
    const char *relative = path + strlen(source);
    char target[8192];
    struct tg_buf text;

    (void)status;
    snprintf(target, sizeof target, "%s%s", work, relative);
    if (type == FTW_D)
        return at->level > 0 ? mkdir(target, 0700) : 0;
    text = read_all(path);
    write_all(target, &text);
    tg_buf_free(&text);
    return 0;
}

static int set_up(void **state)
{
    const char *checkout = getenv("TG_SRC"), *pki = getenv("TG_PKI");
    char *absolute;

    (void)state;
    absolute = realpath(pki ? pki : "build/pki", NULL);
    assert_non_null(absolute);
    snprintf(source, sizeof source, "%s/tests/policies", checkout ? checkout : ".");
    umask(077);
    assert_non_null(mkdtemp(work));
    assert_int_equal(nftw(source, copy, 8, FTW_PHYS), 0);
    if (source[0] != '/') { /* the working directory is left */
        char *full = realpath(source, NULL);

        assert_non_null(full);
        snprintf(source, sizeof source, "%s", full);
        free(full);
    }
    assert_int_equal(chdir(work), 0);
    assert_int_equal(symlink(absolute, "pki"), 0);
    free(absolute);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(chdir("/"), 0);
    return folder_remove(work);
}

static void add_words(struct tg_buf *out, const char *key, const struct tg_words *words)
{
    size_t i;

    for (i = 0; i < words->count; i++)
        tg_buf_printf(out, "  %s %s\n", key, words->word[i]);
}

static void add_count(struct tg_buf *out, const char *key, int count)
{
    if (count > 0)
        tg_buf_printf(out, "  %s: %d\n", key, count);
}

static void add_flag(struct tg_buf *out, const char *key, bool set)
{
    if (set)
        tg_buf_printf(out, "  %s\n", key);
}

static void add_time(struct tg_buf *out, const char *key, time_t when)
{
    if (when != 0)
        tg_buf_printf(out, "  %s %lld\n", key, (long long)when);
}

static void add_rule(struct tg_buf *out, const struct tg_rule *rule)
{
    static const char *const actions[] = {"evaluate", "pass", "reject"};
    size_t i;

    tg_buf_printf(out, "rule %s:%u", rule->where.file ? rule->where.file : "-", rule->where.line);
    for (i = 0; i < rule->patterns.count; i++)
        tg_buf_printf(out, " %s", rule->patterns.word[i]);
    tg_buf_printf(out, ": %s, %s\n", actions[rule->action],
                  rule->mode == TG_MODE_REPORT ? "report" : "enforce");
    for (i = 0; i < TG_KEYS; i++)
        add_flag(out, tg_key_info(i)->name, (rule->set & TG_KEY_BIT(i)) != 0);
    add_words(out, "= program", &rule->programs);
    add_words(out, "= hostname", &rule->hostnames);
    add_count(out, "= anchors", (int)tg_holding_count(rule->anchors));
    add_flag(out, "= anchors: system", rule->anchors_system);
    add_flag(out, "= anchors-only", rule->anchors_only);
    add_count(out, "= intermediates", (int)tg_holding_count(rule->intermediates));
    add_flag(out, "= insecure-skip-hostname", rule->skip_hostname);
    add_count(out, "= trust-certificate", (int)rule->trusted_leaves.count);
    add_count(out, "= leaf-pin", (int)rule->leaf_pins.count);
    add_count(out, "= ca-pin", (int)rule->ca_pins.count);
    add_count(out, "= pin", (int)rule->path_pins.count);
    add_time(out, "= pins-expire", rule->pins_expire);
    add_time(out, "= verify-time", rule->verify_time);
    add_flag(out, "= insecure-skip-dates", rule->skip_dates);
    add_flag(out, "= purpose any", rule->purpose == TG_PURPOSE_ANY);
    add_flag(out, "= strict", rule->strict);
    add_count(out, "= revocation", (int)rule->revocation);
    add_count(out, "= crl", sk_X509_CRL_num(rule->crls));
    add_count(out, "= min-tls", (int)rule->min_tls);
    add_count(out, "= min-rsa-bits", (int)rule->min_rsa_bits);
    add_count(out, "= security-level", (int)rule->security_level);
}

static void add_exception(struct tg_buf *out, const struct tg_exception *exception)
{
    int kind;

    tg_buf_printf(out, "exception %s: %s port %u, leaf %02x%02x...\n", exception->name,
                  exception->host, exception->port, exception->leaf[0], exception->leaf[31]);
    for (kind = 0; kind < TG_FINDING_KINDS; kind++)
        add_flag(out, tg_finding_info(kind)->name, exception->findings >> kind & 1);
    add_time(out, "= expires", exception->expires);
    if (exception->note)
        tg_buf_printf(out, "  = note %s\n", exception->note);
}

static void add_policy(struct tg_buf *out, const tg_policy *policy)
{
    static const char *const unmatched[] = {"app", "verify", "reject"};
    size_t i;

    tg_buf_printf(out, "valid: %s, unmatched %s, log %u%s%s%s%s%s%s\n",
                  policy->mode == TG_MODE_REPORT ? "report" : "enforce",
                  unmatched[policy->unmatched], policy->log_sinks, policy->log_file ? " " : "",
                  policy->log_file ? policy->log_file : "", policy->log_json ? " json" : "",
                  policy->log_all ? " all" : "", policy->locked ? ", locked" : "",
                  policy->reload ? "" : ", no reload");
    for (i = 0; i < policy->rule_count; i++)
        add_rule(out, policy->rules[i]);
    add_rule(out, &policy->unmatched_rule);
    add_count(out, "distrusted certificates", (int)policy->distrusted_certificates.count);
    add_count(out, "distrusted keys", (int)policy->distrusted_keys.count);
    for (i = 0; i < policy->exception_count; i++)
        add_exception(out, &policy->exceptions[i]);
}

static struct tg_buf outcome(const char *conf)
{
    struct tg_diags diags = {0};
    struct tg_buf out = {0};
    tg_policy *policy = tg_policy_parse(conf, &diags);
    char *text;

    assert_int_equal(policy == NULL, tg_diags_failed(&diags));
    if (policy && strncmp(conf, "lint-", 5) == 0)
        tg_policy_lint(policy, JUNE_2026, &diags);
    text = tg_diags_text(&diags);
    assert_non_null(text);
    tg_buf_add(&out, text);
    if (policy)
        add_policy(&out, policy);
    assert_false(out.failed);
    free(text);
    tg_policy_free(policy);
    tg_diags_clear(&diags);
    return out;
}

static int compare(const char *conf)
{
    struct tg_buf expected, found = outcome(conf);
    char path[8192];
    int differs;

    snprintf(path, sizeof path, "%s/%.*s.expected", source, (int)(strlen(conf) - 5), conf);
    if (getenv("TG_POLICIES_WRITE"))
        write_all(path, &found);
    expected = read_all(path);
    differs = strcmp(expected.text, found.text) != 0;
    if (differs)
        print_error("%s differs. Expected:\n%s\nFound:\n%s\n", conf, expected.text, found.text);
    tg_buf_free(&expected);
    tg_buf_free(&found);
    return differs;
}

static void says_of_each_policy_what_is_expected(void **state)
{
    glob_t confs = {0};
    int differ = 0;
    size_t i;

    (void)state;
    assert_int_equal(glob("*.conf", 0, NULL, &confs), 0);
    for (i = 0; i < confs.gl_pathc; i++)
        differ += compare(confs.gl_pathv[i]);
    assert_true(confs.gl_pathc > 20);
    globfree(&confs);
    assert_int_equal(differ, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_of_each_policy_what_is_expected),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
