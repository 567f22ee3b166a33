/* test_loaded.c - what is found in a library's own tables is what dlsym(3) finds there. */
#include "loaded.h"
#include <dlfcn.h>
#include <gnu/lib-names.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* libc has several versions of each, or one that nobody can link to any more. */
static const char *const versioned[] = {
    "realpath",          "glob",         "posix_spawn", "nftw",       "regexec",
    "pthread_cond_wait", "fmemopen",     "quick_exit",  "glob64",     "pthread_cond_signal",
    "sched_setaffinity", "posix_spawnp", "sysctl",      "nfsservctl", "pthread_attr_init",
    "pthread_create",    "pthread_join", "semctl",      "msgctl",     "timer_create",
};

static void test_a_name_means_the_version_that_programs_link_to(void **state)
{
    void *libc = dlopen(LIBC_SO, RTLD_LAZY | RTLD_NOLOAD);
    const struct link_map *map = tg_elf_map(dlsym(libc, "realpath"));
    struct tg_elf elf;

    (void)state;
    assert_non_null(map);
    assert_true(tg_elf_open(&elf, map->l_addr, map->l_ld));
    for (size_t i = 0; i < sizeof versioned / sizeof *versioned; i++)
        if (tg_elf_definition(&elf, versioned[i]) != dlsym(libc, versioned[i]))
            fail_msg("%s is another version", versioned[i]);
    assert_null(tg_elf_definition(&elf, "there is no such function"));
    assert_int_equal(dlclose(libc), 0);
}

static void test_a_library_is_found_by_its_soname(void **state)
{
    void *libc = dlopen(LIBC_SO, RTLD_LAZY | RTLD_NOLOAD), *found = tg_elf_loaded(LIBC_SO);

    (void)state;
    assert_non_null(libc);
    assert_ptr_equal(found, libc);
    assert_null(tg_elf_loaded("libnss_files.so.2")); /* it is there, but not in this process */
    assert_null(tg_elf_loaded("libc.so"));
    assert_int_equal(dlclose(found), 0);
    assert_int_equal(dlclose(libc), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name_means_the_version_that_programs_link_to),
        cmocka_unit_test(test_a_library_is_found_by_its_soname),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
