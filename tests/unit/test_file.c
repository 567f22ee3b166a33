/* Reading a policy's files: who may write them, and what is in them. */
#include "certfile.h"
#include "file.h"
#include "folder.h"
#include "hash.h"
#include "pki.h"
#include "text.h"
#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char work[] = "/tmp/tg-file.XXXXXX";
static struct tg_arena *arena;

static void put(const char *path, mode_t mode, const void *data, size_t size)
{
    FILE *out = fopen(path, "we");

    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void put_text(const char *path, const char *text)
{
    put(path, 0600, text, strlen(text));
}

/* PKI/NAME as text; free it. */
static char *read_pki(const char *name)
{
    struct tg_file file = {0};

    assert_null(tg_file_read(arena, pki_path(name), &file));
    return file.data;
}

static void assert_wrong(const char *wrong, const char *expected)
{
    assert_non_null(wrong);
    assert_string_equal(wrong, expected);
}

static bool add_one(void *arg, X509 *certificate)
{
    (*(int *)arg)++;
    return certificate != NULL;
}

static bool leave(void *arg, const struct tg_file *file, size_t blocks)
{
    (void)arg;
    return file->size == 0 && blocks == 0;
}

/* How many certificates are in PATH, as far as they were read; *WRONG is what is wrong with it. */
static int read_certificates(const char *path, const char **wrong)
{
    int found = 0;
    struct tg_certfile_to to = {add_one, leave, &found};

    *wrong = tg_file_certificates(arena, path, &to, NULL);
    return found;
}

/* The number of certificates in PATH, which has to be right. */
static int count(const char *path)
{
    const char *wrong;
    int found = read_certificates(path, &wrong);

    if (wrong)
        fail_msg("%s: %s", path, wrong);
    return found;
}

static const char *wrong_certificates(const char *path)
{
    const char *wrong;

    (void)read_certificates(path, &wrong);
    return wrong;
}

static void a_file_is_read_whole(void **state)
{
    static const char data[] = "one\ntwo\0three";
    struct tg_file file = {0};
    struct stat status;

    (void)state;
    put("whole", 0644, data, sizeof data - 1);
    assert_null(tg_file_read(arena, "whole", &file));
    assert_int_equal(file.size, sizeof data - 1);
    assert_memory_equal(file.data, data, sizeof data); /* with a NUL behind it */
    assert_int_equal(stat("whole", &status), 0);
    assert_true(file.status.st_ino == status.st_ino && file.status.st_dev == status.st_dev);
    tg_file_clear(&file);
    put_text("empty", "");
    assert_null(tg_file_read(arena, "empty", &file));
    assert_int_equal(file.size, 0);
    assert_string_equal(file.data, "");
    tg_file_clear(&file);
}

static void a_file_that_others_can_write_is_refused(void **state)
{
    static const struct {
        mode_t mode;
        const char *wrong;
    } cases[] = {
        {0600, NULL},
        {0444, NULL},
        {0755, NULL},
        {0620, "is writable by group (mode 0620): chmod g-w"},
        {0602, "is writable by others (mode 0602): chmod o-w"},
        {0666, "is writable by group and others (mode 0666): chmod go-w"},
        {04664, "is writable by group (mode 4664): chmod g-w"},
    };
    struct tg_file file = {0};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *wrong;

        put("mode", cases[i].mode, "x", 1);
        wrong = tg_file_read(arena, "mode", &file);
        if (cases[i].wrong)
            assert_wrong(wrong, cases[i].wrong);
        else
            assert_null(wrong);
        assert_true(cases[i].wrong ? file.data == NULL : file.data != NULL);
        tg_file_clear(&file);
        assert_int_equal(unlink("mode"), 0); /* of which even its owner may not write some */
    }
}

static void a_file_of_another_user_is_refused(void **state)
{
    struct tg_file file = {0};

    (void)state;
    if (geteuid() != 0)
        skip();
    put_text("other", "x");
    assert_int_equal(chown("other", 4711, 0), 0);
    assert_wrong(tg_file_read(arena, "other", &file),
                 "belongs to user 4711, neither to root nor to user 0");
    assert_int_equal(chmod("other", 0644), 0);
    assert_int_equal(chmod(".", 0755), 0);
    assert_int_equal(seteuid(4711), 0);
    assert_null(tg_file_read(arena, "other", &file)); /* one's own */
    tg_file_clear(&file);
    assert_int_equal(seteuid(0), 0);
    put_text("root", "x");
    assert_int_equal(chmod("root", 0644), 0);
    assert_int_equal(seteuid(4711), 0);
    assert_null(tg_file_read(arena, "root", &file)); /* root's */
    tg_file_clear(&file);
    assert_int_equal(seteuid(0), 0);
}

