/* test_symtab.c - functions by the .symtab of a file, which may be anybody's: this program's own,
 * and copies of it that were tampered with. */
#include "symtab_program.h"
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROUNDS = 4000 };

/* Of each kind one. */
int SSL_new(void);
int second_function(void);
__attribute__((weak)) int weak_function(void);
int some_data;

__attribute__((noinline)) int SSL_new(void)
{
    return 1;
}

__attribute__((noinline)) int second_function(void)
{
    return 2;
}

__attribute__((weak)) int weak_function(void)
{
    return 3;
}

__attribute__((noinline, used)) static int local_function(void)
{
    return 4;
}

__asm__(".globl chosen_function\n.type chosen_function, @gnu_indirect_function\n"
        ".set chosen_function, second_function\n");
__asm__(".globl absolute_function\n.type absolute_function, @function\n"
        ".set absolute_function, 0x1234\n");

static int copy = -1; /* of the file, in memory */
static unsigned char *image;
static size_t image_size;
static struct tg_symtab_mapped mapped;

static int find_program(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size, (void)arg;
    mapped = (struct tg_symtab_mapped){info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum};
    return 1;
}

static int read_image(void **state)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat status;

    (void)state;
    if (fd < 0 || fstat(fd, &status) != 0)
        return -1;
    image_size = (size_t)status.st_size;
    image = malloc(image_size);
    copy = memfd_create("copy", MFD_CLOEXEC);
    if (image == NULL || copy < 0 || pread(fd, image, image_size, 0) != (ssize_t)image_size ||
        pwrite(copy, image, image_size, 0) != (ssize_t)image_size)
        return -1;
    dl_iterate_phdr(find_program, NULL);
    return close(fd);
}

static int free_image(void **state)
{
    (void)state;
    free(image);
    return close(copy);
}

#define header() ((const ElfW(Ehdr) *)image)

/* The section of TYPE, the first from the end. */
static const ElfW(Shdr) *section(unsigned type)
{
    const ElfW(Shdr) *sections = (const ElfW(Shdr) *)(image + header()->e_shoff);

    for (size_t i = header()->e_shnum; i-- > 0;)
        if (sections[i].sh_type == type)
            return &sections[i];
    fail_msg("there is no such section");
    return NULL;
}

static size_t place(const void *in_image)
{
    return (size_t)((const unsigned char *)in_image - image);
}

/* Reads the copy, in which the SIZE bytes at OFFSET are changed to BYTES for that time. */
static enum tg_symtab_state read_with(size_t offset, const void *bytes, size_t size,
                                      struct tg_symtab *symtab)
{
    enum tg_symtab_state state;

    assert_true(offset + size <= image_size);
    assert_int_equal(pwrite(copy, bytes, size, (off_t)offset), size);
    state = tg_symtab_read(copy, &mapped, symtab);
    assert_int_equal(pwrite(copy, image + offset, size, (off_t)offset), size);
    return state;
}

static void expect_with(enum tg_symtab_state wanted, size_t offset, const void *bytes, size_t size)
{
    struct tg_symtab symtab;

    assert_int_equal(read_with(offset, bytes, size, &symtab), wanted);
    tg_symtab_free(&symtab);
}

static const ElfW(Sym) *symbol(const char *name)
{
    const ElfW(Shdr) *symbols = section(SHT_SYMTAB);
    const ElfW(Shdr) *strings = (const ElfW(Shdr) *)(image + header()->e_shoff) + symbols->sh_link;
    const ElfW(Sym) *all = (const ElfW(Sym) *)(image + symbols->sh_offset);

    for (size_t i = 0; i < symbols->sh_size / sizeof(*all); i++)
        if (strcmp((const char *)image + strings->sh_offset + all[i].st_name, name) == 0)
            return &all[i];
    fail_msg("there is no symbol %s", name);
    return NULL;
}

