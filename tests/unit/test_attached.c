/* A store whose file is brought in on demand, beside one that was loaded by libcrypto alone. */
#include "attached.h"
#include "countdown.h"
#include "folder.h"
#include "pki.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

static const struct tg_storelib *lib;

static int setup(void **state)
{
    const char *missing = NULL;
    struct tg_cryptolib *library = tg_cryptolib_native(&missing);

    (void)state;
    if (library == NULL)
        return -1;
    tg_attached_begin(library);
    lib = tg_storelib_of(library);
    return lib != NULL ? 0 : -1;
}

/* The file NAME of the certificates of these, in this order; the last is NULL. */
static const char *file_of(const char *name, const char *first, ...)
{
    FILE *file = fopen(name, "we");
    va_list names;

    assert_non_null(file);
    va_start(names, first);
    for (; first != NULL; first = va_arg(names, const char *)) {
        STACK_OF(X509) *one = pki_certificates(first, NULL);

        assert_true(PEM_write_X509(file, sk_X509_value(one, 0)));
        pki_free(one);
    }
    va_end(names);
    assert_int_equal(fclose(file), 0);
    return name;
}

/* Two stores with the same history. */
struct pair {
    X509_STORE *lazy, *plain;
};

static struct pair pair_new(void)
{
    struct pair pair = {X509_STORE_new(), X509_STORE_new()};

    assert_non_null(pair.lazy);
    assert_non_null(pair.plain);
    return pair;
}

static void pair_load(struct pair *pair, const char *file)
{
    assert_true(tg_attached_load(lib, pair->lazy, file) > 0);
    assert_int_equal(X509_STORE_load_file(pair->plain, file), 1);
}

static void pair_add(struct pair *pair, const char *name)
{
    STACK_OF(X509) *one = pki_certificates(name, NULL);

    assert_int_equal(tg_attached_add(lib, pair->lazy, sk_X509_value(one, 0)), 1);
    assert_int_equal(X509_STORE_add_cert(pair->plain, sk_X509_value(one, 0)), 1);
    pki_free(one);
}

static int count(const X509_STORE *store)
{
    return sk_X509_OBJECT_num(X509_STORE_get0_objects(store));
}

static void require_same_certificates(const STACK_OF(X509) *one, const STACK_OF(X509) *other)
{
    assert_int_equal(sk_X509_num(one), sk_X509_num(other));
    for (int i = 0; i < sk_X509_num(one); i++)
        assert_int_equal(X509_cmp(sk_X509_value(one, i), sk_X509_value(other, i)), 0);
}

/* What is found under the subject of the certificate NAME, through each store's hooks. */
static void pair_ask(const struct pair *pair, const char *name)
{
    STACK_OF(X509) *one = pki_certificates(name, NULL);
    STACK_OF(X509) *found[2];
    X509_STORE_CTX *context[2] = {X509_STORE_CTX_new(), X509_STORE_CTX_new()};
    X509 *issuer[2] = {NULL, NULL}, *asked = sk_X509_value(one, 0);
    int result[2];

    for (int i = 0; i < 2; i++) {
        assert_true(X509_STORE_CTX_init(context[i], i == 0 ? pair->lazy : pair->plain, asked, one));
        result[i] = X509_STORE_CTX_get_get_issuer(context[i])(&issuer[i], context[i], asked);
        found[i] =
            X509_STORE_CTX_get_lookup_certs(context[i])(context[i], X509_get_subject_name(asked));
    }
    assert_int_equal(result[0], result[1]);
    assert_true((issuer[0] == NULL) == (issuer[1] == NULL));
    assert_true(issuer[0] == NULL || X509_cmp(issuer[0], issuer[1]) == 0);
    assert_true((found[0] == NULL) == (found[1] == NULL));
    require_same_certificates(found[0], found[1]);
    for (int i = 0; i < 2; i++) {
        X509_free(issuer[i]);
        sk_X509_pop_free(found[i], X509_free);
        X509_STORE_CTX_free(context[i]);
    }
    pki_free(one);
}

/* Everything is brought in; its objects are in the same order. Frees the stores. */
static void pair_end(struct pair *pair)
{
    STACK_OF(X509_OBJECT) *one, *other;

    assert_true(tg_attached_bring(lib, pair->lazy));
    one = X509_STORE_get0_objects(pair->lazy);
    other = X509_STORE_get0_objects(pair->plain);
    assert_int_equal(sk_X509_OBJECT_num(one), sk_X509_OBJECT_num(other));
    for (int i = 0; i < sk_X509_OBJECT_num(one); i++)
        assert_int_equal(X509_cmp(X509_OBJECT_get0_X509(sk_X509_OBJECT_value(one, i)),
                                  X509_OBJECT_get0_X509(sk_X509_OBJECT_value(other, i))),
                         0);
    X509_STORE_free(pair->lazy);
    X509_STORE_free(pair->plain);
}

