/*
 * An image that is damaged, or cut off while it is mapped: its text counts, or a rule that refuses;
 * none is ever missed.
 */
#include "images.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

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

/* One may end who makes a call it doesn't know: it isn't made. */
static void test_filters_of_system_calls_end_no_process(void **state)
{
    (void)state;
    assert_int_equal(ask_and_cut(0, 0), 0);
    assert_int_equal(ask_and_cut(SECCOMP_RET_KILL_PROCESS, 0), 0);
    assert_int_equal(ask_and_cut(0, SECCOMP_RET_KILL_PROCESS), 0);
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
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
