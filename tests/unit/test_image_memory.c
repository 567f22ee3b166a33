/*
 * What a process does with an image when it has no memory: each answer is right or a refusal, and
 * once there is memory all are right. And that it keeps no more than so much of one.
 */
#include "countdown.h"
#include "images.h"
#include "process.h"
#include <time.h>

enum { MANY = 2100 }; /* hosts: more, with their patterns, than a process keeps */

#if OWN_ALLOCATOR
static void test_it_is_opened_whole_or_not_at_all(void **state)
{
    long refused = 0;
    bool done = false;

    (void)state;
    compile();
    for (long number = 1; !done; number++) {
        tg_policy *policy;
        char *note;

        countdown = number;
        policy = tg_compiled_open(path, &note);
        done = countdown > 0;
        countdown = 0;
        refused += policy == NULL;
        assert_true(policy != NULL || !done);
        if (policy != NULL)
            assert_int_equal(ask(policy), 0);
        tg_policy_free(policy);
        free(note);
    }
    assert_true(refused > 10);
}

static void test_what_cannot_be_told_is_refused_and_told_later(void **state)
{
    int refused = 0;
    bool done = false;

    (void)state;
    compile();
    for (long number = 1; !done; number++) {
        tg_policy *policy = expect_image();

        countdown = number;
        refused += ask(policy);
        done = countdown > 0;
        countdown = 0;
        assert_int_equal(ask(policy), 0);
        tg_policy_free(policy);
    }
    assert_true(refused > 50);
}

static void test_no_line_of_known_hosts_is_missed(void **state)
{
    char name[80];
    int unsaid = 0;
    bool done = false;

    (void)state;
    compile();
    (void)snprintf(name, sizeof name, "%s/known", work);
    for (long number = 1; !done; number++) {
        struct tg_diags diags = {0};
        char *note;
        struct tg_known *image = tg_known_open(name, &diags, &note);
        const struct tg_known_entry *entry;

        assert_non_null(image);
        countdown = number;
        entry = tg_known_find(image, "b.test", 8443);
        done = countdown > 0;
        countdown = 0;
        unsaid += tg_known_damaged(entry);
        assert_non_null(entry);
        assert_int_equal(tg_known_find(image, "b.test", 8443)->line, 2);
        tg_known_free(image);
    }
    assert_true(unsaid > 0);
}
#endif

/* ---- what is kept --------------------------------------------------------------------------- */

static void compile_many(const char *setting)
{
    FILE *out;

    shell("rm -rf *");
    out = fopen("policy.conf", "we");
    assert_non_null(out);
    assert_true(fprintf(out, "[policy]\n%s\n", setting) > 0);
    for (int i = 0; i < MANY; i++)
        assert_true(fprintf(out, "[host h%d.test]\naction = reject\n", i) > 0);
    assert_int_equal(fclose(out), 0);
    shell("%s compile -p policy.conf >out 2>&1", command);
}

static void ask_for_many(const tg_policy *policy)
{
    for (int i = 0; i < MANY; i++) {
        char host[32];
        struct tg_match match;

        (void)snprintf(host, sizeof host, "h%d.test", i);
        match = tg_policy_match(policy, host, 443, NULL);
        assert_int_equal(match.kind, TG_MATCH_RULE);
        assert_int_equal(match.rule->where.line, 3 + 2 * i);
    }
}

/* Even where no new version is read. */
static void test_who_met_very_many_hosts_begins_anew(void **state)
{
    const tg_policy *first = NULL;
    bool renewed = false;

    (void)state;
    compile_many("reload = no");
    assert_int_equal(setenv("TRUSTGRAFT_POLICY", path, 1), 0);
    for (int i = 0; i < 1200 && !renewed; i++) {
        int cancel;
        const struct tg_process *process = tg_process_enter(&cancel);

        assert_non_null(process->policy);
        assert_true(tg_policy_is_compiled(process->policy));
        renewed = first != NULL && !tg_policy_is_full(process->policy);
        if (first == NULL)
            assert_false(tg_policy_is_full(process->policy));
        if (first == NULL || renewed)
            ask_for_many(process->policy);
        assert_true(tg_policy_is_full(process->policy));
        first = process->policy;
        tg_process_leave(process, cancel);
        if (!renewed)
            nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    assert_true(renewed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#if OWN_ALLOCATOR
        cmocka_unit_test(test_it_is_opened_whole_or_not_at_all),
        cmocka_unit_test(test_what_cannot_be_told_is_refused_and_told_later),
        cmocka_unit_test(test_no_line_of_known_hosts_is_missed),
#endif
        cmocka_unit_test(test_who_met_very_many_hosts_begins_anew),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