static void only_regular_files_are_read(void **state)
{
    struct tg_file file = {0};

    (void)state;
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(mkdir("directory", 0700), 0);
    assert_int_equal(symlink("whole", "link"), 0);
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    assert_wrong(tg_file_read(arena, "fifo", &file), "is not a regular file");
    assert_wrong(tg_file_read(arena, "/dev/null", &file), "is not a regular file");
    assert_wrong(tg_file_read(arena, "directory", &file), "is a directory, not a file");
    assert_wrong(tg_file_read(arena, "dangling", &file), "No such file or directory");
    assert_wrong(tg_file_read(arena, "missing", &file), "No such file or directory");
    assert_wrong(tg_file_read(arena, "whole/x", &file), "Not a directory");
    assert_null(tg_file_read(arena, "link", &file));
    tg_file_clear(&file);
}

static void a_file_has_a_largest_size(void **state)
{
    struct tg_file file = {0};

    (void)state;
    put_text("large", "x");
    assert_int_equal(truncate("large", (off_t)TG_FILE_MAX + 1), 0);
    assert_wrong(tg_file_read(arena, "large", &file), "is larger than 64 MiB");
    assert_int_equal(truncate("large", (off_t)TG_FILE_MAX), 0);
    assert_null(tg_file_read(arena, "large", &file));
    assert_int_equal(file.size, TG_FILE_MAX);
    tg_file_clear(&file);
}

static void certificates_come_from_pem_and_der(void **state)
{
    STACK_OF(X509) *certs = pki_certificates("api", "device", NULL);
    unsigned char *der = NULL;
    int length = i2d_X509(sk_X509_value(certs, 0), &der);
    struct tg_buf both = {0};
    char *root = read_pki("root.pem"), *api = read_pki("api.pem");

    (void)state;
    put("api.der", 0600, der, (size_t)length);
    assert_int_equal(count("api.der"), 1);
    assert_int_equal(count(pki_path("api.chain.pem")), 2);
    tg_buf_printf(&both, "Some words\r\n%s\nand more\n%s# end\n", root, api);
    put_text("both.pem", both.text);
    assert_int_equal(count("both.pem"), 2);
    tg_buf_free(&both);
    free(root);
    free(api);
    OPENSSL_free(der);
    pki_free(certs);
}

