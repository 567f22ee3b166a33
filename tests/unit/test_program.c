/* test_program.c - which executables a `program` word means, and when two words may meet. */
#include "program.h"
#include "rules.h"
#include "trustgraft.h"
#include <fnmatch.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ELEMENTS_64 "????????????????????????????????????????????????????????????????"
#define ELEMENTS_1024                                                                              \
    ELEMENTS_64 ELEMENTS_64 ELEMENTS_64 ELEMENTS_64 ELEMENTS_64 ELEMENTS_64 ELEMENTS_64            \
        ELEMENTS_64 ELEMENTS_64 ELEMENTS_64 ELEMENTS_64 ELEMENTS_64 ELEMENTS_64 ELEMENTS_64        \
            ELEMENTS_64 ELEMENTS_64

static const struct {
    const char *word, *path;
    bool covers;
} coverings[] = {
    {"curl", "/usr/bin/curl", true},
    {"curl", "/usr/local/bin/curl", true},
    {"curl", "/usr/bin/curl7", false},
    {"curl", "/usr/bin/xcurl", false},
    {"curl", "/curl/python3", false},
    {"/usr/bin/curl", "/usr/bin/curl", true},
    {"/usr/bin/curl", "/usr/local/bin/curl", false},
    {"/usr/bin/curl", "/usr/bin/curl/x", false},
    {"python3*", "/usr/bin/python3.11", true},
    {"python3*", "/usr/bin/python3", true},
    {"python3*", "/usr/bin/python2.7", false},
    {"python?", "/usr/bin/python3", true},
    {"python?", "/usr/bin/python", false},
    {"python[23]", "/usr/bin/python3", true},
    {"python[23]", "/usr/bin/python4", false},
    {"python[!23]", "/usr/bin/python4", true},
    {"python[^23]", "/usr/bin/python3", false},
    {"python[0-9]", "/usr/bin/python3", true},
    {"python[0-9]", "/usr/bin/pythonx", false},
    {"x[]a]", "/bin/x]", true},
    {"x[!]a]", "/bin/x]", false},
    {"x[a-]", "/bin/x-", true},
    {"x[[]", "/bin/x[", true},
    {"*", "/usr/bin/curl", true},
    {"*url*", "/usr/bin/curl", true},
    {"*a*b*c", "/bin/xaxbxbxc", true},
    {"*a*b*c", "/bin/xaxbxbxd", false},
    {"/usr/bin/*", "/usr/bin/curl", true},
    {"/usr/*", "/usr/bin/curl", false},
    {"/usr/*/curl", "/usr/bin/curl", true},
    {"/usr/*/curl", "/usr/local/bin/curl", false},
    {"/usr?bin", "/usr/bin", false},
    {"/usr[/]bin", "/usr/bin", false},
    {"/usr[!a]bin", "/usr/bin", false},
    {"/*/*/c*l", "/usr/bin/curl", true},
    {"/*/b*/cur", "/usr/bin/curl", false},
    {"back\\*", "/bin/back\\slash", true},
    {"gr\xC3\xBC?e",
     "/bin/gr\xC3\xBC\xC3\x9F"
     "e",
     true},
    {"gr?\xC3\x9F"
     "e",
     "/bin/gr\xC3\xBC\xC3\x9F"
     "e",
     true},
    {"[\xC3\xA4-\xC3\xBC]", "/bin/\xC3\xB6", true},
    {"a?b",
     "/bin/a\xFF"
     "b",
     true},
    {"a*", "/bin/a\xFF\xFE", true},
};

static void test_words_cover_programs(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof coverings / sizeof *coverings; i++)
        if (tg_program_covers(coverings[i].word, coverings[i].path) != coverings[i].covers)
            fail_msg("%s and %s", coverings[i].word, coverings[i].path);
}

