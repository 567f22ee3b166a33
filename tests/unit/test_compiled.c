/*
 * What comes out of an image is what comes out of the text: for tests/match and tests/policies,
 * rule by rule. `trustgraft compile` of TG_BUILD writes the images.
 */
#include "alike.h"
#include "compiled.h"
#include "index.h"
#include "load.h"
#include "match.h"
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

static char work[] = "/tmp/tg-compiled.XXXXXX", source[4096], command[8192];

__attribute__((format(printf, 1, 2))) static void shell(const char *format, ...)
{
    char line[16384];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (system(line) != 0) // NOLINT(cert-env33-c): fixed lines on a folder of the test's own
        fail_msg("%s", line);
}

static int set_up(void **state)
{
    const char *checkout = getenv("TG_SRC"), *pki = getenv("TG_PKI"), *build = getenv("TG_BUILD");
    char real[4096];

    (void)state;
    assert_non_null(realpath(checkout ? checkout : ".", source));
    assert_non_null(realpath(build ? build : "build", real));
    snprintf(command, sizeof command, "%s/trustgraft", real);
    assert_non_null(realpath(pki ? pki : "build/pki", real));
    umask(077);
    assert_non_null(mkdtemp(work));
    assert_int_equal(chdir(work), 0);
    shell("cp -r %s/tests/policies . && ln -s %s policies/pki", source, real);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(chdir("/"), 0);
    shell("rm -rf %s", work);
    return 0;
}

/* Both policies of PATH; false where the text has errors, of which no image is made. */
static bool open_both(const char *path, tg_policy **text, tg_policy **image)
{
    struct tg_diags diags = {0};
    char line[16384], *note;
    int status;

    *text = tg_policy_parse(path, &diags);
    tg_diags_clear(&diags);
    snprintf(line, sizeof line, "%s compile %s >out 2>&1", command, path);
    status = system(line); // NOLINT(cert-env33-c)
    if (*text == NULL) {
        if (status == 0)
            fail_msg("%s has errors, but was compiled", path);
        return false;
    }
    *image = tg_compiled_open(path, &note);
    if (*image == NULL)
        fail_msg("%s: %s", path, note != NULL ? note : "no image");
    assert_true(tg_policy_is_compiled(*image));
    return true;
}

static void compare_match(const tg_policy *text, const tg_policy *image, const char *host,
                          unsigned port, const char *program)
{
    struct tg_match a = tg_policy_match(text, host, port, program);
    struct tg_match b = tg_policy_match(image, host, port, program);

    if (a.kind != b.kind || !same_text(a.pattern, b.pattern) || !same_text(a.lacking, b.lacking) ||
        !same_rule(a.rule, b.rule))
        fail_msg("%s: %s:%u from %s: kind %d, line %u, pattern %s; of the image %d, %u, %s",
                 text->file, host, port, program, (int)a.kind, a.rule ? a.rule->where.line : 0,
                 a.pattern, (int)b.kind, b.rule ? b.rule->where.line : 0, b.pattern);
}

/* With all that can be known or not of a connection to HOST, and of what is below it. */
static void compare_host(const tg_policy *text, const tg_policy *image, const char *host)
{
    static const char *const programs[] = {NULL, "/usr/bin/curl", "/bin/sh", "/opt/app/bin/agent"};
    static const unsigned ports[] = {0, 443, 8443, 636};
    const char *dot = host != NULL ? strchr(host, '.') : NULL;

    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        for (size_t j = 0; j < sizeof ports / sizeof *ports; j++) {
            compare_match(text, image, host, ports[j], programs[i]);
            if (dot != NULL)
                compare_match(text, image, dot, ports[j], programs[i]);
        }
}

struct seen {
    char text[65536];
};

static void see(void *arg, const struct tg_rule *rule, const char *pattern, const char *why)
{
    struct seen *seen = arg;
    size_t used = strlen(seen->text);

    snprintf(seen->text + used, sizeof seen->text - used, "%s:%u %s: %s\n", rule->where.file,
             rule->where.line, pattern, why);
}

static void compare_explanation(const tg_policy *text, const tg_policy *image, const char *host)
{
    static struct seen a, b;

    a.text[0] = b.text[0] = '\0';
    tg_policy_explain(text, host, 443, "/usr/bin/curl", see, &a);
    tg_policy_explain(image, host, 443, "/usr/bin/curl", see, &b);
    assert_string_equal(a.text, b.text);
}

