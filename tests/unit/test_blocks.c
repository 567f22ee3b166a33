/* test_blocks.c - PEM blocks that can't be read, by an OpenSSL that fails as those before 3.0.8 may
 * (CVE-2022-4450). */
#include "blocks.h"
#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Where it fails otherwise than for want of a block, HEADER is something that was freed. */
__attribute__((visibility("default"))) int PEM_read_bio(BIO *bio, char **name, char **header,
                                                        unsigned char **data, long *length)
{
    __typeof__(&PEM_read_bio) real = (__typeof__(real))dlsym(RTLD_NEXT, "PEM_read_bio");
    int done = real(bio, name, header, data, length);

    if (!done && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
        *header = OPENSSL_zalloc(64);
        OPENSSL_free(*header);
    }
    return done;
}

static const char *count(struct tg_arena *arena, struct tg_block block, void *arg)
{
    (void)arena, (void)block;
    ++*(int *)arg;
    return NULL;
}

static void an_empty_block_is_refused_and_nothing_freed_twice(void **state)
{
    static char text[] = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
                         "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
    const struct tg_file file = {.data = text, .size = strlen(text)};
    const struct tg_block_kind kind = {.take = count};
    struct tg_arena *arena = tg_arena_new();
    int taken = 0;
    const char *wrong = tg_blocks_each(arena, &file, &kind, &taken);

    (void)state;
    assert_int_equal(taken, 1);
    assert_string_equal(wrong, "PEM block 2 is malformed or cut off");
    tg_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_block_is_refused_and_nothing_freed_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
