/*
 * An image that is damaged, cut off, stale, foreign or somebody else's: its text counts, or a rule
 * that refuses; none is ever missed. `trustgraft compile` of TG_BUILD writes it.
 */
#include "compiled.h"
#include "knownhosts.h"
#include "match.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char work[] = "/tmp/tg-image.XXXXXX", command[8192], path[64], image_path[80];

static const char text[] = "[policy]\n"
                           "unmatched = verify\n"
                           "include = more/*.conf\n"
                           "[profile strict]\n"
                           "min-tls = 1.3\n"
                           "[host one.test *.one.test]\n"
                           "profile = strict\n"
                           "[host 192.0.2.0/24:443]\n"
                           "leaf-pin = sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                           "pins-expire = 2001-01-01\n"
                           "[host two.test]\n"
                           "program = /bin/sh, curl\n"
                           "action = reject\n"
                           "[host two.test]\n"
                           "known-hosts = known\n";

static const char known[] = "a.test sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                            "b.test:8443 sha256/BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=\n";

static void shell(const char *format, ...)
{
    char line[16384];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (system(line) != 0)
        fail_msg("%s", line);
}

static void write_file(const char *name, const char *content)
{
    FILE *out = fopen(name, "w");

    assert_non_null(out);
    assert_true(fputs(content, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void compile(void)
{
    shell("rm -rf * && mkdir more");
    write_file("policy.conf", text);
    write_file("known", known);
    write_file("more/a.conf", "[host three.test]\nstrict = yes\n");
    shell("%s compile -p policy.conf >out 2>&1", command);
}

static int set_up(void **state)
{
    const char *build = getenv("TG_BUILD");
    char real[4096];

    (void)state;
    assert_non_null(realpath(build ? build : "build", real));
    snprintf(command, sizeof command, "%s/trustgraft", real);
    umask(022);
    assert_non_null(mkdtemp(work));
    assert_int_equal(chdir(work), 0);
    snprintf(path, sizeof path, "%s/policy.conf", work);
    snprintf(image_path, sizeof image_path, "%s" TG_IMAGE_SUFFIX, path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(chdir("/"), 0);
    shell("rm -rf %s", work);
    return 0;
}

/* ---- questions ----------------------------------------------------------------------------- */

static const struct question {
    const char *host;
    unsigned port;
    const char *program;
    unsigned line; /* of the rule that applies; 0: unmatched */
} questions[] = {
    {"one.test", 443, NULL, 6},      {"x.one.test", 1, NULL, 6},
    {"192.0.2.9", 443, NULL, 8},     {"two.test", 443, "/usr/bin/curl", 11},
    {"two.test", 443, "/bin/x", 14}, {"three.test", 443, NULL, 1},
    {"four.test", 443, NULL, 0},     {NULL, 443, "/usr/bin/curl", 6},
    {".test", 443, "/bin/x", 14},
};

enum { QUESTIONS = sizeof questions / sizeof *questions };

/* How many questions got the refusal of what can't be told; each other answer has to be right. */
static int ask(const tg_policy *policy)
{
    int refused = 0;

    for (size_t i = 0; i < QUESTIONS; i++) {
        const struct question *about = &questions[i];
        struct tg_match match =
            tg_policy_match(policy, about->host, about->port, about->program);

        assert_non_null(match.rule); /* unmatched is verify */
        if (match.rule->problem != NULL) {
            assert_true(match.kind != TG_MATCH_UNMATCHED);
            assert_int_equal(match.rule->action, TG_ACTION_REJECT);
            assert_int_equal(match.rule->mode, TG_MODE_ENFORCE);
            refused++;
        } else if (match.rule->where.line != about->line) {
            fail_msg("%s: line %u, not %u", about->host ? about->host : "unknown",
                     match.rule->where.line, about->line);
        }
    }
    return refused;
}

/* Opens it; the text counts instead, NOTE says so with WORD, and all is as ever. */
static void expect_text(const char *word)
{
    struct tg_diags diags = {0};
    char *note;
    tg_policy *policy = tg_policy_open(path, &diags, &note);

    assert_non_null(policy);
    assert_false(tg_policy_is_compiled(policy));
    if (note == NULL || strstr(note, word) == NULL)
        fail_msg("the note is \"%s\", without \"%s\"", note, word);
    assert_int_equal(ask(policy), 0);
    tg_policy_free(policy);
    free(note);
}

static tg_policy *expect_image(void)
{
    struct tg_diags diags = {0};
    char *note;
    tg_policy *policy = tg_policy_open(path, &diags, &note);

    assert_non_null(policy);
    if (note != NULL)
        fail_msg("%s", note);
    assert_true(tg_policy_is_compiled(policy));
    return policy;
}

static void test_it_counts_as_long_as_nothing_changed(void **state)
{
    tg_policy *policy;

    (void)state;
    compile();
    policy = expect_image();
    assert_int_equal(ask(policy), 0);
    assert_int_equal(ask(policy), 0);
    tg_policy_free(policy);
}

/* ---- damage -------------------------------------------------------------------------------- */

static unsigned char bytes[1 << 16];
static size_t size;

static void read_image(void)
{
    int fd = open(image_path, O_RDONLY);

    assert_true(fd >= 0);
    size = (size_t)read(fd, bytes, sizeof bytes);
    assert_true(size > 4 * TG_IMAGE_BLOCK && size < sizeof bytes);
    close(fd);
}

static void put(size_t at, unsigned char byte)
{
    int fd = open(image_path, O_WRONLY);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    close(fd);
}

static void test_no_changed_byte_makes_another_answer(void **state)
{
    size_t texts = 0, refusals = 0;

    (void)state;
    compile();
    read_image();
    for (size_t at = 0; at < size; at++) {
        struct tg_diags diags = {0};
        tg_policy *policy;
        char *note;

        put(at, (unsigned char)(bytes[at] ^ (1u << (at % 8))));
        policy = tg_policy_open(path, &diags, &note);
        assert_non_null(policy);
        if (tg_policy_is_compiled(policy)) {
            refusals += ask(policy) > 0;
        } else {
            assert_non_null(note);
            assert_int_equal(ask(policy), 0);
            texts++;
        }
        if (at < TG_IMAGE_BLOCK)
            assert_false(tg_policy_is_compiled(policy));
        tg_policy_free(policy);
        free(note);
        put(at, bytes[at]);
    }
    assert_true(texts > TG_IMAGE_BLOCK && refusals > TG_IMAGE_BLOCK);
}

static void test_what_is_cut_off_is_not_used(void **state)
{
    (void)state;
    compile();
    read_image();
    for (size_t length = size - 1; length > 0; length -= length > 97 ? 97 : length) {
        assert_int_equal(truncate(image_path, (off_t)length), 0);
        expect_text("truncated");
    }
    assert_int_equal(truncate(image_path, 0), 0);
    expect_text("truncated");
    compile();
    shell("cat /dev/zero | head -c 1000 >>%s", image_path);
    expect_text("corrupted");
}

/* The process goes on, and refuses what it can't tell. */
static void test_cutting_off_what_is_mapped_ends_no_process(void **state)
{
    (void)state;
    for (int lengths = 0; lengths < 4; lengths++) {
        tg_policy *policy;

        compile();
        read_image();
        policy = expect_image();
        assert_int_equal(truncate(image_path, (off_t)(size * (size_t)lengths / 4)), 0);
        if (lengths == 0)
            assert_int_equal(ask(policy), QUESTIONS);
        else
            (void)ask(policy);
        tg_policy_free(policy);
    }
}

/* What was read before stays. */
static void test_what_a_process_has_it_keeps(void **state)
{
    tg_policy *policy;

    (void)state;
    compile();
    policy = expect_image();
    assert_int_equal(ask(policy), 0);
    assert_int_equal(truncate(image_path, 0), 0);
    assert_null(tg_policy_match(policy, "one.test", 443, NULL).rule->problem);
    assert_non_null(tg_policy_match(policy, "new.test", 443, NULL).rule->problem);
    assert_true(tg_watch_changed(policy->watch)); /* so that the next look reads the text */
    tg_policy_free(policy);
}

/* From now on process_vm_readv(2) gets what DOES says. */
static void filter(unsigned does)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, does),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(77);
}

/* 0: all answers were right, and once it was cut off all were refusals. */
static int ask_and_cut(unsigned before, unsigned after)
{
    tg_policy *policy;
    int status;
    pid_t child;

    compile();
    child = fork();
    if (child == 0) {
        if (before != 0)
            filter(before);
        policy = expect_image();
        if (after != 0)
            filter(after);
        if (ask(policy) != 0 || truncate(image_path, 0) != 0 ||
            tg_policy_match(policy, "new.test", 1, NULL).rule->problem == NULL)
            _exit(1);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    return status;
}

/* One that was there before may end who makes a call it doesn't know: it isn't made. */
static void test_filters_of_system_calls_end_no_process(void **state)
{
    (void)state;
    assert_int_equal(ask_and_cut(0, 0), 0);
    assert_int_equal(ask_and_cut(SECCOMP_RET_KILL_PROCESS, 0), 0);
    assert_int_equal(ask_and_cut(0, SECCOMP_RET_ERRNO | EPERM), 0);
    assert_int_equal(ask_and_cut(0, SECCOMP_RET_ERRNO | ENOSYS), 0);
}

static void *ask_in_thread(void *policy)
{
    for (int i = 0; i < 200; i++)
        if (ask(policy) != 0)
            return policy;
    return NULL;
}

static void test_threads_and_children_ask_at_once(void **state)
{
    pthread_t threads[4];
    tg_policy *policy;
    int status;
    pid_t child;

    (void)state;
    compile();
    policy = expect_image();
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_in_thread, policy), 0);
    child = fork();
    if (child == 0)
        _exit(ask(policy));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    for (int i = 0; i < 4; i++) {
        void *failed;

        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    tg_policy_free(policy);
}

/* ---- whose it is ---------------------------------------------------------------------------- */

static void test_what_others_may_have_written_is_not_used(void **state)
{
    (void)state;
    compile();
    assert_int_equal(chmod(image_path, 0664), 0);
    expect_text("is writable by group");
    assert_int_equal(chmod(image_path, 0646), 0);
    expect_text("is writable by others");
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
    char name[80];

    (void)state;
    compile();
    snprintf(name, sizeof name, "%s/known", work);
    image = tg_known_open(name, &diags);
    assert_non_null(image);
    assert_int_equal(tg_known_find(image, "a.test", 0)->line, 1);
    assert_null(tg_known_find(image, "a.test", 8443));
    assert_int_equal(tg_known_find(image, "b.test", 8443)->pins[0][0], 4);
    assert_null(tg_known_find(image, "c.test", 0));
    strcat(name, TG_IMAGE_SUFFIX);
    assert_int_equal(truncate(name, 0), 0);
    assert_int_equal(tg_known_find(image, "a.test", 0)->line, 1);
    assert_true(tg_known_damaged(tg_known_find(image, "c.test", 0)));
    tg_known_free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_counts_as_long_as_nothing_changed),
        cmocka_unit_test(test_no_changed_byte_makes_another_answer),
        cmocka_unit_test(test_what_is_cut_off_is_not_used),
        cmocka_unit_test(test_cutting_off_what_is_mapped_ends_no_process),
        cmocka_unit_test(test_what_a_process_has_it_keeps),
        cmocka_unit_test(test_filters_of_system_calls_end_no_process),
        cmocka_unit_test(test_threads_and_children_ask_at_once),
        cmocka_unit_test(test_what_others_may_have_written_is_not_used),
        cmocka_unit_test(test_nobody_reads_in_it_what_they_could_not_read),
        cmocka_unit_test(test_whatever_changes_makes_it_stale),
        cmocka_unit_test(test_lines_of_known_hosts_do_not),
        cmocka_unit_test(test_what_another_trustgraft_wrote_is_foreign),
        cmocka_unit_test(test_known_hosts_are_found_or_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
