/* The directories on the way to a file: whose they are, and who can write them. */
#include "folder.h"
#include "parents.h"
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define OTHER 4711

static char work[] = "/tmp/tg-way.XXXXXX";
static struct tg_arena *arena;

static void put(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    assert_true(fd >= 0 && close(fd) == 0);
}

static const char *checked(const char *path)
{
    return tg_parents_check(arena, path, NULL);
}

static void assert_wrong(const char *path, const char *directory, const char *why)
{
    const char *wrong = checked(path);
    char expected[256];

    snprintf(expected, sizeof expected, "its directory %s/%s %s", work, directory, why);
    assert_non_null(wrong);
    assert_string_equal(wrong, expected);
}

static void make_tree(void)
{
    assert_int_equal(mkdir("a", 0755), 0);
    assert_int_equal(mkdir("a/b", 0755), 0);
    assert_int_equal(mkdir("a/b/c", 0755), 0);
    put("a/b/c/file");
    assert_int_equal(mkdir("links", 0755), 0);
    assert_int_equal(symlink("../a/b/c/file", "links/file"), 0);
    assert_int_equal(symlink("links/file", "twice"), 0);
    assert_int_equal(symlink("a/b", "folder"), 0);
    assert_int_equal(symlink("loop", "loop"), 0);
}

static const char *const ways[] = {"a/b/c/file", "a/../a/b/./c//file", "links/file", "twice",
                                   "folder/c/file"};

static void a_way_over_own_directories_is_good(void **state)
{
    char absolute[64];

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        assert_null(checked(ways[i]));
    snprintf(absolute, sizeof absolute, "%s/twice", work);
    assert_null(checked(absolute));
    assert_null(checked("/"));
    assert_null(checked("/etc/passwd"));
}

static void a_way_that_leads_nowhere_says_so(void **state)
{
    (void)state;
    assert_string_equal(checked("a/missing"), "No such file or directory");
    assert_string_equal(checked("missing/file"), "No such file or directory");
    assert_string_equal(checked("a/b/c/file/x"), "Not a directory");
    assert_string_equal(checked("loop"), "Too many levels of symbolic links");
}

static void a_directory_that_others_can_write_is_refused(void **state)
{
    static const char *const directories[] = {"a", "a/b", "a/b/c"};
    static const struct {
        mode_t mode;
        const char *why;
    } cases[] = {
        {0777, "is writable by group and others (mode 0777): chmod go-w"},
        {0775, "is writable by group (mode 0775): chmod g-w"},
        {0757, "is writable by others (mode 0757): chmod o-w"},
        {0711, NULL},
        {01777, NULL},
        {01775, NULL},
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < sizeof cases / sizeof *cases; j++) {
            assert_int_equal(chmod(directories[i], cases[j].mode), 0);
            for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
                if (cases[j].why)
                    assert_wrong(ways[k], directories[i], cases[j].why);
                else
                    assert_null(checked(ways[k]));
            }
        }
        assert_int_equal(chmod(directories[i], 0755), 0);
    }
}

/* Who can write it can make the link lead elsewhere. */
static void the_directory_of_a_link_counts(void **state)
{
    (void)state;
    assert_int_equal(chmod("links", 0777), 0);
    assert_wrong("links/file", "links", "is writable by group and others (mode 0777): chmod go-w");
    assert_wrong("twice", "links", "is writable by group and others (mode 0777): chmod go-w");
    assert_null(checked("a/b/c/file"));
    assert_int_equal(chmod("links", 0755), 0);
}

static void a_directory_of_another_user_is_refused(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown("a/b", OTHER, 0), 0);
    assert_wrong("twice", "a/b", "belongs to user 4711, neither to root nor to user 0");
    assert_int_equal(seteuid(OTHER), 0);
    assert_null(checked("a/b/c/file")); /* one's own, and root's */
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(chown("a/b", 0, 0), 0);
}

