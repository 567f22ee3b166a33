/* test_seat.c - where an SSL_CTX keeps its verify callback, found by setting it. */
#include "seat.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What stands for an SSL_CTX, and where its setter writes to: as often as COUNT says. */
static struct {
    size_t word[64];
    size_t at[2], count;
} context;

static void set(SSL_CTX *ctx, int (*callback)(X509_STORE_CTX *, void *), void *arg)
{
    const struct tg_seated seated = {callback, arg};

    (void)ctx;
    for (size_t i = 0; i < context.count; i++)
        memcpy(&context.word[context.at[i]], &seated, sizeof(seated));
}

static const struct tg_libssl pretended = {.SSL_CTX_set_cert_verify_callback = set};

/* Its setter only ever sets once: what it set last stays. */
static void set_once(SSL_CTX *ctx, int (*callback)(X509_STORE_CTX *, void *), void *arg)
{
    set(ctx, callback, arg);
    context.count = 0;
}

static size_t find(const struct tg_libssl *libssl, size_t count, size_t first, size_t second)
{
    memset(&context, 0, sizeof(context));
    context.at[0] = first;
    context.at[1] = second;
    context.count = count;
    return tg_seat_find(libssl, (SSL_CTX *)&context);
}

static int own(X509_STORE_CTX *store, void *arg)
{
    (void)store, (void)arg;
    return 1;
}

static void finds_it_in_this_libssl(void **unused)
{
    const struct tg_libssl libssl = {.SSL_CTX_set_cert_verify_callback =
                                         SSL_CTX_set_cert_verify_callback};
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    struct tg_seated seated;
    size_t seat;
    int arg = 0;

    (void)unused;
    assert_non_null(ctx);
    seat = tg_seat_find(&libssl, ctx);
    assert_int_not_equal(seat, 0);
    SSL_CTX_set_cert_verify_callback(ctx, own, &arg);
    seated = tg_seat_read(ctx, seat);
    assert_true(seated.callback == own);
    assert_ptr_equal(seated.arg, &arg);
    SSL_CTX_free(ctx);
}

static void finds_the_one_place(void **unused)
{
    (void)unused;
    assert_int_equal(find(&pretended, 1, 5, 0), 5 * sizeof(size_t));
    assert_int_equal(find(&pretended, 1, 30, 0), 30 * sizeof(size_t));
}

static void does_not_look_too_far(void **unused)
{
    (void)unused;
    assert_int_equal(find(&pretended, 1, 31, 0), 0);
}

static void tells_of_none_where_there_are_none_or_two(void **unused)
{
    (void)unused;
    assert_int_equal(find(&pretended, 0, 0, 0), 0);
    assert_int_equal(find(&pretended, 2, 5, 9), 0);
}

static void tells_of_none_where_it_does_not_change(void **unused)
{
    const struct tg_libssl stubborn = {.SSL_CTX_set_cert_verify_callback = set_once};

    (void)unused;
    assert_int_equal(find(&stubborn, 1, 5, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_it_in_this_libssl),
        cmocka_unit_test(finds_the_one_place),
        cmocka_unit_test(does_not_look_too_far),
        cmocka_unit_test(tells_of_none_where_there_are_none_or_two),
        cmocka_unit_test(tells_of_none_where_it_does_not_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
