/*
 * What a setting of a policy holds: decoded no earlier than it is asked for, and once.
 */
#include "countdown.h"

#include "hold.h"
#include "world.h"
#include <openssl/err.h>
#include <pthread.h>
#include <string.h>

enum { THREADS = 8 };

static unsigned decoded;

/* The engine's calls come here: this program is linked before libcrypto. */
X509 *d2i_X509_AUX(X509 **out, const unsigned char **at, long length)
{
    static X509 *(*next)(X509 **, const unsigned char **, long);

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "d2i_X509_AUX");
    decoded++;
    return next(out, at, length);
}

/* A holding of what TEXT has, which nothing is decoded of. */
static struct tg_holding *index_text(const char *text, size_t blocks)
{
    struct tg_holding *holding = tg_holding_new();
    unsigned before = decoded;

    assert_non_null(holding);
    assert_true(add_text(holding, text, blocks));
    assert_true(tg_holding_unique(holding));
    assert_int_equal(decoded, before);
    return holding;
}

/* A root, its namesake and a stranger. */
struct trio {
    EVP_PKEY *key, *other_key;
    X509 *root, *namesake, *stranger;
    struct tg_buf text;
};

static void begin_trio(struct trio *trio)
{
    *trio = (struct trio){.key = new_key(), .other_key = new_key()};
    trio->root = make("root", NULL, trio->key, trio->key, true);
    trio->namesake = make("root", NULL, trio->other_key, trio->other_key, true);
    trio->stranger = make("stranger", NULL, trio->key, trio->key, true);
    for (int i = 0; i < 3; i++) {
        char *text = pem(i == 0 ? trio->root : i == 1 ? trio->stranger : trio->namesake, false);

        tg_buf_add(&trio->text, text);
        free(text);
    }
}

static void end_trio(struct trio *trio)
{
    X509_free(trio->root);
    X509_free(trio->namesake);
    X509_free(trio->stranger);
    EVP_PKEY_free(trio->key);
    EVP_PKEY_free(trio->other_key);
    tg_buf_free(&trio->text);
}

static void only_what_is_asked_for_is_decoded_and_once(void **state)
{
    struct tg_holding *holding, *joined = tg_holding_new();
    STACK_OF(X509) *found, *again;
    struct trio trio;

    (void)state;
    begin_trio(&trio);
    holding = index_text(trio.text.text, 3);
    decoded = 0;
    found = find(holding, X509_get_subject_name(trio.root));
    assert_int_equal(decoded, 2); /* its own and its namesake's */
    assert_int_equal(sk_X509_num(found), 2);
    assert_int_equal(X509_cmp(sk_X509_value(found, 0), trio.root), 0);
    assert_int_equal(X509_cmp(sk_X509_value(found, 1), trio.namesake), 0);
    assert_non_null(joined);
    assert_true(tg_holding_join(joined, holding));
    again = find(joined, X509_get_subject_name(trio.root));
    assert_int_equal(decoded, 2);
    assert_ptr_equal(sk_X509_value(again, 1), sk_X509_value(found, 1));
    tg_holding_free(holding); /* what both have stays with the other */
    assert_int_equal(X509_cmp(tg_holding_get(joined, 1), trio.stranger), 0);
    sk_X509_pop_free(found, X509_free);
    sk_X509_pop_free(again, X509_free);
    tg_holding_free(joined);
    end_trio(&trio);
}

/* The first stays, with the settings that stand behind that one. */
static void each_certificate_of_a_file_is_there_once(void **state)
{
    struct tg_holding *holding = tg_holding_new();
    char *plain, *rejecting, *other;
    struct tg_buf text = {0};
    struct trio trio;
    X509 *marked;

    (void)state;
    begin_trio(&trio);
    marked = X509_dup(trio.root);
    assert_true(X509_add1_reject_object(marked, OBJ_nid2obj(NID_server_auth)));
    plain = pem(trio.root, false);
    rejecting = pem(marked, true);
    other = pem(trio.stranger, false);
    tg_buf_printf(&text, "%s%s%s%s%s", plain, other, rejecting, other, plain);
    assert_non_null(holding);
    assert_true(add_text(holding, text.text, 5));
    assert_true(tg_holding_add(holding, trio.stranger)); /* one that was decoded */
    assert_int_equal(tg_holding_count(holding), 6);
    assert_true(tg_holding_unique(holding));
    assert_int_equal(tg_holding_count(holding), 2);
    assert_int_equal(X509_cmp(tg_holding_get(holding, 0), trio.root), 0);
    assert_int_equal(X509_check_trust(tg_holding_get(holding, 0), X509_TRUST_SSL_SERVER, 0),
                     X509_TRUST_TRUSTED);
    assert_int_equal(X509_cmp(tg_holding_get(holding, 1), trio.stranger), 0);
    assert_ptr_not_equal(tg_holding_get(holding, 1), trio.stranger);
    tg_buf_free(&text);
    free(plain);
    free(rejecting);
    free(other);
    X509_free(marked);
    tg_holding_free(holding);
    end_trio(&trio);
}

