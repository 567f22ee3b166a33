/*
 * An evaluation in which a certificate of a bundle couldn't be brought in: void, as perhaps it was
 * the one that speaks against the server.
 */
#include "missed.h"
#include "world.h"

static bool misses;

/* The engine's calls come here: this program is linked before libcrypto. */
int X509_STORE_CTX_init(X509_STORE_CTX *context, X509_STORE *store, X509 *leaf,
                        STACK_OF(X509) *sent)
{
    static int (*next)(X509_STORE_CTX *, X509_STORE *, X509 *, STACK_OF(X509) *);

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "X509_STORE_CTX_init");
    if (misses)
        tg_missed_note();
    return next(context, store, leaf, sent);
}

static void begin_accepted(struct world *world)
{
    begin(world);
    push_ref(world->sent, world->intermediate);
    push_ref(world->anchors, world->root);
    expect_accepted(world);
}

static void voids_what_would_be_accepted(void **state)
{
    struct tg_rule rule = {.skip_hostname = true, .anchors_only = true};
    const struct tg_match match = {.kind = TG_MATCH_RULE, .rule = &rule, .pattern = "*"};
    struct tg_query query = {.host = "host.test"};
    struct tg_holding *anchors;
    struct world world;

    (void)state;
    begin_accepted(&world);
    rule.anchors = anchors = hold(world.anchors);
    query.leaf = world.leaf;
    query.sent = world.sent;
    misses = true;
    assert_null(tg_evaluate(NULL, &match, &query));
    misses = false;
    assert_false(tg_missed_take());
    tg_holding_free(anchors);
    end(&world);
}

static void is_no_matter_of_the_next_evaluation(void **state)
{
    struct world world;

    (void)state;
    begin_accepted(&world);
    tg_missed_note();
    expect_accepted(&world);
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(voids_what_would_be_accepted),
        cmocka_unit_test(is_no_matter_of_the_next_evaluation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