static void test_global_functions_are_found_and_nothing_else(void **state)
{
    const char *const others[] = {"weak_function",
                                  "local_function",
                                  "some_data",
                                  "chosen_function",
                                  "absolute_function",
                                  "no such function",
                                  "memfd_create",
                                  "",
                                  "_start",
                                  "test_global_functions_are_found_and_nothing_else"};
    struct tg_symtab symtab;

    (void)state;
    assert_int_equal(tg_symtab_read(copy, &mapped, &symtab), TG_SYMTAB_READ);
    assert_ptr_equal(tg_symtab_find(&symtab, "SSL_new"), SSL_new);
    assert_ptr_equal(tg_symtab_find(&symtab, "second_function"), second_function);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (tg_symtab_find(&symtab, others[i]) != NULL)
            fail_msg("%s is taken", others[i]);
    (void)symbol("chosen_function"), (void)symbol("absolute_function");
    tg_symtab_free(&symtab);
}

static void test_a_file_without_being_mapped(void **state)
{
    struct tg_symtab symtab;

    (void)state;
    assert_int_equal(tg_symtab_read(copy, NULL, &symtab), TG_SYMTAB_READ);
    assert_int_equal((ElfW(Addr))tg_symtab_find(&symtab, "SSL_new"), symbol("SSL_new")->st_value);
    tg_symtab_free(&symtab);
}

static void test_this_process(void **state)
{
    enum tg_symtab_state found;
    const struct tg_symtab *symtab = tg_symtab_program(&found);

    (void)state;
    assert_non_null(symtab);
    assert_int_equal(found, TG_SYMTAB_READ);
    assert_ptr_equal(tg_symtab_find(symtab, "SSL_new"), SSL_new);
}

static void test_a_name_that_two_functions_have_is_nobodys(void **state)
{
    ElfW(Sym) other = *symbol("second_function");
    struct tg_symtab symtab;

    (void)state;
    other.st_name = symbol("SSL_new")->st_name;
    (void)read_with(place(symbol("second_function")), &other, sizeof(other), &symtab);
    assert_null(tg_symtab_find(&symtab, "SSL_new"));
    tg_symtab_free(&symtab);
}

static void test_a_function_outside_the_code_is_none(void **state)
{
    const ElfW(Addr) places[] = {0, (ElfW(Addr))-1, (ElfW(Addr))&some_data - mapped.base,
                                 (ElfW(Addr))&copy};

    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        ElfW(Sym) other = *symbol("SSL_new");

        other.st_value = places[i];
        expect_with(TG_SYMTAB_WITHOUT, place(symbol("SSL_new")), &other, sizeof(other));
    }
}

/* What is read piece by piece: wherever NAME stands in SIZE bytes of other names. */
static enum tg_symtab_state search_for(const char *name, size_t at, size_t size)
{
    char *names = malloc(size);
    struct tg_symtab_file file = {.fd = memfd_create("names", MFD_CLOEXEC), .size = size};
    enum tg_symtab_state state;

    assert_non_null(names);
    memset(names, 'n', size);
    for (size_t i = 0; i < size; i += 100)
        names[i] = '\0';
    names[size - 1] = '\0';
    memcpy(names + at, name, strlen(name) + 1);
    assert_int_equal(write(file.fd, names, size), size);
    file.strings.sh_size = size;
    state = tg_symtab_file_search(&file);
    free(names);
    assert_int_equal(close(file.fd), 0);
    return state;
}

static void test_a_name_is_found_wherever_it_stands(void **state)
{
    const size_t piece = 32768, size = 2 * piece + 777;

    (void)state;
    for (size_t at = piece - 40; at < piece + 20; at++) {
        assert_int_equal(search_for("SSL_CTX_new", at, size), TG_SYMTAB_READ);
        assert_int_equal(search_for("SSL_CTX_now", at, size), TG_SYMTAB_WITHOUT);
    }
    assert_int_equal(search_for("SSL_new", 1, size), TG_SYMTAB_READ);
    assert_int_equal(search_for("SSL_new", size - 8, size), TG_SYMTAB_READ);
    assert_int_equal(search_for("SSL_new", piece - 8, piece), TG_SYMTAB_READ);
    assert_int_equal(search_for("SSL_newer", 500, size), TG_SYMTAB_WITHOUT);
}

