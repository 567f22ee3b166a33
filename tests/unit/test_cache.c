/* The verdicts that are kept: found again under the policy that gave them, which they don't hold.
 */
#include "cache.h"
#include "folder.h"
#include "load.h"
#include "pki.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HOST "api.example.test"

static tg_policy *read_policy(void)
{
    struct tg_diags diags = {0};
    FILE *file = fopen("policy.conf", "w");
    tg_policy *policy = NULL;

    assert_non_null(file);
    assert_true(fprintf(file, "[host " HOST "]\nanchors = %s\n", pki_path("root.pem")) > 0);
    assert_int_equal(fclose(file), 0);
    policy = tg_policy_parse("policy.conf", &diags);
    assert_non_null(policy);
    tg_diags_clear(&diags);
    return policy;
}

static struct tg_verdict *evaluate(const tg_policy *policy, STACK_OF(X509) *sent)
{
    struct tg_match match = tg_policy_match(policy, HOST, 443, "/usr/bin/x");
    struct tg_query query = {
        .leaf = sk_X509_value(sent, 0), .sent = sent, .host = HOST, .port = 443};
    struct tg_verdict *verdict = tg_evaluate_cached(policy, &match, &query);

    assert_non_null(verdict);
    assert_true(verdict->accepted);
    assert_ptr_equal(verdict->policy, policy);
    assert_ptr_equal(verdict->rule, match.rule);
    return verdict;
}

/* The third verdict is a copy of the second: by then the leaf was met again. */
static void what_is_met_again_is_kept(void **state)
{
    STACK_OF(X509) *sent = pki_chain("api");
    tg_policy *policy = read_policy();
    struct tg_verdict *verdicts[4];

    (void)state;
    for (int i = 0; i < 4; i++) {
        verdicts[i] = evaluate(policy, sent);
        assert_int_equal(verdicts[i]->valid_until, verdicts[0]->valid_until);
        assert_int_equal(sk_X509_num(verdicts[i]->path), 3);
        pki_free(sent);
        sent = pki_chain("api");
    }
    assert_ptr_not_equal(sk_X509_value(verdicts[1]->path, 1), sk_X509_value(verdicts[0]->path, 1));
    assert_ptr_equal(sk_X509_value(verdicts[2]->path, 1), sk_X509_value(verdicts[1]->path, 1));
    assert_ptr_equal(sk_X509_value(verdicts[3]->path, 1), sk_X509_value(verdicts[1]->path, 1));
    for (int i = 0; i < 4; i++)
        tg_verdict_free(verdicts[i]);
    tg_policy_free(policy);
    pki_free(sent);
}

/* What is kept would else hold each version of a policy, with its lists, that was replaced. */
static void a_policy_goes_with_its_last_verdict(void **state)
{
    STACK_OF(X509) *sent = pki_chain("api");

    (void)state;
    for (int i = 0; i < 3; i++) {
        tg_policy *policy = read_policy();
        struct tg_verdict *verdicts[3];

        for (size_t j = 0; j < 3; j++)
            verdicts[j] = evaluate(policy, sent);
        assert_int_equal(policy->references, 4);
        for (size_t j = 0; j < 3; j++)
            tg_verdict_free(verdicts[j]);
        assert_int_equal(policy->references, 1);
        tg_policy_free(policy);
    }
    pki_free(sent);
}

int main(void)
{
    char folder[] = "/tmp/test_cache-XXXXXX";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_met_again_is_kept),
        cmocka_unit_test(a_policy_goes_with_its_last_verdict),
    };
    int failed = folder_enter(folder) != 0 || cmocka_run_group_tests(tests, NULL, NULL) != 0;

    return folder_remove(folder) != 0 || failed;
}
