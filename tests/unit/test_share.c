/* Bundles that a process reads once: those of files that have settled, and no others. */
#include "file.h"
#include "folder.h"
#include "pki.h"
#include "share.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>

#include <cmocka.h>
#include <openssl/x509.h>

#define HOUR 3600

static time_t set_time; /* what clocks say, unless 0 */

/* Instead of libc's. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    *now = (struct timespec){.tv_sec = set_time};
    return set_time != 0 ? 0 : (int)syscall(SYS_clock_gettime, clock, now);
}

/* So many seconds after PATH has changed. */
static void let_pass(const char *path, time_t seconds)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    set_time = status.st_ctim.tv_sec + seconds;
}

/* A copy of a certificate that says that it is AGE seconds old. */
static void put_aged(const char *path, time_t age)
{
    struct timespec times[2] = {{.tv_sec = time(NULL) - age}, {.tv_sec = time(NULL) - age}};
    STACK_OF(X509) *root = pki_certificates("root", NULL);
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(PEM_write_X509(file, sk_X509_value(root, 0)));
    assert_int_equal(fclose(file), 0);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    pki_free(root);
}

static void expect_apart(const char *path)
{
    const struct tg_bundle *one = tg_share_take(path), *other = tg_share_take(path);

    set_time = 0;
    assert_non_null(one);
    assert_non_null(other);
    assert_ptr_not_equal(one, other);
    tg_share_give(one);
    tg_share_give(other);
}

static void a_file_that_just_changed_is_shared_with_nobody(void **state)
{
    (void)state;
    put_aged("fresh.pem", HOUR); /* ctime is now */
    let_pass("fresh.pem", 2);
    expect_apart("fresh.pem");
}

/* By whoever set its times, or by a clock that was wrong then. */
static void a_file_that_is_to_change_is_shared_with_nobody(void **state)
{
    (void)state;
    put_aged("future.pem", -HOUR);
    let_pass("future.pem", 4); /* its ctime is settled */
    expect_apart("future.pem");
}

/* One of the system, so that it is old enough; NULL: there is none. */
static const char *find_settled(void)
{
    const char *path = X509_get_default_cert_file();

    if (access(path, R_OK) != 0)
        path = "/etc/ssl/certs/ca-certificates.crt";
    return access(path, R_OK) == 0 ? path : NULL;
}

static void a_file_that_has_settled_is_read_once(void **state)
{
    const char *path = find_settled();
    const struct tg_bundle *one = NULL, *other = NULL, *again = NULL;

    (void)state;
    if (path == NULL)
        skip();
    one = tg_share_take(path);
    other = tg_share_take(path);
    assert_non_null(one);
    assert_ptr_equal(one, other);
    tg_share_give(one);
    tg_share_give(other);
    again = tg_share_take(path);
    assert_ptr_equal(again, one); /* the last one stays */
    tg_share_give(again);
}

static void what_a_policy_has_read_is_read_once_too(void **state)
{
    const char *path = find_settled();
    const struct tg_bundle *read, *same, *cut, *taken;
    struct tg_arena *arena = tg_arena_new();
    struct tg_file file = {0};

    (void)state;
    if (path == NULL)
        skip();
    assert_non_null(arena);
    assert_null(tg_file_read(arena, path, &file));
    read = tg_share_read(&file.status, file.data, file.size);
    same = tg_share_read(&file.status, file.data, file.size);
    taken = tg_share_take(path);
    assert_non_null(read);
    assert_ptr_equal(same, read);
    assert_ptr_equal(taken, read);
    cut = tg_share_read(&file.status, file.data, file.size - 1); /* not all of the file */
    assert_non_null(cut);
    assert_ptr_not_equal(cut, read);
    tg_share_give(read);
    tg_share_give(same);
    tg_share_give(taken);
    tg_share_give(cut);
    tg_file_clear(&file);
    tg_arena_free(arena);
}

static void what_just_changed_or_is_no_file_is_shared_with_nobody(void **state)
{
    const struct tg_bundle *one, *other, *text, *again;
    struct tg_arena *arena = tg_arena_new();
    const struct stat none = {0};
    struct tg_file file = {0};

    (void)state;
    put_aged("fresh.pem", HOUR);
    assert_non_null(arena);
    assert_null(tg_file_read(arena, "fresh.pem", &file));
    one = tg_share_read(&file.status, file.data, file.size);
    other = tg_share_read(&file.status, file.data, file.size);
    text = tg_share_read(&none, file.data, file.size);
    again = tg_share_read(&none, file.data, file.size);
    assert_true(one != NULL && other != NULL && text != NULL && again != NULL);
    assert_true(one != other && one != text && text != again);
    assert_null(tg_share_read(&none, "no certificate", 14));
    tg_share_give(one);
    tg_share_give(other);
    tg_share_give(text);
    tg_share_give(again);
    tg_file_clear(&file);
    tg_arena_free(arena);
}

static void what_is_no_regular_file_is_not_opened(void **state)
{
    (void)state;
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_null(tg_share_take("fifo"));
    assert_null(tg_share_take("."));
    assert_null(tg_share_take("absent"));
    assert_null(tg_share_take("/dev/null"));
    tg_share_give(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_just_changed_is_shared_with_nobody),
        cmocka_unit_test(a_file_that_is_to_change_is_shared_with_nobody),
        cmocka_unit_test(a_file_that_has_settled_is_read_once),
        cmocka_unit_test(what_a_policy_has_read_is_read_once_too),
        cmocka_unit_test(what_just_changed_or_is_no_file_is_shared_with_nobody),
        cmocka_unit_test(what_is_no_regular_file_is_not_opened),
    };
    static char folder[] = "/tmp/test_share.XXXXXX";

    if (folder_enter(folder) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)folder_remove(folder);
    return failed;
}