/* ---- the build-id --------------------------------------------------------------------------- */

/* Where the build-id's own note lies in the file. */
static size_t find_id(void)
{
    const ElfW(Shdr) *sections = (const ElfW(Shdr) *)(image + header()->e_shoff);

    for (size_t i = 0; i < header()->e_shnum; i++) {
        const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)(image + sections[i].sh_offset);

        if (sections[i].sh_type == SHT_NOTE && note->n_type == NT_GNU_BUILD_ID)
            return sections[i].sh_offset;
    }
    fail_msg("this program has no build-id");
    return 0;
}

static void test_another_file_is_not_taken(void **state)
{
    int fd = open("/bin/true", O_RDONLY | O_CLOEXEC);
    size_t id = find_id() + sizeof(ElfW(Nhdr)) + sizeof("GNU");
    unsigned char changed = image[id + 3] ^ 1;
    ElfW(Nhdr) shorter = *(const ElfW(Nhdr) *)(image + find_id());
    struct tg_symtab symtab;

    (void)state;
    assert_int_equal(tg_symtab_read(fd, &mapped, &symtab), TG_SYMTAB_REPLACED);
    tg_symtab_free(&symtab);
    assert_int_equal(close(fd), 0);
    expect_with(TG_SYMTAB_REPLACED, id + 3, &changed, 1);
    shorter.n_descsz -= 4;
    expect_with(TG_SYMTAB_REPLACED, find_id(), &shorter, sizeof(shorter));
}

static void test_no_build_id(void **state)
{
    const ElfW(Nhdr) notes[] = {
        {4, 20, 99}, {4, 1 << 30, NT_GNU_BUILD_ID}, {4, 0, NT_GNU_BUILD_ID}};
    struct tg_symtab_mapped without = mapped;
    struct tg_symtab symtab;

    (void)state;
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
        expect_with(TG_SYMTAB_NO_ID, find_id(), &notes[i], sizeof(notes[i]));
    expect_with(TG_SYMTAB_NO_ID, find_id() + sizeof(ElfW(Nhdr)), "XYZ", 3);
    without.count = 0;
    assert_int_equal(tg_symtab_read(copy, &without, &symtab), TG_SYMTAB_NO_ID);
    assert_null(tg_symtab_find(&symtab, "SSL_new"));
    tg_symtab_free(&symtab);
}

/* ---- damage --------------------------------------------------------------------------------- */

static void test_offsets_beyond_the_file(void **state)
{
    const ElfW(Shdr) *symbols = section(SHT_SYMTAB);
    const uint64_t huge[] = {(uint64_t)-1, (uint64_t)1 << 62, image_size + 1, (uint64_t)-8};
    const uint32_t link = 0xffffffff;
    const uint16_t half = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(huge) / sizeof(huge[0]); i++) {
        const ElfW(Shdr) *strings =
            (const ElfW(Shdr) *)(image + header()->e_shoff) + symbols->sh_link;

        expect_with(TG_SYMTAB_DAMAGED, offsetof(ElfW(Ehdr), e_shoff), &huge[i], 8);
        expect_with(TG_SYMTAB_DAMAGED, offsetof(ElfW(Ehdr), e_phoff), &huge[i], 8);
        expect_with(TG_SYMTAB_DAMAGED, place(&symbols->sh_offset), &huge[i], 8);
        expect_with(TG_SYMTAB_DAMAGED, place(&symbols->sh_size), &huge[i], 8);
        expect_with(TG_SYMTAB_DAMAGED, place(&strings->sh_offset), &huge[i], 8);
        expect_with(TG_SYMTAB_DAMAGED, place(&strings->sh_size), &huge[i], 8);
    }
    expect_with(TG_SYMTAB_DAMAGED, place(&symbols->sh_link), &link, 4);
    expect_with(TG_SYMTAB_DAMAGED, place(&symbols->sh_entsize), &half, 2);
    expect_with(TG_SYMTAB_DAMAGED, offsetof(ElfW(Ehdr), e_shentsize), &half, 2);
    expect_with(TG_SYMTAB_DAMAGED, offsetof(ElfW(Ehdr), e_phentsize), &half, 2);
    expect_with(TG_SYMTAB_DAMAGED, 0, "\177ELG", 4);
    expect_with(TG_SYMTAB_STRIPPED, offsetof(ElfW(Ehdr), e_shoff), "\0\0\0\0\0\0\0\0", 8);
    expect_with(TG_SYMTAB_STRIPPED, place(&symbols->sh_type), "\1\0\0\0", 4);
}

