/* test_steps.c - what a child finds that is forked in the middle of a change, between any two
 * bytes. */
#include "host.h"
#include "turn.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

static void look_as_child(void);
static void *copy_bytes(void *to, const void *from, size_t length);

/* A copy of leaves.c under names of its own, and looked at with each byte that it copies. */
#define memcpy           copy_bytes
#define tg_turn_step     look_as_child
#define tg_leaves_digest copy_digest
#define tg_leaves_accept copy_accept
#define tg_leaves_leave  copy_leave
#define tg_leaves_know   copy_know
#define tg_leaves_any    copy_any
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "../../policy/hook/foreign/leaves.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint8_t first[TG_SHA256_SIZE] = {1, 2, 3}, second[TG_SHA256_SIZE] = {4, 5, 6};
static const char *host_of_first, *host_of_second;
static unsigned looks;

static void *copy_bytes(void *to, const void *from, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        ((char *)to)[i] = ((const char *)from)[i];
        look_as_child();
    }
    return to;
}

static void expect_host(const struct accepted *one, const uint8_t leaf[TG_SHA256_SIZE],
                        const char *host)
{
    if (memcmp(one->leaf, leaf, TG_SHA256_SIZE) == 0 && one->host[0] != '\0')
        assert_string_equal(one->host, host);
}

static void look_as_child(void)
{
    looks++;
    for (size_t i = 0; i < ACCEPTED; i++) {
        expect_host(&accepted[i], first, host_of_first);
        expect_host(&accepted[i], second, host_of_second);
    }
}

/* The second leaf takes the place of the first. */
static void replace(const char *old_host, const char *host)
{
    uint8_t other[TG_SHA256_SIZE] = {7};

    host_of_first = old_host;
    host_of_second = host;
    memset(accepted, 0, sizeof(accepted));
    count = 0;
    copy_accept(first, old_host);
    for (unsigned i = 1; i < ACCEPTED; i++) {
        other[1] = (uint8_t)i;
        other[2] = (uint8_t)(i >> 8);
        copy_accept(other, "others.test");
    }
    assert_true(copy_know(first, old_host));
    copy_accept(second, host);
    assert_false(copy_know(first, NULL));
    assert_true(copy_know(second, host));
}

static void no_child_finds_a_leaf_beside_a_host_it_was_not_accepted_for(void **state)
{
    (void)state;
    replace("one.example.test", "another.test");
    replace("a.test", "much-longer.example.test");
    replace("much-longer.example.test", "a.test");
    assert_true(looks > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_child_finds_a_leaf_beside_a_host_it_was_not_accepted_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
