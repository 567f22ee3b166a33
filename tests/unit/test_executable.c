/* The reader of ELF files, which must survive whatever somebody calls a program. */
/* The command is no library to link with. NOLINTNEXTLINE(bugprone-suspicious-include) */
#include "../../policy/cli/reach/executable.c"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define ROUNDS 4000

static unsigned char *image; /* of this test's own program */
static size_t image_size;
static char path[] = "/tmp/trustgraft-executable-XXXXXX";

static const char *const names[] = {"SSL_CTX_new", "main", "malloc", ""};

static int read_image(void **state)
{
    FILE *file = fopen("/proc/self/exe", "rbe");
    struct stat status;
    int fd = mkstemp(path);

    (void)state;
    if (fd == -1 || close(fd) == -1 || file == NULL || fstat(fileno(file), &status) == -1)
        return -1;
    image_size = (size_t)status.st_size;
    image = malloc(image_size);
    if (image == NULL || fread(image, 1, image_size, file) != image_size)
        return -1;
    return fclose(file);
}

static int free_image(void **state)
{
    (void)state;
    free(image);
    return unlink(path);
}

static void write_file(const void *data, size_t size)
{
    FILE *file = fopen(path, "wbe");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* Asks everything there is to ask about the file at `path`. */
static enum tg_executable_state ask_all(void)
{
    struct tg_executable file;
    enum tg_executable_state state = tg_executable_open(path, &file);

    for (size_t i = 0; state == TG_EXECUTABLE_READ && i < sizeof(names) / sizeof(names[0]); i++) {
        (void)tg_executable_exports(&file, names[i]);
        (void)tg_executable_needs(&file, names[i]);
    }
    if (state == TG_EXECUTABLE_READ)
        (void)tg_executable_is_go(&file);
    tg_executable_close(&file);
    return state;
}

static void our_own_program_is_read(void **state)
{
    struct tg_executable file;

    (void)state;
    assert_int_equal(tg_executable_open("/proc/self/exe", &file), TG_EXECUTABLE_READ);
    assert_non_null(strstr(file.interpreter, "ld"));
    assert_true(tg_executable_needs(&file, "libcmocka.so"));
    assert_false(tg_executable_needs(&file, "libgnutls.so"));
    assert_false(tg_executable_exports(&file, "SSL_CTX_new"));
    assert_false(tg_executable_is_go(&file));
    tg_executable_close(&file);
}

/* Every function of libc is looked up and found; none with another letter behind is. */
static void what_a_library_exports_is_found(void **state)
{
    static const char *const exported[] = {"malloc", "free", "printf", "memcpy", "open", "qsort"};
    struct link_map *map = _r_debug.r_map;
    struct tg_executable file;
    char other[16];

    (void)state;
    while (map != NULL && strstr(map->l_name, "/libc.so") == NULL)
        map = map->l_next;
    if (map == NULL) {
        fail_msg("no libc among the loaded objects");
        return;
    }
    assert_int_equal(tg_executable_open(map->l_name, &file), TG_EXECUTABLE_READ);
    for (size_t i = 0; i < sizeof(exported) / sizeof(exported[0]); i++) {
        assert_true(tg_executable_exports(&file, exported[i]));
        snprintf(other, sizeof(other), "%sQ", exported[i]);
        assert_false(tg_executable_exports(&file, other));
    }
    tg_executable_close(&file);
}

static void what_is_no_program_is_told_apart(void **state)
{
    struct tg_executable file;

    (void)state;
    write_file("#!/bin/sh\n", 10);
    assert_int_equal(ask_all(), TG_EXECUTABLE_NONE);
    write_file("", 0);
    assert_int_equal(ask_all(), TG_EXECUTABLE_NONE);
    assert_int_equal(tg_executable_open("/nowhere/program", &file), TG_EXECUTABLE_UNREADABLE);
    tg_executable_close(&file);
}

static void a_program_cut_off_anywhere_is_survived(void **state)
{
    (void)state;
    for (size_t size = 0; size < 4096; size += 8) {
        write_file(image, size);
        assert_true(ask_all() != TG_EXECUTABLE_READ || size >= sizeof(ElfW(Ehdr)));
    }
    write_file(image, image_size / 2);
    (void)ask_all();
}

/* A linear congruential generator: the same bytes in each run. */
static unsigned draw(unsigned below)
{
    static uint64_t seed = 2026;

    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(seed >> 33) % below;
}

static void write_at(size_t at, const void *data, size_t size)
{
    FILE *file = fopen(path, "r+be");

    assert_non_null(file);
    assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static size_t find_dynamic(void)
{
    const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)(const void *)image;
    const ElfW(Phdr) *segments = (const ElfW(Phdr) *)(const void *)(image + header->e_phoff);

    for (unsigned i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_DYNAMIC)
            return segments[i].p_offset;
    fail();
    return 0;
}

/* Among headers, segments and the dynamic section, one number at a time is made an odd one. */
static void hostile_headers_are_survived(void **state)
{
    static const uint64_t values[] = {0, 1, 8, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX};
    size_t dynamic = find_dynamic();

    (void)state;
    write_file(image, image_size);
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t at = round % 2 == 0 ? 16 + draw(1000) : dynamic + draw(500);
        uint64_t value = values[draw(sizeof(values) / sizeof(values[0]))];

        write_at(at, &value, sizeof(value));
        (void)ask_all();
        write_at(at, image + at, sizeof(value));
    }
    assert_int_equal(ask_all(), TG_EXECUTABLE_READ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_program_is_read),
        cmocka_unit_test(what_a_library_exports_is_found),
        cmocka_unit_test(what_is_no_program_is_told_apart),
        cmocka_unit_test(a_program_cut_off_anywhere_is_survived),
        cmocka_unit_test(hostile_headers_are_survived),
    };

    return cmocka_run_group_tests(tests, read_image, free_image);
}
