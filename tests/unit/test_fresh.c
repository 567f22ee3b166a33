/*
 * Which images count: not those that are stale, foreign, or that somebody else could have written.
 * The text does then, and a sentence says why.
 */
#include "images.h"
#include <fcntl.h>
#include <sys/stat.h>

/* ---- whose it is ---------------------------------------------------------------------------- */

static void test_what_others_may_have_written_is_not_used(void **state)
{
    char *note;

    (void)state;
    compile();
    assert_int_equal(chmod(image_path, 0664), 0);
    expect_text("is writable by group");
    assert_int_equal(chmod(image_path, 0646), 0);
    expect_text("is writable by others");
    assert_int_equal(chmod(image_path, 0644), 0);
    assert_int_equal(chmod(work, 0770), 0);
    assert_null(tg_compiled_open(path, &note));
    assert_non_null(strstr(note, "it can't be opened: its directory "));
    free(note);
    assert_int_equal(chmod(work, 0700), 0);
    assert_int_equal(chmod(image_path, 0644), 0);
    tg_policy_free(expect_image());
    if (geteuid() == 0) {
        assert_int_equal(chown(image_path, 12345, 0), 0);
        expect_text("belongs to user 12345");
        assert_int_equal(chown(image_path, 0, 0), 0);
    }
    shell("mv %s real && ln -s real %s", image_path, image_path);
    expect_text("is a symbolic link");
    shell("rm %s && mkfifo %s", image_path, image_path);
    expect_text("is not a regular file");
    shell("rm %s && mkdir %s", image_path, image_path);
    expect_text("is a directory");
}

