/* test_sockets.c - to whom a process has connections, however many descriptors it has besides. */
#include "sockets.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROOM = 3, FILLING = 90, HIGH = 1500 };

/* A listener at a port of its own, and a connection to it. */
struct line {
    int listener, client, server;
    unsigned port;
};

static struct line line_open(int family)
{
    struct sockaddr_storage place = {.ss_family = (sa_family_t)family};
    socklen_t size = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    struct line line = {.listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)};

    if (family == AF_INET)
        ((struct sockaddr_in *)&place)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        ((struct sockaddr_in6 *)&place)->sin6_addr = in6addr_loopback;
    if (line.listener < 0 || bind(line.listener, (struct sockaddr *)&place, size) != 0)
        skip();
    assert_int_equal(listen(line.listener, 1), 0);
    assert_int_equal(getsockname(line.listener, (struct sockaddr *)&place, &size), 0);
    line.port = tg_socket_port(&place);
    line.client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(line.client, (struct sockaddr *)&place, size), 0);
    line.server = accept4(line.listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(line.server >= 0);
    return line;
}

static void line_close(const struct line *line)
{
    (void)close(line->listener);
    (void)close(line->client);
    (void)close(line->server);
}

/* So many that they aren't listed. */
static void fill(int some[FILLING])
{
    for (int i = 0; i < FILLING; i++)
        assert_true((some[i] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0);
}

static void empty(const int some[FILLING])
{
    for (int i = 0; i < FILLING; i++)
        (void)close(some[i]);
}

static void expect(const char *doubt, unsigned count, unsigned port)
{
    struct sockaddr_storage peers[ROOM];
    unsigned found;
    const char *why = tg_sockets_peers(SOCK_STREAM, TG_SOCKETS_MOST, peers, ROOM, &found);

    if (doubt == NULL ? why != NULL : why == NULL || strstr(why, doubt) == NULL)
        fail_msg("\"%s\", not \"%s\"", why, doubt);
    assert_int_equal(found, count);
    if (count > 0)
        assert_int_equal(tg_socket_port(&peers[0]), port);
}

/* With few descriptors and with many. */
static void expect_both(const char *doubt, unsigned count, unsigned port)
{
    int some[FILLING];

    expect(doubt, count, port);
    fill(some);
    expect(doubt, count, port);
    empty(some);
}

static void test_what_was_accepted_is_no_connection(void **state)
{
    static const int families[] = {AF_INET, AF_INET6};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct line line = line_open(families[i]);
        int other = dup(line.client);

        expect_both(NULL, 1, line.port); /* another descriptor of one connection is the same */
        (void)close(other);
        (void)close(line.client);
        line.client = -1;
        expect_both(NULL, 0, 0);
        line_close(&line);
    }
}

static void test_what_is_no_stream_over_ip_is_left_alone(void **state)
{
    struct line line = line_open(AF_INET);
    int pair[2], unconnected = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), pipes[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(pipe(pipes), 0);
    expect_both(NULL, 1, line.port);
    for (int i = 0; i < 2; i++) {
        (void)close(pair[i]);
        (void)close(pipes[i]);
    }
    (void)close(unconnected);
    line_close(&line);
}

static void test_more_peers_than_there_is_room_for_are_a_doubt(void **state)
{
    struct line lines[ROOM + 1];

    (void)state;
    for (int i = 0; i < ROOM + 1; i++)
        lines[i] = line_open(AF_INET);
    expect_both("more hosts than can be looked at", 0, 0);
    line_close(&lines[ROOM]);
    expect_both(NULL, ROOM, lines[0].port);
    for (int i = 0; i < ROOM; i++)
        line_close(&lines[i]);
}

/* The one that is left, at the highest number, as the last one in either list. */
static void test_a_high_number_is_no_place_to_hide(void **state)
{
    struct line line = line_open(AF_INET);
    int high;

    (void)state;
    high = fcntl(line.client, F_DUPFD_CLOEXEC, HIGH);
    if (high < 0)
        skip();
    (void)close(line.client);
    line.client = high;
    expect_both(NULL, 1, line.port);
    (void)close(high);
    high = fcntl(line.server, F_DUPFD_CLOEXEC, TG_SOCKETS_MOST);
    if (high >= 0)
        expect_both("more descriptors than can be looked at", 0, 0);
    (void)close(high);
    line_close(&line);
}

/* How many are found, by a thread that has the one connection beyond the end of the first thread's
 * table of descriptors; ROOM + 1: it can't. */
static void *count_in_own_table(void *descriptor)
{
    struct sockaddr_storage peers[ROOM];
    int client = *(int *)descriptor;
    unsigned found = ROOM + 1;

    if (unshare(CLONE_FILES) == 0 && dup2(client, HIGH) == HIGH && close(client) == 0)
        (void)tg_sockets_peers(SOCK_STREAM, TG_SOCKETS_MOST, peers, ROOM, &found);
    return (void *)(size_t)found; // NOLINT(performance-no-int-to-ptr)
}

static void test_a_thread_may_have_descriptors_of_its_own(void **state)
{
    struct line line = line_open(AF_INET);
    int some[FILLING];
    pthread_t thread;
    void *found;

    (void)state;
    fill(some);
    assert_int_equal(pthread_create(&thread, NULL, count_in_own_table, &line.client), 0);
    assert_int_equal(pthread_join(thread, &found), 0);
    empty(some);
    line_close(&line);
    if ((size_t)found == ROOM + 1)
        skip();
    assert_int_equal((size_t)found, 1);
}

static int set_up(void **state)
{
    struct rlimit limit;

    (void)state;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return -1;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_thread_may_have_descriptors_of_its_own),
        cmocka_unit_test(test_what_was_accepted_is_no_connection),
        cmocka_unit_test(test_what_is_no_stream_over_ip_is_left_alone),
        cmocka_unit_test(test_more_peers_than_there_is_room_for_are_a_doubt),
        cmocka_unit_test(test_a_high_number_is_no_place_to_hide),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
