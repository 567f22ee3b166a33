/*
 * images.h - a policy with a rule of each kind, its image, and what has to come out of either.
 * `trustgraft compile` of TG_BUILD writes the image.
 */
#ifndef TG_TEST_IMAGES_H
#define TG_TEST_IMAGES_H

#include "compiled.h"
#include "known.h"
#include "match.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char work[] = "/tmp/tg-image.XXXXXX", command[8192], path[64], image_path[80];

static const char text[] = "[policy]\n"
                           "unmatched = verify\n"
                           "include = more/*.conf\n"
                           "[profile strict]\n"
                           "min-tls = 1.3\n"
                           "[host one.test *.one.test]\n"
                           "profile = strict\n"
                           "[host 192.0.2.0/24:443]\n"
                           "leaf-pin = sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                           "pins-expire = 2001-01-01\n"
                           "[host two.test]\n"
                           "program = /bin/sh, curl\n"
                           "action = reject\n"
                           "[host two.test]\n"
                           "known-hosts = known\n";

static const char known[] = "a.test sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                            "b.test:8443 sha256/BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=\n";

static inline void shell(const char *format, ...)
{
    char line[16384];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (system(line) != 0)
        fail_msg("%s", line);
}

static inline void write_file(const char *name, const char *content)
{
    FILE *out = fopen(name, "w");

    assert_non_null(out);
    assert_true(fputs(content, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static inline void compile(void)
{
    shell("rm -rf * && mkdir more");
    write_file("policy.conf", text);
    write_file("known", known);
    write_file("more/a.conf", "[host three.test]\nstrict = yes\n");
    shell("%s compile -p policy.conf >out 2>&1", command);
}

static inline int set_up(void **state)
{
    const char *build = getenv("TG_BUILD");
    char real[4096];

    (void)state;
    assert_non_null(realpath(build ? build : "build", real));
    snprintf(command, sizeof command, "%s/trustgraft", real);
    umask(022);
    assert_non_null(mkdtemp(work));
    assert_int_equal(chdir(work), 0);
    snprintf(path, sizeof path, "%s/policy.conf", work);
    snprintf(image_path, sizeof image_path, "%s" TG_IMAGE_SUFFIX, path);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    assert_int_equal(chdir("/"), 0);
    shell("rm -rf %s", work);
    return 0;
}

/* ---- questions ----------------------------------------------------------------------------- */

static const struct question {
    const char *host;
    unsigned port;
    const char *program;
    unsigned line; /* of the rule that applies; 0: unmatched */
} questions[] = {
    {"one.test", 443, NULL, 6},      {"x.one.test", 1, NULL, 6},
    {"192.0.2.9", 443, NULL, 8},     {"two.test", 443, "/usr/bin/curl", 11},
    {"two.test", 443, "/bin/x", 14}, {"three.test", 443, NULL, 1},
    {"four.test", 443, NULL, 0},     {NULL, 443, "/usr/bin/curl", 6},
    {".test", 443, "/bin/x", 14},
};

enum { QUESTIONS = sizeof questions / sizeof *questions };

/* How many questions got the refusal of what can't be told; each other answer has to be right. */
static inline int ask(const tg_policy *policy)
{
    int refused = 0;

    for (size_t i = 0; i < QUESTIONS; i++) {
        const struct question *about = &questions[i];
        struct tg_match match = tg_policy_match(policy, about->host, about->port, about->program);

        assert_non_null(match.rule); /* unmatched is verify */
        if (match.rule->problem != NULL) {
            assert_true(match.kind != TG_MATCH_UNMATCHED);
            assert_int_equal(match.rule->action, TG_ACTION_REJECT);
            assert_int_equal(match.rule->mode, TG_MODE_ENFORCE);
            refused++;
        } else if (match.rule->where.line != about->line) {
            fail_msg("%s: line %u, not %u", about->host ? about->host : "unknown",
                     match.rule->where.line, about->line);
        }
    }
    return refused;
}

/* Opens it; the text counts instead, the note says so with WORD, and all is as ever. */
static inline void expect_text(const char *word)
{
    struct tg_diags diags = {0};
    char *note;
    tg_policy *policy = tg_policy_open(path, &diags, &note);

    assert_non_null(policy);
    assert_false(tg_policy_is_compiled(policy));
    if (note == NULL || strstr(note, word) == NULL)
        fail_msg("the note is \"%s\", without \"%s\"", note, word);
    assert_int_equal(ask(policy), 0);
    tg_policy_free(policy);
    free(note);
}

static inline tg_policy *expect_image(void)
{
    struct tg_diags diags = {0};
    char *note;
    tg_policy *policy = tg_policy_open(path, &diags, &note);

    assert_non_null(policy);
    if (note != NULL)
        fail_msg("%s", note);
    assert_true(tg_policy_is_compiled(policy));
    return policy;
}

#endif