static void files_without_good_certificates_are_refused(void **state)
{
    char *api = read_pki("api.pem"), *key = read_pki("api.key");
    struct tg_buf text = {0};

    (void)state;
    put_text("none.pem", "");
    assert_wrong(wrong_certificates("none.pem"), "is empty");
    put_text("none.pem", "words\n");
    assert_wrong(wrong_certificates("none.pem"), "holds no certificate, neither in PEM nor in DER");
    assert_wrong(wrong_certificates("missing.pem"), "No such file or directory");
    tg_buf_printf(&text, "%s%s", api, key);
    put_text("key.pem", text.text);
    assert_wrong(wrong_certificates("key.pem"),
                 "holds a PEM block \"PRIVATE KEY\" where certificates are expected");
    tg_buf_free(&text);
    tg_buf_printf(&text, "%s-----BEGIN CERTIFICATE-----\nAAAA\n", api);
    put_text("cut.pem", text.text);
    assert_wrong(wrong_certificates("cut.pem"), "PEM block 2 is malformed or cut off");
    tg_buf_free(&text);
    tg_buf_printf(&text, "%s -----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", api);
    put_text("indented.pem", text.text);
    assert_wrong(wrong_certificates("indented.pem"), "begins 2 PEM blocks but 1 can be read");
    tg_buf_free(&text);
    put_text("bad.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert_wrong(wrong_certificates("bad.pem"), "certificate 1 doesn't parse");
    put("nul.pem", 0600, "-----BEGIN CERTIFICATE-----\n\0\n", 30);
    assert_wrong(wrong_certificates("nul.pem"), "holds a NUL byte among its PEM");
    free(api);
    free(key);
}

static void der_with_anything_behind_is_refused(void **state)
{
    STACK_OF(X509) *certs = pki_certificates("api", NULL);
    unsigned char *der = NULL, longer[8192] = {0};
    int length = i2d_X509(sk_X509_value(certs, 0), &der);

    (void)state;
    assert_true(length > 0 && length < 8191);
    memcpy(longer, der, (size_t)length);
    put("longer.der", 0600, longer, (size_t)length + 1);
    assert_wrong(wrong_certificates("longer.der"), "certificate 1 doesn't parse");
    put("shorter.der", 0600, der, (size_t)length - 1);
    assert_wrong(wrong_certificates("shorter.der"), "certificate 1 doesn't parse");
    OPENSSL_free(der);
    pki_free(certs);
}

static void a_directory_gives_its_certificates(void **state)
{
    char *api = read_pki("api.pem"), *root = read_pki("root.pem");

    (void)state;
    assert_int_equal(mkdir("certs", 0700), 0);
    assert_wrong(wrong_certificates("certs"), "holds no file *.pem, *.crt, *.cer, *.der or HASH.N");
    put_text("certs/README", "not looked at");
    put_text("certs/1a2b3c4d.r0", "a CRL is not looked at");
    put_text("certs/api.crt", api);
    put_text("certs/1a2b3c4d.0", api);
    assert_int_equal(count("certs"), 2); /* the same, twice */
    put_text("certs/root.pem", root);
    assert_int_equal(count("certs"), 3);
    put_text("certs/zzz.cer", "broken");
    assert_wrong(wrong_certificates("certs"),
                 "zzz.cer: holds no certificate, neither in PEM nor in DER");
    put("certs/zzz.cer", 0622, api, strlen(api));
    assert_wrong(wrong_certificates("certs"),
                 "zzz.cer: is writable by group and others (mode 0622): chmod go-w");
    assert_int_equal(unlink("certs/zzz.cer"), 0);
    assert_int_equal(chmod("certs", 01777), 0);
    assert_wrong(wrong_certificates("certs"),
                 "is writable by group and others (mode 1777): chmod go-w");
    assert_int_equal(chmod("certs", 0755), 0);
    assert_int_equal(count("certs"), 3);
    free(api);
    free(root);
}

static void a_key_comes_from_its_certificate_or_alone(void **state)
{
    STACK_OF(X509) *certs = pki_certificates("api", NULL);
    X509 *certificate = sk_X509_value(certs, 0);
    unsigned char expected[TG_SHA256_SIZE], found[TG_SHA256_SIZE];
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem;
    long length;

    (void)state;
    assert_int_equal(tg_hash_spki(certificate, expected), 1);
    assert_null(tg_file_spki(arena, pki_path("api.pem"), found, NULL));
    assert_memory_equal(found, expected, sizeof found);
    assert_int_equal(PEM_write_bio_PUBKEY(bio, X509_get0_pubkey(certificate)), 1);
    length = BIO_get_mem_data(bio, &pem);
    put("public.pem", 0600, pem, (size_t)length);
    memset(found, 0, sizeof found);
    assert_null(tg_file_spki(arena, "public.pem", found, NULL));
    assert_memory_equal(found, expected, sizeof found);
    BIO_free(bio);
    pki_free(certs);
}

static void a_pin_file_with_no_or_several_keys_is_refused(void **state)
{
    unsigned char found[TG_SHA256_SIZE] = {0}, zero[TG_SHA256_SIZE] = {0};

    (void)state;
    assert_wrong(tg_file_spki(arena, pki_path("api.chain.pem"), found, NULL),
                 "holds 2 certificates or keys, where one is expected");
    assert_wrong(tg_file_spki(arena, pki_path("api.key"), found, NULL),
                 "holds a PEM block \"PRIVATE KEY\" where a certificate or public key is expected");
    put_text("key-only.pem", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
    assert_wrong(tg_file_spki(arena, "key-only.pem", found, NULL), "its public key doesn't parse");
    assert_wrong(tg_file_spki(arena, "nothing.pem", found, NULL), "No such file or directory");
    assert_memory_equal(found, zero, sizeof found);
}

static void the_error_queue_is_left_as_it_was(void **state)
{
    (void)state;
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 42);
    assert_int_equal(count(pki_path("api.chain.pem")), 2);
    assert_non_null(wrong_certificates("bad.pem"));
    assert_non_null(wrong_certificates("cut.pem"));
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), 42);
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
    assert_int_equal(ERR_get_error(), 0);
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
        cmocka_unit_test(a_file_is_read_whole),
        cmocka_unit_test(a_file_that_others_can_write_is_refused),
        cmocka_unit_test(a_file_of_another_user_is_refused),
        cmocka_unit_test(only_regular_files_are_read),
        cmocka_unit_test(a_file_has_a_largest_size),
        cmocka_unit_test(certificates_come_from_pem_and_der),
        cmocka_unit_test(files_without_good_certificates_are_refused),
        cmocka_unit_test(der_with_anything_behind_is_refused),
        cmocka_unit_test(a_directory_gives_its_certificates),
        cmocka_unit_test(a_key_comes_from_its_certificate_or_alone),
        cmocka_unit_test(a_pin_file_with_no_or_several_keys_is_refused),
        cmocka_unit_test(the_error_queue_is_left_as_it_was),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
