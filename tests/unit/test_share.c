/* Who shares a file of certificates with others of the process, and who doesn't. */
#include "folder.h"
#include "pki.h"
#include "share.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#define HOUR 3600

static void put(const char *path, const char *from, time_t age)
{
    struct timespec times[2] = {{.tv_sec = time(NULL) - age}, {.tv_sec = time(NULL) - age}};
    char text[8192];
    FILE *source = fopen(pki_path(from), "re"), *file = fopen(path, "we");
    size_t length;

    assert_non_null(source);
    assert_non_null(file);
    length = fread(text, 1, sizeof text, source);
    assert_true(length > 0 && length < sizeof text);
    assert_int_equal(fwrite(text, 1, length, file), length);
    (void)fclose(source);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void a_file_that_just_changed_is_shared_with_nobody(void **state)
{
    const struct tg_bundle *one, *other;

    (void)state;
    put("fresh.pem", "root.pem", HOUR); /* ctime is now */
    one = tg_share_take("fresh.pem");
    other = tg_share_take("fresh.pem");
    assert_non_null(one);
    assert_non_null(other);
    assert_ptr_not_equal(one, other);
    tg_share_give(one);
    tg_share_give(other);
}

/* By whoever set its times, or by a clock that was wrong then. */
static void a_file_that_is_to_change_is_shared_with_nobody(void **state)
{
    const struct tg_bundle *one, *other;

    (void)state;
    put("future.pem", "root.pem", -HOUR);
    sleep(4); /* its ctime is settled */
    one = tg_share_take("future.pem");
    other = tg_share_take("future.pem");
    assert_non_null(one);
    assert_non_null(other);
    assert_ptr_not_equal(one, other);
    tg_share_give(one);
    tg_share_give(other);
}

/* Of the system, so that it is old enough. */
static void a_file_that_has_settled_is_read_once(void **state)
{
    const char *path = X509_get_default_cert_file();
    const struct tg_bundle *one = NULL, *other = NULL, *again = NULL;

    (void)state;
    if (access(path, R_OK) != 0)
        path = "/etc/ssl/certs/ca-certificates.crt";
    if (access(path, R_OK) != 0)
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
        cmocka_unit_test(what_is_no_regular_file_is_not_opened),
    };
    static char folder[] = "/tmp/test_share.XXXXXX";

    if (folder_enter(folder) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)folder_remove(folder);
    return failed;
}
