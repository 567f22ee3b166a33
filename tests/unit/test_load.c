/* Loading a policy: the public calls, and the bounds of time and of what is reported. */
#include "diag.h"
#include "folder.h"
#include "holding.h"
#include "load.h"
#include "match.h"
#include "pki.h"
#include "policy.h"
#include <openssl/err.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { HOSTS = 20000, MEGABYTE = 1 << 20, THREE_MEGABYTE = 3 << 20, EIGHT_MEGABYTE = 8 << 20 };

static char work[] = "/tmp/tg-load.XXXXXX";

static void put(const char *path, const char *text)
{
    FILE *out = fopen(path, "we");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static tg_policy *parse(const char *text)
{
    struct tg_diags diags = {0};
    tg_policy *policy;

    put("policy.conf", text);
    policy = tg_policy_parse("policy.conf", &diags);
    assert_true((policy == NULL) == tg_diags_failed(&diags));
    tg_diags_clear(&diags);
    return policy;
}

static void a_valid_policy_loads_without_words(void **state)
{
    char *errors = (char *)"untouched";
    tg_policy *policy;

    (void)state;
    put("policy.conf", "[host a.example]\nstrict = yes\n");
    policy = tg_policy_load("policy.conf", &errors);
    assert_non_null(policy);
    assert_string_equal(errors, "untouched");
    tg_policy_free(policy);
    tg_policy_free(NULL);
}

static void an_invalid_policy_is_refused_with_all_errors(void **state)
{
    char *errors = NULL;

    (void)state;
    put("policy.conf", "[host a.example]\nstrict = perhaps\nprogam = curl\n");
    assert_null(tg_policy_load("policy.conf", NULL));
    assert_null(tg_policy_load("policy.conf", &errors));
    assert_non_null(errors);
    assert_non_null(strstr(errors, "policy.conf:2:10: error: strict: \"perhaps\" is neither yes "
                                   "nor no, in [host a.example]\n  strict = perhaps\n           "
                                   "^\n"));
    assert_non_null(strstr(errors, "policy.conf:3:1: error: unknown key \"progam\", in "
                                   "[host a.example] (did you mean program?)\n"));
    free(errors);
}

static void a_missing_policy_is_an_error(void **state)
{
    char *errors = NULL;

    (void)state;
    assert_null(tg_policy_load("missing.conf", &errors));
    assert_string_equal(errors, "missing.conf: error: No such file or directory\n");
    free(errors);
    errors = NULL;
    assert_null(tg_policy_load("", &errors));
    assert_non_null(errors);
    free(errors);
}

static void a_policy_that_others_can_write_is_an_error(void **state)
{
    char *errors = NULL;

    (void)state;
    put("open.conf", "[host a.example]\n");
    assert_int_equal(chmod("open.conf", 0664), 0);
    assert_null(tg_policy_load("open.conf", &errors));
    assert_string_equal(errors, "open.conf: error: is writable by group (mode 0664): chmod g-w\n");
    free(errors);
    assert_int_equal(chmod("open.conf", 0644), 0);
    tg_policy_free(tg_policy_load("open.conf", NULL));
}

static void a_directory_of_drop_ins_that_others_can_write_is_an_error(void **state)
{
    char *errors = NULL;

    (void)state;
    assert_int_equal(mkdir("drop-ins", 0755), 0);
    put("drop-ins/one.conf", "[host a.example]\naction = reject\n");
    put("dropped.conf", "[policy]\ninclude = drop-ins/*.conf, absent/*.conf\n");
    tg_policy_free(tg_policy_load("dropped.conf", &errors));
    assert_null(errors);
    assert_int_equal(chmod("drop-ins", 01777), 0);
    assert_null(tg_policy_load("dropped.conf", &errors));
    assert_non_null(strstr(errors, "dropped.conf:2:11: error: drop-ins/*.conf: its directory: is "
                                   "writable by group and others (mode 1777): chmod go-w"));
    free(errors);
}

static void errors_are_added_to_those_there_are(void **state)
{
    struct tg_diags diags = {0};
    tg_policy *policy;

    (void)state;
    tg_diag_add(&diags, TG_ERROR, "earlier", 0, 0, NULL, "something else");
    put("policy.conf", "[host a.example]\n");
    policy = tg_policy_parse("policy.conf", &diags);
    assert_non_null(policy); /* none of its own */
    assert_int_equal(diags.count, 1);
    tg_policy_free(policy);
    tg_diags_clear(&diags);
}

static void a_reference_keeps_a_policy(void **state)
{
    tg_policy *policy = parse("[host a.example]\nanchors = root.pem\n");

    (void)state;
    assert_non_null(policy);
    assert_ptr_equal(tg_policy_ref(policy), policy);
    tg_policy_free(policy);
    assert_int_equal(tg_holding_count(policy->rules[0]->anchors), 1);
    tg_policy_free(policy);
}

static void *take_and_drop(void *policy)
{
    int i;

    for (i = 0; i < 20000; i++)
        tg_policy_free(tg_policy_ref(policy));
    return NULL;
}

static void references_are_counted_across_threads(void **state)
{
    tg_policy *policy = parse("[host a.example]\n");
    pthread_t threads[4];
    size_t i;

    (void)state;
    assert_non_null(policy);
    for (i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_drop, policy), 0);
    for (i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(policy->references, 1);
    tg_policy_free(policy);
}

static void the_path_is_made_absolute(void **state)
{
    tg_policy *policy = parse("[host a.example]\n");
    char expected[4096];

    (void)state;
    assert_non_null(policy);
    snprintf(expected, sizeof expected, "%s/policy.conf", work);
    assert_string_equal(policy->file, expected);
    assert_string_equal(policy->rules[0]->where.file, "policy.conf");
    tg_policy_free(policy);
    policy = tg_policy_load(expected, NULL);
    assert_non_null(policy);
    assert_string_equal(policy->file, expected);
    tg_policy_free(policy);
}

static void one_file_is_shared_by_all_that_name_it(void **state)
{
    tg_policy *policy = parse("[profile p]\nanchors = root.pem\n"
                              "[host a.example]\nprofile = p\n[host b.example]\nprofile = p\n"
                              "[host c.example]\nanchors = ./root.pem, root.pem\n"
                              "[host d.example]\nintermediates = root.pem\n");

    (void)state;
    assert_non_null(policy);
    assert_ptr_equal(policy->rules[0]->anchors, policy->rules[1]->anchors);
    assert_ptr_equal(policy->rules[0]->anchors, policy->rules[3]->intermediates);
    assert_ptr_not_equal(policy->rules[0]->anchors, policy->rules[2]->anchors);
    assert_ptr_equal(tg_holding_get(policy->rules[0]->anchors, 0),
                     tg_holding_get(policy->rules[2]->anchors, 1));
    tg_policy_free(policy);
}

static void a_program_is_known_by_where_its_path_leads(void **state)
{
    char path[4096], text[8192], *real;
    tg_policy *policy;

    (void)state;
    assert_int_equal(symlink("/bin/sh", "shell"), 0);
    real = realpath("/bin/sh", NULL);
    assert_non_null(real);
    snprintf(path, sizeof path, "%s/shell", work);
    snprintf(text, sizeof text, "[host a.example]\nprogram = %s, sh, /no/such/program, /bin/s*\n",
             path);
    policy = parse(text);
    assert_non_null(policy);
    assert_int_equal(policy->rules[0]->programs.count, 4);
    assert_int_equal(policy->rules[0]->realpaths.count, 1);
    assert_string_equal(policy->rules[0]->realpaths.word[0], real);
    tg_policy_free(policy);
    free(real);
}

static void the_rules_can_be_found(void **state)
{
    tg_policy *policy = parse("[host a.example]\n[host *.example]\naction = reject\n");
    struct tg_match match;

    (void)state;
    assert_non_null(policy);
    match = tg_policy_match(policy, "A.EXAMPLE.", 443, NULL);
    assert_ptr_equal(match.rule, policy->rules[0]);
    match = tg_policy_match(policy, "b.a.example", 443, NULL);
    assert_ptr_equal(match.rule, policy->rules[1]);
    match = tg_policy_match(policy, "example", 443, NULL);
    assert_null(match.rule);
    tg_policy_free(policy);
}

/* What HEAD and COUNT times UNIT say; the time it takes is part of the test's own. */
static void assert_bounded(const char *head, const char *unit, size_t count, size_t least,
                           size_t most)
{
    size_t length = strlen(unit), start = strlen(head), i;
    char *text = malloc(start + count * length + 1);
    struct tg_diags diags = {0};

    assert_non_null(text);
    memcpy(text, head, start + 1);
    for (i = 0; i < count; i++)
        memcpy(text + start + i * length, unit, length + 1);
    put("long.conf", text);
    free(text);
    tg_policy_free(tg_policy_parse("long.conf", &diags));
    assert_in_range(diags.errors, least, most);
    for (i = 0; i < diags.count; i++)
        assert_true(strlen(diags.diag[i].source) < 1000 && strlen(diags.diag[i].text) < 1200);
    tg_diags_clear(&diags);
}

static void long_lines_and_many_errors_are_bounded(void **state)
{
    (void)state;
    assert_bounded("# ", "x", EIGHT_MEGABYTE, 0, 0);
    assert_bounded("[host a.example]\nprogram = ", "x", EIGHT_MEGABYTE, 1, 1);
    assert_bounded("[host a.example]\nprogram = x", ",x", MEGABYTE, 0, 0);
    assert_bounded("[host a.example]\nprogram = x", ", x/y", MEGABYTE / 4, MEGABYTE / 4,
                   MEGABYTE / 4);
    assert_bounded("[host a.example]\nprogram = x", ",", MEGABYTE, 1, 1);
    assert_bounded("[host a.example]\nprogram = \"", "\\\"", MEGABYTE, 1, 1);
    assert_bounded("[host", " [", MEGABYTE, MEGABYTE, MEGABYTE + 1);
    assert_bounded("", "[host\n", MEGABYTE, TG_DIAGS_KEPT, TG_DIAGS_KEPT + 1);
    assert_bounded("", "x\n", MEGABYTE, TG_DIAGS_KEPT, TG_DIAGS_KEPT + 1);
    assert_bounded("", "\n", EIGHT_MEGABYTE, 0, 0);
    assert_bounded("[host a.example]\nprogram = x", ",x", THREE_MEGABYTE, 1, 1); /* too many */
}

static void many_hosts_load(void **state)
{
    FILE *out = fopen("many.conf", "we");
    tg_policy *policy;
    int i;

    (void)state;
    assert_non_null(out);
    fputs("[profile p]\nanchors = root.pem\n", out);
    for (i = 0; i < HOSTS; i++)
        fprintf(out, "[host h%d.example *.w%d.example:443]\nprofile = p\n", i, i);
    assert_int_equal(fclose(out), 0);
    policy = tg_policy_load("many.conf", NULL);
    assert_non_null(policy);
    assert_int_equal(policy->rule_count, HOSTS);
    assert_int_equal(policy->holding_count, 1);
    assert_ptr_equal(tg_policy_match(policy, "x.w19999.example", 443, NULL).rule,
                     policy->rules[HOSTS - 1]);
    tg_policy_free(policy);
}

static void a_long_chain_of_profiles_needs_no_stack(void **state)
{
    FILE *out = fopen("chain.conf", "we");
    tg_policy *policy;
    int i;

    (void)state;
    assert_non_null(out);
    fputs("[host a.example]\nprofile = p0\n", out);
    for (i = 0; i < HOSTS; i++)
        fprintf(out, "[profile p%d]\nprofile = p%d\n", i, i + 1);
    fprintf(out, "[profile p%d]\nstrict = yes\n", HOSTS);
    assert_int_equal(fclose(out), 0);
    policy = tg_policy_load("chain.conf", NULL);
    assert_non_null(policy);
    assert_true(policy->rules[0]->strict);
    tg_policy_free(policy);
}

static void the_callers_error_queue_is_left_alone(void **state)
{
    tg_policy *policy;

    (void)state;
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 42);
    policy = parse("[host a.example]\nanchors = root.pem\nleaf-pin = root.pem\n");
    assert_non_null(policy);
    tg_policy_free(policy);
    assert_null(parse("[host a.example]\nanchors = policy.conf\nleaf-pin = policy.conf\n"));
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
    assert_int_equal(ERR_get_error(), 0);
}