static void test_names_beyond_the_strings(void **state)
{
    const uint32_t beyond = 0xfffffff0;
    struct tg_symtab symtab;

    (void)state;
    assert_int_equal(read_with(place(&symbol("second_function")->st_name), &beyond, 4, &symtab),
                     TG_SYMTAB_READ);
    assert_null(tg_symtab_find(&symtab, "second_function"));
    assert_ptr_equal(tg_symtab_find(&symtab, "SSL_new"), SSL_new);
    tg_symtab_free(&symtab);
}

static void test_a_file_that_is_cut_off(void **state)
{
    struct tg_symtab symtab;

    (void)state;
    for (size_t size = image_size - 1; size > 0; size = size * 7 / 8) {
        assert_int_equal(ftruncate(copy, (off_t)size), 0);
        assert_int_not_equal(tg_symtab_read(copy, &mapped, &symtab), TG_SYMTAB_READ);
        tg_symtab_free(&symtab);
    }
    assert_int_equal(pwrite(copy, image, image_size, 0), image_size);
    assert_int_equal(tg_symtab_read(-1, &mapped, &symtab), TG_SYMTAB_UNREADABLE);
    tg_symtab_free(&symtab);
}

/* Whatever was read is a function of this program, or nothing. */
static void test_bytes_changed_at_random(void **state)
{
    const ElfW(Shdr) *symbols = section(SHT_SYMTAB);
    const size_t starts[] = {0, header()->e_phoff, header()->e_shoff, symbols->sh_offset};
    const size_t sizes[] = {sizeof(ElfW(Ehdr)), header()->e_phnum * sizeof(ElfW(Phdr)),
                            header()->e_shnum * sizeof(ElfW(Shdr)), symbols->sh_size};

    (void)state;
    srandom(1);
    for (int i = 0; i < ROUNDS; i++) {
        size_t which = (size_t)random() % 4;
        size_t at = starts[which] + (size_t)random() % sizes[which];
        unsigned char byte = (unsigned char)random();
        struct tg_symtab symtab;

        (void)read_with(at, &byte, 1, &symtab);
        for (size_t j = 0; j < symtab.slot_count; j++)
            if (symtab.slots[j].name != 0 && symtab.slots[j].value != 0)
                assert_true(tg_symtab_is_loaded(mapped.segments, mapped.count, PF_X,
                                                symtab.slots[j].value, 1));
        tg_symtab_free(&symtab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_global_functions_are_found_and_nothing_else),
        cmocka_unit_test(test_a_file_without_being_mapped),
        cmocka_unit_test(test_this_process),
        cmocka_unit_test(test_a_name_that_two_functions_have_is_nobodys),
        cmocka_unit_test(test_a_function_outside_the_code_is_none),
        cmocka_unit_test(test_a_name_is_found_wherever_it_stands),
        cmocka_unit_test(test_another_file_is_not_taken),
        cmocka_unit_test(test_no_build_id),
        cmocka_unit_test(test_offsets_beyond_the_file),
        cmocka_unit_test(test_names_beyond_the_strings),
        cmocka_unit_test(test_a_file_that_is_cut_off),
        cmocka_unit_test(test_bytes_changed_at_random),
    };

    return cmocka_run_group_tests(tests, read_image, free_image);
}