static void test_rule_covers_any_of_its_words_and_realpaths(void **state)
{
    struct tg_arena *arena = tg_arena_new();
    struct tg_rule rule = {.programs = rules_words(arena, "/usr/bin/python3 node*"),
                           .realpaths = rules_words(arena, "/usr/bin/python3.11")};
    const struct tg_rule any = {0};

    (void)state;
    assert_true(tg_rule_covers_program(&rule, "/usr/bin/python3"));
    assert_true(tg_rule_covers_program(&rule, "/usr/bin/python3.11"));
    assert_true(tg_rule_covers_program(&rule, "/opt/node/bin/node20"));
    assert_false(tg_rule_covers_program(&rule, "/opt/python3.11"));
    assert_false(tg_rule_covers_program(&rule, NULL));
    assert_true(tg_rule_covers_program(&any, "/usr/bin/curl"));
    assert_true(tg_rule_covers_program(&any, NULL));
    tg_arena_free(arena);
}

static void test_words_overlap(void **state)
{
    static const struct {
        const char *one, *other;
        bool overlap;
    } cases[] = {
        {"curl", "curl", true},
        {"curl", "wget", false},
        {"/usr/bin/curl", "/usr/bin/curl", true},
        {"/usr/bin/curl", "/opt/curl", false},
        {"curl", "/usr/bin/curl", true},
        {"curl", "/usr/bin/wget", false},
        {"python3*", "python3.11", true},
        {"python3*", "python2", false},
        {"python3*", "/usr/bin/python3.11", true},
        {"python3*", "/usr/bin/curl", false},
        {"/usr/bin/*", "/usr/bin/curl", true},
        {"/usr/bin/*", "/opt/curl", false},
        {"/usr/bin/c*", "curl", true},
        {"/usr/bin/c*", "wget", false},
        {"/usr/*/curl", "/*/bin/curl", true},
        {"/usr/*", "/usr/bin/*", false},
        {"/opt/*", "/usr/*", false},
        {"/opt/py*", "*3", true},
        {"/opt/py*", "node*", false},
        {"a*c", "*b*", true},
        {"a*c", "*d", false},
        {"a?c", "abc", true},
        {"a?c", "ab*d", false},
        {"a[bc]d", "a[de]d", true}, /* a bracket counts as ?: doubtful is overlapping */
        {"a[bc]d", "aed", false},
        {"*", "curl", true},
        {"*a", "*b", false},
        {"a*", "b*", false},
        {"**", "*", true},
        {ELEMENTS_1024 "b*", "a*", true}, /* too long to tell */
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        if (tg_program_overlap(cases[i].one, cases[i].other) != cases[i].overlap ||
            tg_program_overlap(cases[i].other, cases[i].one) != cases[i].overlap)
            fail_msg("%s and %s", cases[i].one, cases[i].other);
}

static void test_faults(void **state)
{
    static const struct {
        const char *word, *says; /* NULL: it is fine */
    } cases[] = {
        {"curl", NULL},
        {"/usr/bin/curl", NULL},
        {"/opt/*/bin/py[23]*", NULL},
        {"x[[]", NULL},
        {"x[]]", NULL},
        {"x]", NULL},
        {"", "no program"},
        {"bin/curl", "relative path"},
        {"./curl", "relative path"},
        {"*/curl", "relative path"},
        {"/usr/bin/", "directory"},
        {"/", "directory"},
        {"x[", "without its ]"},
        {"x[]", "without its ]"},
        {"x[!]", "without its ]"},
        {"x[ab", "without its ]"},
        {"/usr[/]bin", "without its ]"},
        {"x[[:digit:]]", "write [0-9]"},
        {"/" ELEMENTS_1024 ELEMENTS_1024 ELEMENTS_1024 ELEMENTS_1024, "longer than a path"},
    };
    struct tg_arena *arena = tg_arena_new();
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *fault = tg_program_fault(arena, cases[i].word);

        if ((fault != NULL) != (cases[i].says != NULL) || (fault && !strstr(fault, cases[i].says)))
            fail_msg("%s: %s", cases[i].word, fault ? fault : "accepted");
    }
    tg_arena_free(arena);
}