static int set_up(void **state)
{
    char root[4096], *absolute = realpath(pki_path("root.pem"), NULL);

    (void)state;
    if (!absolute || !mkdtemp(work) || chdir(work) != 0)
        return -1;
    umask(022);
    snprintf(root, sizeof root, "%s", absolute);
    free(absolute);
    return symlink(root, "root.pem");
}

static int tear_down(void **state)
{
    (void)state;
    return folder_remove(work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_valid_policy_loads_without_words),
        cmocka_unit_test(an_invalid_policy_is_refused_with_all_errors),
        cmocka_unit_test(a_missing_policy_is_an_error),
        cmocka_unit_test(a_policy_that_others_can_write_is_an_error),
        cmocka_unit_test(a_directory_of_drop_ins_that_others_can_write_is_an_error),
        cmocka_unit_test(errors_are_added_to_those_there_are),
        cmocka_unit_test(a_reference_keeps_a_policy),
        cmocka_unit_test(references_are_counted_across_threads),
        cmocka_unit_test(the_path_is_made_absolute),
        cmocka_unit_test(one_file_is_shared_by_all_that_name_it),
        cmocka_unit_test(a_program_is_known_by_where_its_path_leads),
        cmocka_unit_test(the_rules_can_be_found),
        cmocka_unit_test(long_lines_and_many_errors_are_bounded),
        cmocka_unit_test(many_hosts_load),
        cmocka_unit_test(a_long_chain_of_profiles_needs_no_stack),
        cmocka_unit_test(the_callers_error_queue_is_left_alone),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