/* Each host that a pattern means, or a part of its pattern. */
static void compare_patterns(const tg_policy *text, const tg_policy *image)
{
    for (size_t i = 0; i < text->rule_count; i++)
        for (size_t j = 0; j < text->rules[i]->patterns.count; j++) {
            const char *word = text->rules[i]->patterns.word[j];
            struct tg_pattern pattern;
            char host[600];
            size_t column;

            assert_null(tg_pattern_parse(text->arena, word, &pattern, &column));
            snprintf(host, sizeof host, "%s", word);
            if (pattern.kind == TG_PATTERN_NAME)
                snprintf(host, sizeof host, "%s", pattern.name);
            else if (pattern.kind == TG_PATTERN_WILDCARD)
                snprintf(host, sizeof host, "a.%s", pattern.name);
            else
                host[strcspn(host, "/:")] = '\0';
            compare_host(text, image, host);
            compare_explanation(text, image, host);
        }
    compare_host(text, image, NULL);
    compare_host(text, image, "");
    compare_host(text, image, "nowhere.invalid");
    compare_host(text, image, "192.0.2.7");
    compare_host(text, image, "2001:db8::7");
}

static void compare_exceptions(const tg_policy *text, const tg_policy *image)
{
    for (size_t i = 0; i < text->exception_count; i++) {
        const struct tg_exception *one = &text->exceptions[i];
        static const unsigned ports[] = {0, 443, 8443};

        for (size_t j = 0; j < sizeof ports / sizeof *ports; j++)
            for (time_t now = 1; now < 4000000000; now += 1000000000) {
                time_t until, other;

                assert_true(tg_policy_forgiven(text, one->host, ports[j], one->leaf, now, &until) ==
                            tg_policy_forgiven(image, one->host, ports[j], one->leaf, now, &other));
                assert_true(until == other);
            }
    }
}

static void compare_policies(const tg_policy *a, const tg_policy *b)
{
    assert_string_equal(a->file, b->file);
    assert_true(a->mode == b->mode && a->unmatched == b->unmatched &&
                a->unknown_host_app == b->unknown_host_app && a->staples == b->staples &&
                a->log_sinks == b->log_sinks && same_text(a->log_file, b->log_file) &&
                a->log_json == b->log_json && a->log_all == b->log_all && a->reload == b->reload &&
                a->locked == b->locked && a->rule_count == b->rule_count &&
                a->exception_count == b->exception_count);
    assert_true(same_digests(&a->distrusted_certificates, &b->distrusted_certificates));
    assert_true(same_digests(&a->distrusted_keys, &b->distrusted_keys));
    assert_int_equal(a->distrusted_signers == NULL, b->distrusted_signers == NULL);
    assert_true(same_rule(&a->unmatched_rule, &b->unmatched_rule));
}

/* True if there was something to compare. */
static bool compare(const char *path)
{
    tg_policy *text, *image;

    if (!open_both(path, &text, &image))
        return false;
    compare_policies(text, image);
    compare_patterns(text, image);
    compare_exceptions(text, image);
    tg_policy_free(text);
    tg_policy_free(image);
    return true;
}

static void test_the_policies_of_tests_policies_are_the_same(void **state)
{
    char pattern[8192], path[8192];
    int compared = 0;
    glob_t files;

    (void)state;
    snprintf(pattern, sizeof pattern, "%s/policies/*.conf", work);
    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        /* One that includes from its own folder can't have its image in it. */
        shell("rm -rf own && mkdir own && cp -r policies/. own/ && rm -f own/*.compiled");
        snprintf(path, sizeof path, "%s/own/%s", work, strrchr(files.gl_pathv[i], '/') + 1);
        compared += compare(path);
    }
    globfree(&files);
    assert_true(compared >= 15);
}

static void test_the_rules_of_tests_match_are_the_same(void **state)
{
    char pattern[8192], path[4200], line[512], host[512], port[512], program[512];
    glob_t files;

    (void)state;
    snprintf(pattern, sizeof pattern, "%s/tests/match/*.txt", source);
    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        FILE *in = fopen(files.gl_pathv[i], "r");
        tg_policy *text = NULL, *image = NULL;

        snprintf(path, sizeof path, "%s/match.conf", work);
        shell("sed '/^==$/,$d' %s >%s", files.gl_pathv[i], path);
        assert_non_null(in);
        assert_true(open_both(path, &text, &image));
        while (fgets(line, sizeof line, in) && strcmp(line, "==\n") != 0)
            continue;
        while (fgets(line, sizeof line, in)) {
            if (sscanf(line, "%511s %511s %511s", host, port, program) != 3 || host[0] == '#')
                continue;
            compare_match(text, image, strcmp(host, "-") == 0 ? NULL : host,
                          (unsigned)strtoul(port, NULL, 10),
                          strcmp(program, "-") == 0 ? NULL : program);
            compare_host(text, image, strcmp(host, "-") == 0 ? NULL : host);
        }
        compare_patterns(text, image);
        tg_policy_free(text);
        tg_policy_free(image);
        fclose(in);
    }
    globfree(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_policies_of_tests_policies_are_the_same),
        cmocka_unit_test(test_the_rules_of_tests_match_are_the_same),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