/* A word or path of up to 6 characters of FROM, behind a slash if PATH. */
static void make_word(char *out, const char *from, bool path)
{
    size_t length = 1 + rules_random(6), i;

    if (path)
        *out++ = '/';
    for (i = 0; i < length; i++)
        *out++ = from[rules_random((unsigned)strlen(from))];
    *out = '\0';
}

/* In the C locale fnmatch(3) says the same of ASCII. */
static void test_globs_agree_with_fnmatch(void **state)
{
    static const struct {
        const char *glob, *path;
    } letters[] = {{"aab*?/", "aab/b-"}, {"ab[b]a-!*", "ab-]!["}};
    struct tg_arena *arena = tg_arena_new();
    char glob[16], path[16];
    size_t i;

    (void)state;
    setlocale(LC_ALL, "C");
    for (i = 0; i < 200000; i++) {
        make_word(glob, letters[i % 2].glob, true);
        make_word(path, letters[i % 2].path, true);
        if (!tg_program_fault(arena, glob) &&
            tg_program_covers(glob, path) != (fnmatch(glob, path, FNM_PATHNAME) == 0))
            fail_msg("%s and %s", glob, path);
    }
    tg_arena_free(arena);
}

/* What both cover proves that they overlap. */
static void test_no_overlap_is_missed(void **state)
{
    char one[16], other[16], path[16];
    int i, met = 0;

    (void)state;
    for (i = 0; i < 1000000; i++) {
        make_word(one, "ab*?/", rules_random(2));
        make_word(other, "ab*?/", rules_random(2));
        make_word(path, "ab/", true);
        if (!tg_program_covers(one, path) || !tg_program_covers(other, path))
            continue;
        met++;
        if (!tg_program_overlap(one, other))
            fail_msg("%s and %s both cover %s", one, other, path);
    }
    assert_true(met > 1000);
}

#define REJECTING "[host api.example.test]\naction = reject\nprogram = %s\n"

/* 0 if an evaluation by this program, whose executable is gone, heeds the rule for PATH. */
static int judge_deleted(const char *path, const char *policy_path)
{
    FILE *file = fopen(policy_path, "w");
    tg_policy *policy = NULL;
    tg_trust *trust = NULL;
    X509 *leaf = X509_new();
    tg_result result = TG_RESULT_PROCEED;

    if (unlink(path) != 0 || file == NULL || fprintf(file, REJECTING, path) < 0 ||
        fclose(file) != 0)
        return 2;
    policy = tg_policy_load(policy_path, NULL);
    trust = tg_trust_new(leaf, NULL);
    if (policy != NULL && trust != NULL && tg_trust_set_host(trust, "api.example.test", 443) &&
        tg_trust_set_policy(trust, policy, NULL))
        result = tg_trust_evaluate(trust);
    tg_trust_free(trust);
    tg_policy_free(policy);
    X509_free(leaf);
    (void)unlink(policy_path);
    return result == TG_RESULT_DENY ? 0 : 1;
}

static void test_a_deleted_executable_keeps_its_name(void **state)
{
    char folder[] = "/tmp/trustgraft-program-XXXXXX", self[512], command[2048];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    int status = -1;
    pid_t child;

    (void)state;
    assert_true(length > 0);
    self[length] = '\0'; /* another program would find the emulator's at /proc/PID/exe */
    assert_non_null(mkdtemp(folder));
    (void)snprintf(command, sizeof(command),
                   "cp '%s' %s/self && %s/self %s/self %s/policy.conf; "
                   "code=$?; rm -r %s; exit $code",
                   self, folder, folder, folder, folder, folder);
    child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_cover_programs),
        cmocka_unit_test(test_rule_covers_any_of_its_words_and_realpaths),
        cmocka_unit_test(test_words_overlap),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_globs_agree_with_fnmatch),
        cmocka_unit_test(test_no_overlap_is_missed),
        cmocka_unit_test(test_a_deleted_executable_keeps_its_name),
    };

    if (argc == 3)
        return judge_deleted(argv[1], argv[2]);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
