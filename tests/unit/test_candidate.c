/* Which rule applies to the candidates of a peer: looked up once, and never stale. */
#include "candidate.h"
#include "rules.h"

/* One rule for a.example on port 443, and one for all else. */
static void make(tg_policy *policy, uint64_t generation)
{
    rules_init(policy);
    assert_int_equal(rules_add(policy, 1, "a.example:443", ""), 0);
    assert_int_equal(rules_add(policy, 2, "*", ""), 0);
    policy->generation = generation;
}

static const struct tg_match *first(struct tg_peer *peer, const tg_policy *policy)
{
    tg_peer_match(peer, policy);
    return &peer->candidates[0].match;
}

static void test_a_match_is_kept(void **state)
{
    struct tg_peer peer = {.count = 0};
    tg_policy policy;

    (void)state;
    make(&policy, 1);
    tg_peer_add(&peer, "a.example", 443, 0);
    assert_int_equal(first(&peer, &policy)->rule->where.line, 1);
    peer.candidates[0].match.rule = policy.rules[1]; /* seen again if it isn't looked up */
    assert_int_equal(first(&peer, &policy)->rule->where.line, 2);
    tg_arena_free(policy.arena);
}

static void test_another_generation_is_looked_up(void **state)
{
    struct tg_peer peer = {.count = 0};
    tg_policy before, after;

    (void)state;
    make(&before, 1);
    make(&after, 2);
    tg_peer_add(&peer, "a.example", 443, 0);
    assert_ptr_equal(first(&peer, &before)->rule, before.rules[0]);
    assert_ptr_equal(first(&peer, &after)->rule, after.rules[0]);
    assert_ptr_equal(first(&peer, &before)->rule, before.rules[0]);
    tg_arena_free(before.arena);
    tg_arena_free(after.arena);
}

static void test_a_new_candidate_is_looked_up(void **state)
{
    struct tg_peer peer = {.count = 0};
    tg_policy policy;

    (void)state;
    make(&policy, 1);
    tg_peer_add(&peer, "b.example", 443, 0);
    assert_int_equal(first(&peer, &policy)->rule->where.line, 2);
    tg_peer_add(&peer, "a.example", 443, 0);
    tg_peer_match(&peer, &policy);
    assert_int_equal(peer.candidates[1].match.rule->where.line, 1);
    tg_arena_free(policy.arena);
}

/* What is kept with a connection is of the same candidates alone. */
static void test_matches_go_to_the_same_peer_alone(void **state)
{
    struct tg_peer kept = {.count = 0}, peer = {.count = 0}, other = {.count = 0};
    struct tg_connection_state connection = {.peer = &kept};
    tg_policy policy;

    (void)state;
    make(&policy, 1);
    tg_peer_add(&kept, "a.example", 0, 0);
    tg_peer_add(&peer, "a.example", 0, 0);
    tg_peer_add(&other, "a.example", 443, 0);
    tg_peer_match(&other, &policy);
    tg_peer_keep_matches(&connection, &other);
    assert_int_equal(kept.generation, 0);
    tg_peer_match(&peer, &policy);
    tg_peer_keep_matches(&connection, &peer);
    assert_int_equal(kept.generation, 1);
    assert_int_equal(kept.candidates[0].match.kind, TG_MATCH_UNKNOWN);
    tg_peer_keep_matches(NULL, &peer);
    tg_arena_free(policy.arena);
}

/* A policy that has no generation is never taken for one that was looked up. */
static void test_no_generation_is_always_looked_up(void **state)
{
    struct tg_peer peer = {.count = 0};
    tg_policy policy;

    (void)state;
    make(&policy, 0);
    tg_peer_add(&peer, "a.example", 443, 0);
    assert_non_null(first(&peer, &policy)->rule);
    tg_arena_free(policy.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_match_is_kept),
        cmocka_unit_test(test_another_generation_is_looked_up),
        cmocka_unit_test(test_a_new_candidate_is_looked_up),
        cmocka_unit_test(test_matches_go_to_the_same_peer_alone),
        cmocka_unit_test(test_no_generation_is_always_looked_up),
    };

    return cmocka_run_group_tests_name("candidate", tests, NULL, NULL);
}