/* One that isn't DER, as its length takes a byte more than it needs, has no number: all are looked
 * at, and the name decides. */
static void a_name_that_cannot_be_folded_is_compared_with_all(void **state)
{
    uint8_t spelt[64] = {0x30, 0x81};
    const unsigned char *der = NULL, *at = spelt;
    struct tg_holding *holding;
    STACK_OF(X509) *found;
    X509_NAME *name;
    struct trio trio;
    size_t size = 0;

    (void)state;
    begin_trio(&trio);
    holding = index_text(trio.text.text, 3);
    assert_true(X509_NAME_get0_der(X509_get_subject_name(trio.root), &der, &size));
    assert_in_range(size, 2, sizeof(spelt) - 1);
    memcpy(spelt + 2, der + 1, size - 1);
    name = d2i_X509_NAME(NULL, &at, (long)size + 1);
    assert_non_null(name);
    decoded = 0;
    found = find(holding, name);
    assert_int_equal(decoded, 3);
    assert_int_equal(sk_X509_num(found), 2);
    sk_X509_pop_free(found, X509_free);
    X509_NAME_free(name);
    tg_holding_free(holding);
    end_trio(&trio);
}

static void bytes_that_are_no_certificate_are_refused(void **state)
{
    struct tg_holding *holding = tg_holding_new();
    unsigned char *der = NULL;
    struct trio trio;
    int size;

    (void)state;
    begin_trio(&trio);
    size = i2d_X509(trio.root, &der);
    assert_true(size > 0);
    assert_non_null(holding);
    assert_false(tg_holding_add_der(holding, der, (size_t)size - 1));
    assert_false(tg_holding_add_der(holding, (const uint8_t *)"0\0", 2));
    assert_int_equal(tg_holding_count(holding), 0);
    decoded = 0;
    assert_true(tg_holding_add_der(holding, der, (size_t)size));
    assert_int_equal(decoded, 0);
    assert_int_equal(X509_cmp(tg_holding_get(holding, 0), trio.root), 0);
    assert_false(add_text(holding, trio.text.text, 4));
    assert_int_equal(tg_holding_count(holding), 1);
    ERR_clear_error();
    OPENSSL_free(der);
    tg_holding_free(holding);
    end_trio(&trio);
}

/* The first of LIKE's subject that HOLDING finds beside STORE; borrowed of whoever has it. */
static X509 *first(const struct tg_holding *holding, const X509 *like, X509_STORE *store)
{
    STACK_OF(X509) *found;
    X509 *one;

    assert_true(tg_holding_find(holding, X509_get_subject_name(like), store, &found));
    one = sk_X509_value(found, 0);
    sk_X509_pop_free(found, X509_free);
    return one;
}

static void what_the_program_has_decoded_is_not_decoded_again(void **state)
{
    X509_STORE *store = X509_STORE_new(), *rejecting = X509_STORE_new();
    struct tg_holding *holding;
    struct trio trio;
    X509 *marked;

    (void)state;
    begin_trio(&trio);
    marked = X509_dup(trio.stranger);
    assert_true(X509_add1_reject_object(marked, OBJ_nid2obj(NID_server_auth)));
    assert_true(X509_STORE_add_cert(store, trio.stranger));
    assert_true(X509_STORE_add_cert(rejecting, marked) &&
                X509_STORE_add_cert(rejecting, trio.root));
    holding = index_text(trio.text.text, 3);
    decoded = 0;
    assert_ptr_equal(first(holding, trio.stranger, store), trio.stranger);
    assert_ptr_equal(first(holding, trio.stranger, store), trio.stranger);
    assert_int_equal(decoded, 0);
    /* Under settings of the program's it is another. */
    assert_ptr_not_equal(first(holding, trio.stranger, rejecting), marked);
    assert_int_equal(decoded, 1);
    X509_STORE_free(store);
    X509_STORE_free(rejecting);
    assert_int_equal(X509_cmp(first(holding, trio.stranger, NULL), trio.stranger), 0);
    X509_free(marked);
    tg_holding_free(holding);
    end_trio(&trio);
}

