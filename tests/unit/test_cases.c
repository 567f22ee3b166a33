/* test_cases.c - tests/match/: policies as they are written, and which of their rules apply. */
#include "load.h"
#include "match.h"
#include "rules.h"
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_SIZE = 512 };

/* Writes what stands before "==" to a file that nobody else can write, and loads it. */
static tg_policy *load(FILE *cases)
{
    char path[] = "/tmp/test_cases-XXXXXX", line[LINE_SIZE];
    struct tg_diags diags = {0};
    tg_policy *policy;
    FILE *copy = fdopen(mkstemp(path), "w");

    assert_non_null(copy);
    while (fgets(line, sizeof line, cases) && strcmp(line, "==\n") != 0)
        assert_true(fputs(line, copy) >= 0);
    assert_int_equal(fclose(copy), 0);
    policy = tg_policy_parse(path, &diags);
    unlink(path);
    if (!policy) {
        char *text = tg_diags_text(&diags);

        print_error("%s", text ? text : "memory ran out\n");
        free(text);
    }
    tg_diags_clear(&diags);
    return policy;
}

/* "unmatched", or the rule's hostname, behind "unknown:" where it may be another. */
static void tell(const struct tg_match *match, char out[LINE_SIZE])
{
    const char *name = "unmatched";

    if (match->kind != TG_MATCH_UNMATCHED)
        name = match->rule->hostnames.word[0];
    snprintf(out, LINE_SIZE, "%s%s", match->kind == TG_MATCH_UNKNOWN ? "unknown:" : "", name);
}

/* Returns how many lookups of CASES failed; counts them all in *COUNT. */
static int look_up(const tg_policy *policy, const char *path, FILE *cases, int *count)
{
    char line[LINE_SIZE], host[LINE_SIZE], port[LINE_SIZE], program[LINE_SIZE], want[LINE_SIZE];
    char got[LINE_SIZE];
    int failed = 0;

    while (fgets(line, sizeof line, cases)) {
        struct tg_match match;

        if (line[0] == '#' || line[0] == '\n')
            continue;
        assert_int_equal(sscanf(line, "%511s %511s %511s %511s", host, port, program, want), 4);
        match = tg_policy_match(policy, strcmp(host, "-") == 0 ? NULL : host,
                                (unsigned)strtoul(port, NULL, 10),
                                strcmp(program, "-") == 0 ? NULL : program);
        tell(&match, got);
        ++*count;
        if (strcmp(got, want) == 0)
            continue;
        failed++;
        print_error("%s: %s instead at %s", path, got, line);
    }
    return failed;
}

static void run_file(const char *path)
{
    FILE *cases = fopen(path, "r");
    tg_policy *policy;
    int count = 0;

    assert_non_null(cases);
    policy = load(cases);
    assert_non_null(policy);
    assert_int_equal(look_up(policy, path, cases, &count), 0);
    assert_true(count > 0);
    tg_policy_free(policy);
    fclose(cases);
}

static void test_the_rules_of_tests_match_apply(void **state)
{
    const char *source = getenv("TG_SRC");
    char pattern[4096];
    glob_t files;
    size_t i;

    (void)state;
    snprintf(pattern, sizeof pattern, "%s/tests/match/*.txt", source ? source : ".");
    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    for (i = 0; i < files.gl_pathc; i++)
        run_file(files.gl_pathv[i]);
    globfree(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_rules_of_tests_match_apply),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