/* Three have one name, two another, and one stands there twice. */
#define MANY                                                                                       \
    "root", "intermediate-by-other", "elder-root", "hundred-ca-01", "young-root-by-elder",         \
        "intermediate", "expired-root", "root", "young-root", "intermediate-twin"

static void nothing_is_in_the_store_before_it_is_asked_for(void **state)
{
    const char *file = file_of("many.pem", MANY, (char *)NULL);
    struct pair pair = pair_new();

    (void)state;
    pair_load(&pair, file);
    assert_int_equal(count(pair.lazy), 0);
    assert_int_equal(count(pair.plain), 9);
    pair_ask(&pair, "root");
    assert_int_equal(count(pair.lazy), 1);
    pair_ask(&pair, "api-deep");
    pair_ask(&pair, "hundred-ca-01");
    assert_true(count(pair.lazy) < 9);
    pair_end(&pair);
}

static void the_objects_are_in_the_same_order_whatever_came_before(void **state)
{
    static const char *const added[] = {NULL, "root", "api-direct", "intermediate-by-weak"};
    const char *many = file_of("many.pem", MANY, (char *)NULL);
    const char *few =
        file_of("few.pem", "hundred-ca-05", "young-root-by-root", "root", (char *)NULL);

    (void)state;
    /* bit by bit: ask before, load another, ask between, add, ask after */
    for (unsigned steps = 0; steps < 32; steps++)
        for (size_t i = 0; i < sizeof(added) / sizeof(added[0]); i++) {
            struct pair pair = pair_new();

            pair_load(&pair, many);
            if (steps & 1)
                pair_ask(&pair, "young-root");
            if (steps & 2)
                pair_load(&pair, few);
            if (steps & 4)
                pair_ask(&pair, "root");
            if (added[i] != NULL)
                pair_add(&pair, added[i]);
            if (steps & 8)
                pair_ask(&pair, "intermediate");
            if (steps & 16)
                pair_load(&pair, many);
            pair_end(&pair);
        }
}

/* Two of one name, the one that isn't valid first: libcrypto takes the other. */
static void of_one_subject_come_all_in_the_order_of_the_file(void **state)
{
    static const struct {
        const char *first, *second;
    } cases[] = {{"young-root-by-elder", "young-root"},
                 {"young-root", "young-root-by-elder"},
                 {"young-root", "young-root"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pair pair = pair_new();

        pair_load(&pair,
                  file_of("two.pem", cases[i].first, cases[i].second, "elder-root", (char *)NULL));
        pair_ask(&pair, "young-root");
        pair_ask(&pair, "young-root-by-elder");
        pair_end(&pair);
    }
}

static void a_store_with_hooks_of_its_own_or_in_use_is_left_alone(void **state)
{
    const char *file = file_of("many.pem", MANY, (char *)NULL);
    struct pair pair = pair_new();

    (void)state;
    X509_STORE_set_lookup_certs(pair.lazy, X509_STORE_CTX_get1_certs);
    assert_int_equal(tg_attached_load(lib, pair.lazy, file), 0);
    tg_attached_use(lib, pair.plain);
    assert_int_equal(tg_attached_load(lib, pair.plain, file), 0);
    X509_STORE_free(pair.lazy);
    X509_STORE_free(pair.plain);
}

static void once_it_was_opened_there_are_no_hooks_left(void **state)
{
    const char *file = file_of("many.pem", MANY, (char *)NULL);
    struct pair pair = pair_new();

    (void)state;
    pair_load(&pair, file);
    assert_true(X509_STORE_get_get_issuer(pair.lazy) != NULL);
    assert_true(tg_attached_end(lib, pair.lazy));
    assert_true(X509_STORE_get_get_issuer(pair.lazy) == NULL);
    assert_true(X509_STORE_get_lookup_certs(pair.lazy) == NULL);
    assert_int_equal(tg_attached_load(lib, pair.lazy, file), 0);
    pair_end(&pair);
}

static void ask_for_root(X509_STORE *store)
{
    STACK_OF(X509) *root = pki_certificates("root", NULL), *found = NULL;
    X509_STORE_CTX *context = X509_STORE_CTX_new();

    assert_true(X509_STORE_CTX_init(context, store, NULL, NULL));
    ERR_clear_error(); /* of reading the test PKI */
    found = X509_STORE_CTX_get_lookup_certs(context)(context,
                                                     X509_get_subject_name(sk_X509_value(root, 0)));
    assert_int_equal(sk_X509_num(found), 1);
    sk_X509_pop_free(found, X509_free);
    X509_STORE_CTX_free(context);
    pki_free(root);
}

static void the_error_queue_is_as_it_would_have_been(void **state)
{
    const char *file = file_of("many.pem", MANY, (char *)NULL);
    struct pair pair = pair_new();
    unsigned long lazy;

    (void)state;
    ERR_raise(ERR_LIB_USER, 1);
    assert_true(tg_attached_load(lib, pair.lazy, file) > 0);
    lazy = ERR_peek_last_error();
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 1);
    assert_int_equal(X509_STORE_load_file(pair.plain, file), 1);
    assert_true(ERR_peek_last_error() == lazy);
    ERR_clear_error();
    ask_for_root(pair.plain);
    lazy = ERR_peek_error();
    ERR_clear_error();
    ask_for_root(pair.lazy);
    assert_true(ERR_peek_error() == lazy);
    pair_end(&pair);
}

