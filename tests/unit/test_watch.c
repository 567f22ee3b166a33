/* What a policy's files were when they were read: no later, no earlier, and no other file. */
#include "certfile.h"
#include "file.h"
#include "folder.h"
#include "pki.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char work[] = "/tmp/tg-watch.XXXXXX";
static struct tg_arena *arena;
static const char *swapped; /* while this is opened, "other" stands in its place */
static time_t set_time;     /* what clocks say, unless 0 */

/* Instead of libc's. */
int openat(int directory, const char *name, int flags, ...)
{
    const char *at = swapped;
    int fd;

    swapped = NULL;
    if (at)
        assert_true(rename(at, "aside") == 0 && rename("other", at) == 0);
    fd = (int)syscall(SYS_openat, directory, name, flags, 0);
    if (at)
        assert_true(rename(at, "other") == 0 && rename("aside", at) == 0);
    return fd;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    *now = (struct timespec){.tv_sec = set_time};
    return set_time != 0 ? 0 : (int)syscall(SYS_clock_gettime, clock, now);
}

static void put(const char *path, const char *name)
{
    struct tg_file file = {0};
    FILE *out;

    assert_null(tg_file_read(arena, pki_path(name), &file));
    out = fopen(path, "we");
    assert_non_null(out);
    assert_int_equal(fwrite(file.data, 1, file.size, out), file.size);
    assert_int_equal(fclose(out), 0);
    tg_file_clear(&file);
}

static bool take(void *arg, X509 *certificate)
{
    (void)arg;
    return certificate != NULL;
}

static bool leave(void *arg, const struct tg_file *file, size_t blocks)
{
    (void)arg;
    return file->size == 0 && blocks == 0;
}

/* Reads the certificates of PATH; returns what was noted of it. */
static struct tg_watch *read_certificates(const char *path)
{
    struct tg_watch *list = NULL;
    const struct tg_watching watching = {arena, &list};
    struct tg_certfile_to nowhere = {take, leave, NULL};

    assert_null(tg_file_certificates(arena, path, &nowhere, &watching));
    return list;
}

static void what_stays_as_it_was_is_unchanged(void **state)
{
    (void)state;
    put("one.pem", "root.pem");
    assert_false(tg_watch_changed(read_certificates("one.pem")));
    assert_false(tg_watch_changed(NULL));
}

static void what_is_written_replaced_or_removed_is_changed(void **state)
{
    struct tg_watch *written, *replaced, *removed;

    (void)state;
    put("one.pem", "root.pem");
    written = read_certificates("one.pem");
    put("one.pem", "other-root.pem");
    assert_true(tg_watch_changed(written));
    replaced = read_certificates("one.pem");
    put("two.pem", "other-root.pem");
    assert_int_equal(rename("two.pem", "one.pem"), 0);
    assert_true(tg_watch_changed(replaced));
    removed = read_certificates("one.pem");
    assert_int_equal(unlink("one.pem"), 0);
    assert_true(tg_watch_changed(removed));
}

/* Before and behind it the file is the same; read was another. */
static void a_file_that_only_stood_there_while_it_was_opened_is_noticed(void **state)
{
    struct tg_watch *list;

    (void)state;
    put("one.pem", "root.pem");
    put("other", "other-root.pem");
    swapped = "one.pem";
    list = read_certificates("one.pem");
    assert_null(swapped);
    assert_true(tg_watch_changed(list));
}

static void a_directory_that_only_stood_there_while_it_was_opened_is_noticed(void **state)
{
    struct tg_watch *list;

    (void)state;
    assert_true(unlink("other") == 0 && mkdir("other", 0700) == 0 && mkdir("some", 0700) == 0);
    put("some/one.pem", "root.pem");
    put("other/one.pem", "other-root.pem");
    assert_false(tg_watch_changed(read_certificates("some")));
    swapped = "some";
    list = read_certificates("some");
    assert_null(swapped);
    assert_true(tg_watch_changed(list));
}

static void what_comes_into_a_directory_or_changes_there_is_noticed(void **state)
{
    struct tg_watch *list = read_certificates("some");

    (void)state;
    put("some/two.pem", "other-root.pem");
    assert_true(tg_watch_changed(list));
    list = read_certificates("some");
    put("some/two.pem", "intermediate.pem");
    assert_true(tg_watch_changed(list));
}

static void what_is_absent_is_noticed_when_it_comes(void **state)
{
    struct tg_watch *list = NULL;

    (void)state;
    assert_true(tg_watch_add(&(struct tg_watching){arena, &list}, "to-come"));
    assert_false(tg_watch_changed(list));
    assert_int_equal(mkdir("to-come", 0700), 0);
    assert_true(tg_watch_changed(list));
}

/* It may be about to be written; a file that isn't there, or that holds something, isn't. */
static void a_file_emptied_just_now_is_told_from_others(void **state)
{
    struct tg_watch *list = NULL;
    struct stat emptied;
    const struct tg_watching watching = {arena, &list};

    (void)state;
    put("one.pem", "root.pem");
    assert_true(tg_watch_add(&watching, "one.pem") && tg_watch_add(&watching, "missing"));
    assert_false(tg_watch_emptied(list));
    assert_int_equal(truncate("one.pem", 0), 0);
    assert_int_equal(stat("one.pem", &emptied), 0);
    set_time = emptied.st_ctim.tv_sec;
    assert_false(tg_watch_emptied(list));
    assert_true(tg_watch_add(&watching, "one.pem"));
    assert_true(tg_watch_emptied(list));
    set_time = emptied.st_ctim.tv_sec + 2;
    assert_true(tg_watch_emptied(list));
    set_time = emptied.st_ctim.tv_sec + 3;
    assert_false(tg_watch_emptied(list));
    set_time = emptied.st_ctim.tv_sec - 1; /* the clock was set back */
    assert_false(tg_watch_emptied(list));
    set_time = 0;
}

static int set_up(void **state)
{
    (void)state;
    arena = tg_arena_new();
    return arena ? folder_enter(work) : -1;
}

static int tear_down(void **state)
{
    (void)state;
    tg_arena_free(arena);
    return folder_remove(work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stays_as_it_was_is_unchanged),
        cmocka_unit_test(what_is_written_replaced_or_removed_is_changed),
        cmocka_unit_test(a_file_that_only_stood_there_while_it_was_opened_is_noticed),
        cmocka_unit_test(a_directory_that_only_stood_there_while_it_was_opened_is_noticed),
        cmocka_unit_test(what_comes_into_a_directory_or_changes_there_is_noticed),
        cmocka_unit_test(what_is_absent_is_noticed_when_it_comes),
        cmocka_unit_test(a_file_emptied_just_now_is_told_from_others),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