/* As in /tmp: what one has there nobody else can replace; what others have is theirs. */
static void a_sticky_directory_is_as_good_as_the_entry(void **state)
{
    const char *wrong;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod("a", 01777), 0);
    assert_null(checked("a/b/c/file"));
    assert_int_equal(chown("a/b", OTHER, 0), 0);
    wrong = checked("a/b/c/file");
    assert_non_null(wrong);
    assert_non_null(strstr(wrong, "/a/b on its way belongs to user 4711"));
    assert_int_equal(chown("a/b", 0, 0), 0);
    assert_int_equal(symlink("b/c/file", "a/link"), 0);
    assert_null(checked("a/link"));
    assert_int_equal(lchown("a/link", OTHER, 0), 0);
    wrong = checked("a/link");
    assert_non_null(wrong);
    assert_non_null(strstr(wrong, "/a/link on its way belongs to user 4711"));
    assert_int_equal(unlink("a/link"), 0);
    assert_int_equal(chmod("a", 0755), 0);
}

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd) != 0)
        _exit(77);
}

/* The child's exit status: 77 where it can't have a user namespace. */
static int in_namespace(const char *path)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        /* Without PR_SET_DUMPABLE its /proc would be root's. */
        if (setuid(OTHER) != 0 || prctl(PR_SET_DUMPABLE, 1) != 0 || unshare(CLONE_NEWUSER) != 0)
            _exit(77);
        write_text("/proc/self/uid_map", "0 4711 1");
        _exit(checked(path) != NULL);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* There, "/" and "/tmp" belong to a user that isn't mapped; so does what is another user's. */
static void the_root_directory_of_a_user_namespace_is_good(void **state)
{
    int own, theirs;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(".", OTHER, 0), 0);
    assert_int_equal(mkdir("own", 0755), 0);
    assert_int_equal(mkdir("own/theirs", 0755), 0);
    assert_int_equal(chown("own", OTHER, 0), 0);
    put("own/file");
    put("own/theirs/file");
    own = in_namespace("own/file");
    theirs = in_namespace("own/theirs/file");
    assert_int_equal(chown(".", 0, 0), 0);
    if (own == 77)
        skip();
    assert_int_equal(own, 0);
    assert_int_equal(theirs, 1);
}

/* Notes the way to PATH; whether it has changed is asked of what is returned. */
static struct tg_watch *noted(const char *path)
{
    struct tg_watch *list = NULL;

    assert_null(tg_parents_check(arena, path, &(struct tg_watching){arena, &list}));
    assert_false(tg_watch_changed(list));
    return list;
}

static void a_change_of_the_way_is_noticed(void **state)
{
    struct tg_watch *list = noted("twice");

    (void)state;
    put("a/b/unrelated");
    put("unrelated");
    assert_false(tg_watch_changed(list));
    assert_int_equal(chmod("a/b", 0777), 0);
    assert_true(tg_watch_changed(list));
    assert_int_equal(chmod("a/b", 0755), 0);
    assert_false(tg_watch_changed(list));
    assert_true(rename("a/b", "a/old") == 0 && mkdir("a/b", 0755) == 0);
    assert_true(tg_watch_changed(list));
    assert_true(rmdir("a/b") == 0 && symlink("old", "a/b") == 0);
    assert_true(tg_watch_changed(list));
    assert_true(unlink("a/b") == 0 && rename("a/old", "a/b") == 0);
    assert_false(tg_watch_changed(list));
    assert_int_equal(chmod("links", 0700), 0);
    assert_true(tg_watch_changed(list));
    assert_int_equal(chmod("links", 0755), 0);
}

static int set_up(void **state)
{
    (void)state;
    arena = tg_arena_new();
    if (!arena || folder_enter(work) != 0 || chmod(".", 0755) != 0)
        return -1;
    make_tree();
    return 0;
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
        cmocka_unit_test(a_way_over_own_directories_is_good),
        cmocka_unit_test(a_way_that_leads_nowhere_says_so),
        cmocka_unit_test(a_directory_that_others_can_write_is_refused),
        cmocka_unit_test(the_directory_of_a_link_counts),
        cmocka_unit_test(a_directory_of_another_user_is_refused),
        cmocka_unit_test(a_sticky_directory_is_as_good_as_the_entry),
        cmocka_unit_test(the_root_directory_of_a_user_namespace_is_good),
        cmocka_unit_test(a_change_of_the_way_is_noticed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