/* As PEM_X509_INFO_read_bio(3) of some versions of libcrypto at the end of a file. */
static void *clear_errors(BIO *bio, void *infos, void *ask, void *arg)
{
    (void)bio, (void)infos, (void)ask, (void)arg;
    ERR_clear_error();
    return NULL;
}

static void where_the_end_of_a_file_clears_the_error_queue_it_does(void **state)
{
    const char *file = file_of("many.pem", MANY, (char *)NULL);
    struct pair pair = pair_new();
    struct tg_storelib other = *lib;

    (void)state;
    other.PEM_X509_INFO_read_bio = clear_errors;
    ERR_raise(ERR_LIB_USER, 1);
    assert_true(tg_attached_load(&other, pair.lazy, file) > 0);
    assert_int_equal(ERR_peek_error(), 0);
    assert_int_equal(X509_STORE_load_file(pair.plain, file), 1);
    pair_end(&pair);
}

#if OWN_ALLOCATOR
/* Whichever allocation fails: it is told, and comes once there is memory. */
static void without_memory_the_search_fails_and_finds_no_less_later(void **state)
{
    const char *file = file_of("two.pem", "young-root-by-elder", "root", (char *)NULL);
    STACK_OF(X509) *leaf = pki_certificates("api-direct", NULL);
    size_t failures = 0;
    bool done = false;

    (void)state;
    for (long number = 1; !done; number++) {
        struct pair pair = pair_new();
        X509_STORE_CTX *context = X509_STORE_CTX_new();
        X509 *issuer = NULL;
        int found;

        pair_load(&pair, file);
        assert_true(X509_STORE_CTX_init(context, pair.lazy, sk_X509_value(leaf, 0), NULL));
        countdown = number;
        found = X509_STORE_CTX_get_get_issuer(context)(&issuer, context, sk_X509_value(leaf, 0));
        done = countdown > 0;
        countdown = 0;
        failures += found < 0;
        assert_true(found == 1 ? issuer != NULL : !done);
        X509_free(issuer);
        ERR_clear_error();
        X509_STORE_CTX_free(context);
        pair_end(&pair); /* all that wasn't there comes */
    }
    assert_true(failures > 10);
    pki_free(leaf);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_in_the_store_before_it_is_asked_for),
        cmocka_unit_test(the_objects_are_in_the_same_order_whatever_came_before),
        cmocka_unit_test(of_one_subject_come_all_in_the_order_of_the_file),
        cmocka_unit_test(a_store_with_hooks_of_its_own_or_in_use_is_left_alone),
        cmocka_unit_test(once_it_was_opened_there_are_no_hooks_left),
        cmocka_unit_test(the_error_queue_is_as_it_would_have_been),
        cmocka_unit_test(where_the_end_of_a_file_clears_the_error_queue_it_does),
#if OWN_ALLOCATOR
        cmocka_unit_test(without_memory_the_search_fails_and_finds_no_less_later),
#endif
    };
    static char folder[] = "/tmp/test_attached.XXXXXX";

    if (folder_enter(folder) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, setup, NULL);
    (void)folder_remove(folder);
    return failed;
}
