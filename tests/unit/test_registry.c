/* test_registry.c - what is kept by an address: found, taken away, in threads and children. */
#include "registry.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>
/* behind them */
#include <cmocka.h>

static struct tg_registry registry = {.size = sizeof(long)};
static char places[4096];

static void an_item_is_found_until_it_is_taken(void **state)
{
    long *item = tg_registry_make(&registry, &places[0]);

    (void)state;
    assert_non_null(item);
    assert_int_equal(*item, 0);
    *item = 7;
    assert_ptr_equal(tg_registry_find(&registry, &places[0]), item);
    assert_ptr_equal(tg_registry_make(&registry, &places[0]), item);
    assert_null(tg_registry_find(&registry, &places[1]));
    assert_ptr_equal(tg_registry_take(&registry, &places[0]), item);
    assert_null(tg_registry_find(&registry, &places[0]));
    assert_null(tg_registry_take(&registry, &places[0]));
    tg_registry_free(item);
    tg_registry_free(NULL);
}

/* More than there are buckets. */
static void many_items_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(places); i++) {
        long *item = tg_registry_make(&registry, &places[i]);

        assert_non_null(item);
        *item = (long)i;
    }
    for (size_t i = 0; i < sizeof(places); i += 2)
        tg_registry_free(tg_registry_take(&registry, &places[i]));
    for (size_t i = 0; i < sizeof(places); i++) {
        const long *item = tg_registry_find(&registry, &places[i]);

        assert_true(i % 2 == 0 ? item == NULL : item != NULL && *item == (long)i);
        if (i % 2 == 1)
            tg_registry_free(tg_registry_take(&registry, &places[i]));
    }
}

static void *make_and_take(void *arg)
{
    char *own = arg;
    bool good = true;

    for (int round = 0; round < 2000; round++) {
        good = good && tg_registry_make(&registry, own) != NULL &&
               tg_registry_find(&registry, own) != NULL;
        tg_registry_free(tg_registry_take(&registry, own));
    }
    return good ? arg : NULL;
}

static void threads_and_children_go_on(void **state)
{
    pthread_t threads[4];
    long *kept = tg_registry_make(&registry, &places[100]);
    int status = 1;

    (void)state;
    assert_non_null(kept);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_and_take, &places[i]), 0);
    for (int child = 0; child < 20; child++) {
        pid_t pid = fork();

        if (pid == 0)
            _exit(tg_registry_find(&registry, &places[100]) == kept ? 0 : 1);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *good = NULL;

        assert_int_equal(pthread_join(threads[i], &good), 0);
        assert_non_null(good);
    }
    tg_registry_free(tg_registry_take(&registry, &places[100]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_is_found_until_it_is_taken),
        cmocka_unit_test(many_items_are_told_apart),
        cmocka_unit_test(threads_and_children_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
