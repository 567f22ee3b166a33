/* What a pattern of `include` leads through, for those who may not go everywhere. */
#include "folder.h"
#include "load.h"
#include "policy.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void put(const char *path, const char *text)
{
    FILE *out = fopen(path, "we");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

/* What somebody but root finds in "pattern.conf"; malloc'd, NULL: no error. */
static char *errors_of_others(void)
{
    char *errors = NULL;
    bool root = geteuid() == 0;

    assert_true(!root || seteuid(65534) == 0);
    tg_policy_free(tg_policy_load("pattern.conf", &errors));
    assert_true(!root || seteuid(0) == 0);
    return errors;
}

static void what_a_pattern_may_not_look_up_is_an_error(void **state)
{
    static const char *const patterns[] = {"parts/*/one.conf", "parts/*/sub/one.conf",
                                           "parts/[s]hut/*.conf"};
    char text[80], *errors;

    (void)state;
    assert_int_equal(chmod(".", 0755), 0);
    assert_true(mkdir("parts", 0755) == 0 && mkdir("parts/shut", 0755) == 0);
    assert_true(mkdir("parts/shut/sub", 0755) == 0 && symlink("gone", "parts/link") == 0);
    put("parts/file", "no folder\n");
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        (void)snprintf(text, sizeof(text), "[policy]\ninclude = %s\n", patterns[i]);
        put("pattern.conf", text);
        assert_int_equal(chmod("parts/shut", 0755), 0);
        assert_null(errors_of_others());
        assert_int_equal(chmod("parts/shut", 0444), 0);
        errors = errors_of_others();
        assert_non_null(errors);
        assert_non_null(strstr(errors, "parts/shut: can't be searched: Permission denied"));
        free(errors);
    }
    assert_int_equal(chmod("parts/shut", 0755), 0);
}

/* A link into a folder that may not be entered: what it leads to may be a folder with rules. */
static void a_link_that_may_not_be_followed_is_an_error(void **state)
{
    char *errors;

    (void)state;
    assert_true(chmod(".", 0755) == 0 && mkdir("links", 0755) == 0 && mkdir("closed", 0755) == 0);
    assert_true(mkdir("closed/in", 0755) == 0 && symlink("../closed/in", "links/in") == 0);
    put("pattern.conf", "[policy]\ninclude = links/*/one.conf\n");
    assert_null(errors_of_others());
    assert_int_equal(chmod("closed", 0444), 0);
    errors = errors_of_others();
    assert_non_null(errors);
    assert_non_null(strstr(errors, "Permission denied"));
    free(errors);
    assert_int_equal(chmod("closed", 0755), 0);
}

static int enter(void **state)
{
    static char folder[] = "/tmp/tg-include-XXXXXX";

    *state = folder;
    return folder_enter(folder);
}

static int leave(void **state)
{
    return folder_remove(*state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_pattern_may_not_look_up_is_an_error),
        cmocka_unit_test(a_link_that_may_not_be_followed_is_an_error),
    };

    return cmocka_run_group_tests(tests, enter, leave);
}
