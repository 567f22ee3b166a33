/*
 * fuzz_policy.c - any bytes as a policy file: loaded or refused with diagnostics that a terminal
 * can show, and what was loaded answers every question. With clang's libFuzzer
 * (-fsanitize=fuzzer,address,undefined), or replayed by replay.c.
 */
#include "lint.h"
#include "load.h"
#include "match.h"
#include "pattern.h"
#include "program.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[] = "/tmp/fuzz_policy-XXXXXX";

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_policy: %s\n", what);
    abort();
}

#define REQUIRE(condition) require(condition, #condition)

static FILE *create(const char *name)
{
    char path[64];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    umask(077);
    file = fopen(path, "w");
    REQUIRE(file != NULL);
    return file;
}

static void remove_files(void)
{
    static const char *const names[] = {"policy.conf", "more.conf", "ca.pem", ""};
    char path[64];
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        remove(path);
    }
}

/* Inputs may name ca.pem and include more.conf. */
static void make_files(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *ca = X509_new();
    FILE *file;

    REQUIRE(mkdtemp(directory) != NULL);
    atexit(remove_files);
    REQUIRE(ca && key && X509_set_pubkey(ca, key));
    REQUIRE(X509_gmtime_adj(X509_getm_notBefore(ca), 0) != NULL);
    REQUIRE(X509_gmtime_adj(X509_getm_notAfter(ca), 3600) != NULL);
    REQUIRE(X509_sign(ca, key, EVP_sha256()) > 0);
    file = create("ca.pem");
    REQUIRE(PEM_write_X509(file, ca) && fclose(file) == 0);
    file = create("more.conf");
    REQUIRE(fputs("[host *.included.example]\naction = pass\n", file) >= 0 && fclose(file) == 0);
    X509_free(ca);
    EVP_PKEY_free(key);
}

static void check_text(const char *text, bool newlines)
{
    for (; *text; text++)
        REQUIRE((*text >= ' ' || (unsigned char)*text >= 0x80 || (newlines && *text == '\n')) &&
                *text != 0x7F);
}

static void check_diags(const struct tg_diags *diags)
{
    char *text = tg_diags_text(diags), *summary = tg_diags_summary(diags);
    size_t i;

    REQUIRE(text && summary);
    check_text(text, true);
    check_text(summary, false);
    for (i = 0; i < diags->count; i++) {
        const struct tg_diag *diag = &diags->diag[i];

        check_text(diag->text, false);
        if (!diag->source)
            continue;
        check_text(diag->source, false);
        REQUIRE(diag->caret <= strlen(diag->source));
    }
    free(text);
    free(summary);
}

struct seen {
    const struct tg_match *match;
    unsigned applied;
};

static void see(void *arg, const struct tg_rule *rule, const char *pattern, const char *why)
{
    struct seen *seen = arg;

    check_text(why, false);
    if (strcmp(why, "applies") != 0)
        return;
    seen->applied++;
    REQUIRE(rule == seen->match->rule && strcmp(pattern, seen->match->pattern) == 0);
}

static void ask(const tg_policy *policy, const char *host, unsigned port, const char *program)
{
    struct tg_match match = tg_policy_match(policy, host, port, program);
    struct seen seen = {&match, 0};

    tg_policy_explain(policy, host, port, program, see, &seen);
    REQUIRE(seen.applied == (match.kind == TG_MATCH_RULE));
    if (match.kind == TG_MATCH_RULE)
        REQUIRE(tg_rule_covers_program(match.rule, program));
    if (match.kind == TG_MATCH_UNKNOWN)
        REQUIRE(host == NULL || *host == '\0' || port == 0 || program == NULL);
}

/* A connection to the host that TEXT means has some rule, that one or one of a higher rank. */
static void check_pattern(const tg_policy *policy, const struct tg_rule *rule, const char *text)
{
    struct tg_pattern pattern;
    struct tg_arena *arena = tg_arena_new();
    const char *program = rule->programs.count > 0 ? rule->programs.word[0] : "/bin/x";
    size_t column;

    REQUIRE(arena && !tg_pattern_parse(arena, text, &pattern, &column));
    tg_arena_free(arena);
    if (pattern.kind == TG_PATTERN_NAME && rule->programs.count == 0)
        REQUIRE(
            tg_policy_match(policy, pattern.name, pattern.port ? pattern.port : 1, program).kind ==
            TG_MATCH_RULE);
    ask(policy, pattern.name, pattern.port, program);
    ask(policy, pattern.name, 443, NULL);
    ask(policy, text, 0, program);
}

static void check_policy(const tg_policy *policy)
{
    struct tg_diags diags = {0};
    time_t until;
    size_t i;

    for (i = 0; i < policy->rule_count && i < 100; i++)
        check_pattern(policy, policy->rules[i], policy->rules[i]->patterns.word[0]);
    for (i = 0; i < policy->exception_count; i++) {
        const struct tg_exception *exception = &policy->exceptions[i];

        REQUIRE(tg_policy_forgiven(policy, exception->host, exception->port ? exception->port : 1,
                                   exception->leaf, 0, &until) != 0);
    }
    ask(policy, NULL, 443, "/usr/bin/curl");
    ask(policy, "2001:db8::1", 443, "/usr/bin/curl");
    tg_policy_lint(policy, 1800000000, &diags);
    REQUIRE(diags.errors == 0);
    check_diags(&diags);
    tg_diags_clear(&diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    struct tg_diags diags = {0};
    tg_policy *policy;
    char path[64];
    FILE *file;

    if (!ready)
        make_files();
    ready = true;
    snprintf(path, sizeof path, "%s/policy.conf", directory);
    file = create("policy.conf");
    REQUIRE(fwrite(data, 1, size, file) == size && fclose(file) == 0);
    policy = tg_policy_parse(path, &diags);
    REQUIRE((policy == NULL) == tg_diags_failed(&diags));
    check_diags(&diags);
    if (policy)
        check_policy(policy);
    tg_policy_free(policy);
    tg_diags_clear(&diags);
    return 0;
}