/* What the program changed in memory is written as it came, but isn't that any more. */
static void what_the_program_has_changed_is_decoded(void **state)
{
    struct trio trio;

    (void)state;
    begin_trio(&trio);
    for (int change = 0; change < 3; change++) {
        struct tg_holding *holding = index_text(trio.text.text, 3);
        X509_STORE *store = X509_STORE_new();
        X509 *copy = X509_dup(trio.stranger), *found;

        if (change == 1)
            assert_true(X509_EXTENSION_set_critical(X509_get_ext(copy, 0), 0));
        else if (change == 2)
            assert_non_null(X509_gmtime_adj(X509_getm_notAfter(copy), 2 * DAY));
        assert_true(X509_STORE_add_cert(store, copy));
        decoded = 0;
        found = first(holding, trio.stranger, store);
        assert_int_equal(found == copy, change == 0);
        assert_int_equal(decoded, change == 0 ? 0 : 1);
        X509_free(copy);
        X509_STORE_free(store);
        tg_holding_free(holding);
    }
    end_trio(&trio);
}

static void *get_all(void *holding)
{
    void **got = calloc(3, sizeof(*got));

    for (size_t i = 0; got != NULL && i < 3; i++)
        got[i] = tg_holding_get(holding, i);
    return got;
}

static void threads_share_one(void **state)
{
    pthread_t threads[THREADS];
    struct tg_holding *holding;
    struct trio trio;

    (void)state;
    begin_trio(&trio);
    holding = index_text(trio.text.text, 3);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_all, holding), 0);
    for (int i = 0; i < THREADS; i++) {
        void *got = NULL;

        assert_int_equal(pthread_join(threads[i], &got), 0);
        assert_non_null(got);
        for (size_t j = 0; j < 3; j++)
            assert_ptr_equal(((void **)got)[j], tg_holding_get(holding, j));
        free(got);
    }
    tg_holding_free(holding);
    end_trio(&trio);
}

#if OWN_ALLOCATOR
/* Whichever allocation fails: what is there is found, or that is said; and no less is added. */
static void without_memory_nothing_goes_missing_unsaid(void **state)
{
    struct world world;
    struct trio trio;
    bool spent = true;

    (void)state;
    begin(&world);
    begin_trio(&trio);
    for (long number = 1; spent; number++) {
        struct tg_holding *holding = index_text(trio.text.text, 3), *joined = tg_holding_new();
        STACK_OF(X509) *found = NULL;
        bool known, has;

        countdown = number;
        known = tg_holding_find(holding, X509_get_subject_name(trio.root), NULL, &found);
        has = tg_holding_join(joined, holding) && tg_holding_unique(joined);
        spent = countdown == 0;
        countdown = 0;
        assert_int_equal(sk_X509_num(found), known ? 2 : -1);
        assert_true(spent || (known && has));
        assert_true(!has || tg_holding_count(joined) == 3);
        sk_X509_pop_free(found, X509_free);
        tg_holding_free(joined);
        tg_holding_free(holding);
    }
    end_trio(&trio);
    end(&world);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_asked_for_is_decoded_and_once),
        cmocka_unit_test(each_certificate_of_a_file_is_there_once),
        cmocka_unit_test(a_name_that_cannot_be_folded_is_compared_with_all),
        cmocka_unit_test(bytes_that_are_no_certificate_are_refused),
        cmocka_unit_test(what_the_program_has_decoded_is_not_decoded_again),
        cmocka_unit_test(what_the_program_has_changed_is_decoded),
        cmocka_unit_test(threads_share_one),
#if OWN_ALLOCATOR
        cmocka_unit_test(without_memory_nothing_goes_missing_unsaid),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
