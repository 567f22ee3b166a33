/*
 * CA certificates that were verified once: known again by all of their bytes, for that each is
 * signed by the next, and for nothing else.
 */
#include "world.h"

static unsigned shortened;

/* The engine's calls come here: this program is linked before libcrypto. */
void X509_STORE_CTX_set0_verified_chain(X509_STORE_CTX *context, STACK_OF(X509) *chain)
{
    static void (*next)(X509_STORE_CTX *, STACK_OF(X509) *);

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "X509_STORE_CTX_set0_verified_chain");
    shortened += sk_X509_num(chain) == 2;
    next(context, chain);
}

/* By an acceptance the CAs are known: the next one shows it. */
static void make_known(struct world *world)
{
    push_ref(world->sent, world->intermediate);
    push_ref(world->anchors, world->root);
    shortened = 0;
    expect_accepted(world);
    assert_int_equal(shortened, 0);
    expect_accepted(world);
    assert_int_equal(shortened, 1);
    shortened = 0;
}

static void begin_known(struct world *world)
{
    begin(world);
    make_known(world);
}

/* Another certificate of the server, signed with SIGNER. */
static void replace_leaf(struct world *world, EVP_PKEY *signer)
{
    X509_free(world->leaf);
    world->leaf = make("host.test", "layer 0", world->key, signer, false);
}

static void replace_only(STACK_OF(X509) *stack, X509 *certificate)
{
    X509_free(sk_X509_pop(stack));
    push(stack, certificate);
}

static void are_known_whatever_the_leaf(void **state)
{
    struct world world;

    (void)state;
    begin_known(&world);
    replace_leaf(&world, world.key);
    expect_accepted(&world);
    assert_int_equal(shortened, 1);
    end(&world);
}

static void do_not_vouch_for_a_leaf_that_they_did_not_sign(void **state)
{
    struct world world;

    (void)state;
    begin_known(&world);
    replace_leaf(&world, world.root_key);
    expect_refused(&world, TG_BAD_SIGNATURE);
    assert_int_equal(shortened, 1);
    end(&world);
}

/* What is signed is the same, byte by byte. */
static void are_others_with_another_signature(void **state)
{
    const ASN1_BIT_STRING *signature = NULL;
    struct world world;
    X509 *altered;

    (void)state;
    begin_known(&world);
    altered = X509_dup(world.intermediate);
    X509_get0_signature(&signature, NULL, altered);
    ((ASN1_BIT_STRING *)signature)->data[signature->length - 1] ^= 1;
    replace_only(world.sent, altered);
    for (int i = 0; i < 2; i++)
        expect_refused(&world, TG_BAD_SIGNATURE);
    assert_int_equal(shortened, 0);
    end(&world);
}

static void are_others_under_a_namesake_of_the_anchor(void **state)
{
    struct world world;

    (void)state;
    begin_known(&world);
    replace_only(world.anchors, make("root", NULL, world.key, world.key, true));
    for (int i = 0; i < 2; i++)
        expect_refused(&world, TG_BAD_SIGNATURE);
    assert_int_equal(shortened, 0);
    end(&world);
}

static void are_known_by_nobody_who_has_not_their_anchor(void **state)
{
    struct world world;

    (void)state;
    begin_known(&world);
    X509_free(sk_X509_pop(world.anchors));
    push_ref(world.sent, world.root);
    expect_refused(&world, TG_UNTRUSTED_ROOT);
    assert_int_equal(shortened, 0);
    end(&world);
}

static void extend_by_days(X509 *certificate, EVP_PKEY *signer, long days)
{
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), days * DAY));
    assert_true(X509_sign(certificate, signer, EVP_sha256()) > 0);
}

static struct tg_verdict *evaluate_in_days(const struct world *world, long days, bool skip_dates)
{
    struct tg_holding *anchors = hold(world->anchors);
    const struct tg_rule rule = {
        .anchors = anchors, .anchors_only = true, .skip_hostname = true, .skip_dates = skip_dates};
    const struct tg_match match = {.kind = TG_MATCH_RULE, .rule = &rule, .pattern = "*"};
    const struct tg_query query = {
        .leaf = world->leaf, .sent = world->sent, .now = time(NULL) + days * DAY};
    struct tg_verdict *verdict = tg_evaluate(NULL, &match, &query);

    tg_holding_free(anchors);
    assert_non_null(verdict);
    return verdict;
}

static void expire_for_all_that(void **state)
{
    struct tg_verdict *verdict = NULL;
    struct world world;

    (void)state;
    begin(&world);
    extend_by_days(world.leaf, world.key, 9);
    extend_by_days(world.intermediate, world.root_key, 9);
    make_known(&world);
    verdict = evaluate_in_days(&world, 5, false);
    assert_false(verdict->accepted);
    assert_int_equal(verdict->finding_count, 1);
    assert_int_equal(verdict->findings[0].kind, TG_CERTIFICATE_EXPIRED);
    assert_int_equal(verdict->findings[0].depth, 2);
    tg_verdict_free(verdict);
    assert_int_equal(shortened, 0);
    verdict = evaluate_in_days(&world, 5, true);
    assert_true(verdict->accepted);
    tg_verdict_free(verdict);
    assert_int_equal(shortened, 1);
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(are_known_whatever_the_leaf),
        cmocka_unit_test(do_not_vouch_for_a_leaf_that_they_did_not_sign),
        cmocka_unit_test(are_others_with_another_signature),
        cmocka_unit_test(are_others_under_a_namesake_of_the_anchor),
        cmocka_unit_test(are_known_by_nobody_who_has_not_their_anchor),
        cmocka_unit_test(expire_for_all_that),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
