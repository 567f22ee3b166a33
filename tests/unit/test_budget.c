/*
 * What no chain, however hostile, makes an evaluation exceed: chains of many certificates of one
 * name, none of which has key identifiers, so that every one could be the issuer of every other.
 */
#include "world.h"

static void the_real_issuer_is_found_behind_namesakes(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    push_ref(world.anchors, world.root);
    add_decoys(world.sent, "layer 0", "root", 20);
    push_ref(world.sent, world.intermediate);
    expect_accepted(&world);
    end(&world);
}

static void a_crowd_of_namesakes_ends_the_search(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    push_ref(world.anchors, world.root);
    add_decoys(world.sent, "layer 0", "root", TG_PATH_MAX_SENT - 1);
    push_ref(world.sent, world.intermediate);
    expect_refused(&world, TG_PATH_TOO_LONG);
    assert_true(verifications > 1);
    end(&world);
}

static void hundreds_that_were_sent_are_not_looked_at(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    push_ref(world.anchors, world.root);
    push_ref(world.sent, world.intermediate);
    add_decoys(world.sent, "layer 0", "root", 300);
    expect_refused(&world, TG_PATH_TOO_LONG);
    assert_int_equal(verifications, 0);
    end(&world);
}

/* 7 certificates a layer, each of which every one of the layer below could have: 7^9 paths. */
static void fill_layers(struct world *world)
{
    static const char *const names[] = {"layer 0", "layer 1", "layer 2", "layer 3", "layer 4",
                                        "layer 5", "layer 6", "layer 7", "layer 8", "root"};

    for (size_t layer = 0; layer + 1 < sizeof(names) / sizeof(names[0]); layer++)
        add_decoys(world->sent, names[layer], names[layer + 1], 7);
}

static void layers_of_namesakes_below_an_anchor_are_bounded(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    push_ref(world.anchors, world.root);
    fill_layers(&world);
    expect_refused(&world, TG_PATH_TOO_LONG);
    assert_true(verifications > 1);
    end(&world);
}

static void layers_of_namesakes_below_nothing_are_bounded(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    add_decoys(world.anchors, "stranger", NULL, 1);
    fill_layers(&world);
    expect_refused(&world, TG_MISSING_ISSUER);
    assert_int_equal(verifications, 1);
    end(&world);
}

static void layers_of_namesakes_do_not_hide_a_good_issuer(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    push_ref(world.anchors, world.root);
    push_ref(world.sent, world.intermediate);
    fill_layers(&world);
    expect_accepted(&world);
    end(&world);
}

static void certificates_for_each_other_are_bounded(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    push_ref(world.anchors, world.root);
    add_decoys(world.sent, "layer 0", "layer 1", TG_PATH_MAX_SENT / 2);
    add_decoys(world.sent, "layer 1", "layer 0", TG_PATH_MAX_SENT / 2);
    expect_refused(&world, TG_PATH_TOO_LONG);
    end(&world);
}

static void self_issued_certificates_are_bounded(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    push_ref(world.anchors, world.root);
    add_decoys(world.sent, "layer 0", "layer 0", TG_PATH_MAX_SENT);
    expect_refused(&world, TG_PATH_TOO_LONG);
    end(&world);
}

static void hundreds_of_intermediates_in_a_policy_are_bounded(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    push_ref(world.anchors, world.root);
    add_decoys(world.intermediates, "layer 0", "root", 600);
    expect_refused(&world, TG_PATH_TOO_LONG);
    push_ref(world.sent, world.intermediate);
    expect_accepted(&world);
    end(&world);
}

static void hundreds_of_anchors_of_one_name_are_bounded(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    push_ref(world.sent, world.intermediate);
    push_ref(world.anchors, world.root);
    add_decoys(world.anchors, "root", NULL, 300);
    expect_accepted(&world);
    X509_free(sk_X509_shift(world.anchors));
    expect_refused(&world, TG_PATH_TOO_LONG);
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_real_issuer_is_found_behind_namesakes),
        cmocka_unit_test(a_crowd_of_namesakes_ends_the_search),
        cmocka_unit_test(hundreds_that_were_sent_are_not_looked_at),
        cmocka_unit_test(layers_of_namesakes_below_an_anchor_are_bounded),
        cmocka_unit_test(layers_of_namesakes_below_nothing_are_bounded),
        cmocka_unit_test(layers_of_namesakes_do_not_hide_a_good_issuer),
        cmocka_unit_test(certificates_for_each_other_are_bounded),
        cmocka_unit_test(self_issued_certificates_are_bounded),
        cmocka_unit_test(hundreds_of_intermediates_in_a_policy_are_bounded),
        cmocka_unit_test(hundreds_of_anchors_of_one_name_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