static void test_nobody_reads_in_it_what_they_could_not_read(void **state)
{
    struct stat status;

    (void)state;
    compile();
    assert_int_equal(stat(image_path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0644);
    assert_int_equal(chmod("more/a.conf", 0600), 0);
    shell("%s compile -p policy.conf >out 2>&1", command);
    assert_int_equal(stat(image_path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    tg_policy_free(expect_image());
}

/* ---- staleness ------------------------------------------------------------------------------ */

static void test_whatever_changes_makes_it_stale(void **state)
{
    static const struct {
        const char *change, *word;
    } changes[] = {
        {"cp -p policy.conf new && mv new policy.conf", "inode"},
        {"echo '# longer' >>policy.conf", "policy.conf: its size"},
        {"sed -i s/strict/strikt/ policy.conf; sed -i s/strikt/strict/ policy.conf", "policy.conf"},
        {"touch policy.conf", "its time of modification"},
        {"touch -r policy.conf ref; chmod 600 policy.conf", "its time of change"},
        {"printf '[host five.test]\\n' >more/b.conf", "more"},
        {"touch -d 2001-01-01 more/a.conf", "more/a.conf: its time of modification"},
        {"mkdir other; cp -p more/* other; mv more old; mv other more", "more"},
        {"chmod 711 .", "its mode or owner"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        compile();
        shell("%s", changes[i].change);
        expect_text("is stale: ");
        expect_text(changes[i].word);
        shell("chmod 700 .");
    }
}

static void test_lines_of_known_hosts_do_not(void **state)
{
    tg_policy *policy;

    (void)state;
    compile();
    write_file("known", "a.test sha256/BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=\n");
    policy = expect_image();
    assert_int_equal(ask(policy), 0);
    assert_false(tg_watch_changed(policy->watch));
    write_file("known", "");
    assert_true(tg_watch_changed(policy->watch));
    tg_policy_free(policy);
    shell("rm known");
    {
        struct tg_diags diags = {0};
        char *note;

        assert_null(tg_policy_open(path, &diags, &note));
        assert_non_null(strstr(note, "stale"));
        free(note);
        tg_diags_clear(&diags);
    }
}

/* Rewrites the header as MEND leaves it, with the checksum that it has then. */
static void mend_header(void (*mend)(struct tg_image_header *header))
{
    unsigned char block[TG_IMAGE_BLOCK];
    struct tg_image_header header;
    uint64_t sum;
    int fd = open(image_path, O_RDWR);

    assert_int_equal(pread(fd, block, sizeof block, 0), sizeof block);
    memcpy(&header, block, sizeof header);
    mend(&header);
    memcpy(block, &header, sizeof header);
    sum = tg_image_checksum(header.id, 0, block);
    assert_int_equal(pwrite(fd, block, sizeof block, 0), sizeof block);
    assert_int_equal(pwrite(fd, &sum, sizeof sum, (off_t)(header.blocks * TG_IMAGE_BLOCK)),
                     sizeof sum);
    close(fd);
}

static void swap_order(struct tg_image_header *header)
{
    header->order = __builtin_bswap32(header->order);
}

static void narrow(struct tg_image_header *header)
{
    header->pointer = 12 - header->pointer;
}

static void age(struct tg_image_header *header)
{
    header->format++;
}

static void rename_version(struct tg_image_header *header)
{
    header->version[0]++;
}

static void retype(struct tg_image_header *header)
{
    header->content = TG_IMAGE_KNOWN_HOSTS;
}

/* As if it had been written right when its sources were. */
static void hasten(struct tg_image_header *header)
{
    struct stat status;

    assert_int_equal(stat("policy.conf", &status), 0);
    header->begun = status.st_ctim.tv_sec;
    header->begun_ns = status.st_ctim.tv_nsec;
}

static void test_what_another_trustgraft_wrote_is_foreign(void **state)
{
    static void (*const menders[])(struct tg_image_header *) = {swap_order, narrow, age,
                                                                rename_version, retype};

    (void)state;
    for (size_t i = 0; i < sizeof menders / sizeof *menders; i++) {
        compile();
        mend_header(menders[i]);
        expect_text("is foreign");
    }
    compile();
    mend_header(hasten);
    expect_text("had only just been written");
    compile();
    shell("mkdir copy && cp -rp policy.conf policy.conf.compiled known more copy");
    snprintf(path, sizeof path, "%s/copy/policy.conf", work);
    expect_text("it was made of");
    snprintf(path, sizeof path, "%s/policy.conf", work);
}

/* ---- known hosts ---------------------------------------------------------------------------- */

static void test_known_hosts_are_found_or_refused(void **state)
{
    struct tg_diags diags = {0};
    struct tg_known *image;
    char name[80], compiled[96], *note;

    (void)state;
    compile();
    snprintf(name, sizeof name, "%s/known", work);
    image = tg_known_open(name, &diags, &note);
    assert_non_null(image);
    assert_null(note);
    assert_int_equal(tg_known_find(image, "a.test", 0)->line, 1);
    assert_null(tg_known_find(image, "a.test", 8443));
    assert_int_equal(tg_known_find(image, "b.test", 8443)->pins[0][0], 4);
    assert_null(tg_known_find(image, "c.test", 0));
    assert_true((size_t)snprintf(compiled, sizeof compiled, "%s" TG_IMAGE_SUFFIX, name) <
                sizeof compiled);
    assert_int_equal(truncate(compiled, 0), 0);
    assert_int_equal(tg_known_find(image, "a.test", 0)->line, 1);
    assert_true(tg_known_damaged(tg_known_find(image, "c.test", 0)));
    tg_known_free(image);
    image = tg_known_open(name, &diags, &note);
    assert_non_null(image);
    assert_non_null(strstr(note, "known.compiled isn't used: it is truncated"));
    assert_null(tg_known_find(image, "c.test", 0));
    tg_known_free(image);
    free(note);
    assert_int_equal(truncate(name, 1), 0);
    assert_null(tg_known_open(name, &diags, &note));
    assert_null(note);
    assert_int_equal(diags.count, 2);
    tg_diags_clear(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_others_may_have_written_is_not_used),
        cmocka_unit_test(test_nobody_reads_in_it_what_they_could_not_read),
        cmocka_unit_test(test_whatever_changes_makes_it_stale),
        cmocka_unit_test(test_lines_of_known_hosts_do_not),
        cmocka_unit_test(test_what_another_trustgraft_wrote_is_foreign),
        cmocka_unit_test(test_known_hosts_are_found_or_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
