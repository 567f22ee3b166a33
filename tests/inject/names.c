/* names.c - the table of looked-up names behind the preloaded library (preload/names.h). */
#include "../../preload/names.h"
#include "../../preload/ends.h"
#include "../../preload/hellos.h"
#include "../../preload/slot.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int failed;

static void check(const char *what, int right)
{
    (void)printf("%s %s\n", right ? "ok    " : "FAILED", what);
    failed += !right;
}

static struct sockaddr_in ipv4(unsigned number)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(0x0a000000 + number)}};
}

static struct sockaddr_in6 mapped(unsigned number)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6};
    uint32_t bytes = htonl(0x0a000000 + number);

    address.sin6_addr.s6_addr[10] = address.sin6_addr.s6_addr[11] = 0xff;
    memcpy(&address.sin6_addr.s6_addr[12], &bytes, 4);
    return address;
}

static void remember(const char *name, unsigned first, unsigned count)
{
    struct sockaddr_in *address = calloc(count, sizeof(*address));
    struct addrinfo *list = calloc(count, sizeof(*list));

    for (unsigned i = 0; address != NULL && list != NULL && i < count; i++) {
        address[i] = ipv4(first + i);
        list[i].ai_addr = (struct sockaddr *)&address[i];
        list[i].ai_addrlen = sizeof(address[i]);
        list[i].ai_next = i + 1 < count ? &list[i + 1] : NULL;
    }
    tg_names_add_addrinfo(name, list);
    free(address);
    free(list);
}

static struct tg_inject_names names_of(unsigned number)
{
    struct sockaddr_in address = ipv4(number);
    struct tg_inject_names found;

    tg_names_find((struct sockaddr *)&address, sizeof(address), &found);
    return found;
}

/* NAME is the newest of COUNT names. */
static int leads_to(unsigned number, const char *name, unsigned count)
{
    struct tg_inject_names found = names_of(number);

    return found.count == count && (count == 0 || strcmp(found.name[0], name) == 0);
}

static void *hammer(void *arg)
{
    for (unsigned i = 0; i < 200000; i++)
        remember("one.example", 7, 1);
    return arg;
}

/* Threads that look up the same host lose nothing by it, and whoever asks meanwhile sees that. */
static int stays_whole(void)
{
    pthread_t thread[2];
    int right = 1;

    remember("one.example", 7, 1);
    for (int i = 0; i < 2; i++) {
        if (pthread_create(&thread[i], NULL, hammer, NULL) != 0)
            return 0;
    }
    for (unsigned i = 0; i < 100000; i++)
        right &= leads_to(7, "one.example", 1) && !names_of(7).more;
    for (int i = 0; i < 2; i++)
        (void)pthread_join(thread[i], NULL);
    return right && leads_to(7, "one.example", 1) && !names_of(7).more;
}

#define RECORD 32 /* words of a slot that two threads write and a third reads */

static tg_slot_word shared[1 + RECORD];

static void *write_slot(void *arg)
{
    uint64_t record[RECORD];

    for (uint64_t i = 1; i < 300000; i++) {
        for (size_t j = 0; j < RECORD; j++)
            record[j] = i;
        (void)tg_slot_write(shared, record, RECORD, 2 * i);
    }
    return arg;
}

/* A record is never half of one and half of another, nor older than what was read before. */
static int never_torn(void)
{
    pthread_t thread[2];
    uint64_t record[RECORD], last = 0, got = 0;
    int torn = 0;

    for (int i = 0; i < 2; i++) {
        if (pthread_create(&thread[i], NULL, write_slot, NULL) != 0)
            return 0;
    }
    while (last < 500000) {
        got = tg_slot_read(shared, record, RECORD);
        if (got == 0)
            continue;
        for (size_t j = 0; j < RECORD; j++)
            torn += record[j] != got / 2;
        torn += got < last;
        last = got;
    }
    for (int i = 0; i < 2; i++)
        (void)pthread_join(thread[i], NULL);
    return torn == 0;
}

/* Children of a process that is always in the middle of a write. */
static int survives_fork(void)
{
    pthread_t thread;
    int right = 1, status = 0;

    if (pthread_create(&thread, NULL, hammer, NULL) != 0)
        return 0;
    for (int i = 0; i < 50; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            (void)alarm(10);
            remember("child.example", 9, 1);
            _exit(leads_to(9, "child.example", 1) ? 0 : 1);
        }
        right &= waitpid(pid, &status, 0) == pid && status == 0;
    }
    (void)pthread_join(thread, NULL);
    return right;
}

/* Socket and address of a listener on loopback. */
static int listener(struct sockaddr_in *address)
{
    socklen_t size = sizeof(*address);
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (bind(descriptor, (struct sockaddr *)address, size) != 0 || listen(descriptor, 9) != 0 ||
        getsockname(descriptor, (struct sockaddr *)address, &size) != 0)
        return -1;
    return descriptor;
}

static struct tg_inject_names names_at(int descriptor, const struct sockaddr_in *address)
{
    struct tg_inject_names found;

    tg_ends_names(descriptor, (const struct sockaddr *)address, sizeof(*address), &found);
    return found;
}

static void name_loopback(const char *name)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct addrinfo list = {.ai_addr = (struct sockaddr *)&address, .ai_addrlen = sizeof(address)};

    tg_names_add_addrinfo(name, &list);
}

/* What was looked up when a socket was connected stays with it, whatever is looked up later. */
static void stays_with_sockets(void)
{
    struct sockaddr_in address;
    int front = listener(&address), one = socket(AF_INET, SOCK_STREAM, 0), other, copy;
    struct tg_inject_names found;

    name_loopback("first.example");
    tg_ends_connect(one, (struct sockaddr *)&address, sizeof(address));
    check("a socket is connected",
          front >= 0 && connect(one, (struct sockaddr *)&address, sizeof(address)) == 0);
    name_loopback("second.example");
    found = names_at(one, &address);
    check("later look-ups don't count",
          found.count == 1 && !found.more && strcmp(found.name[0], "first.example") == 0);
    copy = fcntl(one, F_DUPFD, 700);
    found = names_at(copy, &address);
    check("a duplicate has the same", found.count == 1);
    other = socket(AF_INET, SOCK_STREAM, 0);
    check("another socket has what is known now", names_at(other, &address).count == 2);
    (void)dup2(other, one);
    check("also under the number of the first", names_at(one, &address).count == 2);
    check("the copy keeps it", names_at(copy, &address).count == 1);
    address.sin_addr.s_addr = htonl(0x0a000001);
    check("at another address it says nothing", names_at(copy, &address).count != 1);
    (void)close(front), (void)close(one), (void)close(other), (void)close(copy);
}

/* ---- two threads at once ---- */

#define ROUNDS 1500

static atomic_uint arrived;

/* Lets both threads go on at the same time. */
static void meet(unsigned number)
{
    (void)atomic_fetch_add(&arrived, 1);
    for (unsigned spins = 0; atomic_load(&arrived) < 2 * (number + 1); spins++)
        if (spins > 1000)
            (void)sched_yield();
}

static void begin_rounds(void)
{
    arrived = 0;
}

static void *name_at_once(void *name)
{
    for (unsigned i = 0; i < ROUNDS / 50; i++) {
        meet(i);
        remember(name, 0x10000 + 50 * i, 50);
    }
    return NULL;
}

static bool run_both(void *(*run)(void *), void *one, void *other)
{
    pthread_t thread;

    begin_rounds();
    if (pthread_create(&thread, NULL, run, one) != 0)
        return false;
    (void)run(other);
    return pthread_join(thread, NULL) == 0;
}

/* None of two names for one address pushes the other out, or it is said. */
static bool keeps_both_names(void)
{
    unsigned lost = 0;
    bool ran = run_both(name_at_once, (void *)"one.example", (void *)"other.example");

    for (unsigned i = 0; i < ROUNDS; i++) {
        struct tg_inject_names found = names_of(0x10000 + i);

        lost += found.count != 2 && !found.more;
    }
    return ran && lost == 0;
}

/* The name that is looked up again and again is known all the time. */
static bool stays_known(void)
{
    pthread_t thread;
    unsigned unknown = 0;

    remember("beside.example", 7, 1);
    if (pthread_create(&thread, NULL, hammer, NULL) != 0)
        return false;
    for (unsigned i = 0; i < 200000; i++) {
        remember("beside.example", 7, 1);
        unknown += names_of(7).more;
    }
    (void)pthread_join(thread, NULL);
    return unknown == 0;
}

/* A ClientHello as far as it is looked at, in PIECES; only its random varies. */
static void write_hello(int descriptor, uint8_t mark, unsigned pieces, bool dtls)
{
    uint8_t bytes[64] = {22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3};
    struct iovec iov[8];
    size_t length = sizeof(bytes) / pieces, random = dtls ? 27 : 11;

    if (dtls) {
        bytes[1] = 0xFE, bytes[2] = 0xFF, bytes[5] = 0;
        bytes[13] = 1;
    }
    memset(bytes + random, mark, 32);
    for (unsigned i = 0; i < pieces; i++)
        iov[i] = (struct iovec){bytes + i * length, length};
    tg_hellos_note(descriptor, iov, pieces, NULL, 0);
}

static unsigned seen(uint8_t mark)
{
    static struct tg_inject_end ends[8];
    uint8_t random[32];

    memset(random, mark, sizeof(random));
    return tg_hellos_find(random, ends, 8);
}

/* A ClientHello whose random is of the set that NUMBER has, of SENDER. */
static void make_random(uint8_t random[32], unsigned number, uint8_t sender)
{
    memset(random, sender, 32);
    random[0] = (uint8_t)number;
    random[1] = (uint8_t)(number >> 8);
    random[2] = (uint8_t)(number >> 16);
}

static int reached; /* a connected socket */

static void send_numbered(unsigned number, uint8_t sender)
{
    uint8_t bytes[64] = {22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3};

    make_random(bytes + 11, number, sender);
    tg_hellos_note(reached, &(struct iovec){bytes, sizeof(bytes)}, 1, NULL, 0);
}

static unsigned sent(unsigned number, uint8_t sender)
{
    struct tg_inject_end ends[2];
    uint8_t random[32];

    make_random(random, number, sender);
    return tg_hellos_find(random, ends, 2);
}

static atomic_uint lost_hellos;

static void *send_at_once(void *sender)
{
    uint8_t mark = *(uint8_t *)sender;

    for (unsigned i = 0; i < 4 * ROUNDS; i++) {
        meet(i);
        send_numbered(i % 1024, (uint8_t)(mark + 2 * (i >> 10)));
        if (sent(i % 1024, (uint8_t)(mark + 2 * (i >> 10))) != 1)
            atomic_fetch_add(&lost_hellos, 1);
    }
    return NULL;
}

static bool keeps_both_hellos(void)
{
    uint8_t one = 1, other = 2;

    return run_both(send_at_once, &one, &other) && lost_hellos == 0;
}

static atomic_uint missed_initials;

/* Where none was pushed out, none is missed that another thread is about to write. */
static void *send_initials(void *arg)
{
    const uint8_t packet[64] = {0xC0, 0, 0, 0, 1};
    struct tg_inject_end ends[2];
    unsigned count = 0, ignored = 0;

    meet(0);
    for (unsigned i = 0; i < 40 * ROUNDS; i++) {
        uint64_t since = tg_hellos_initials(UINT64_MAX, NULL, 0, &ignored);

        tg_hellos_note(reached, &(struct iovec){(void *)packet, sizeof(packet)}, 1, NULL, 0);
        (void)tg_hellos_initials(since, ends, 2, &count);
        if (count != 1 && tg_hellos_initials(UINT64_MAX, NULL, 0, &ignored) - since < 60)
            atomic_fetch_add(&missed_initials, 1);
    }
    return arg;
}

static bool sees_initials_at_once(void)
{
    return run_both(send_initials, NULL, NULL) && missed_initials == 0;
}

static atomic_bool enough;

static void *send_always(void *arg)
{
    for (unsigned i = 0; !enough; i++)
        send_numbered(i << 16 | 9, (uint8_t)(i >> 8));
    return arg;
}

/* Children of a process that is always in the middle of a write find what they write there. */
static bool finds_hellos_after_fork(void)
{
    pthread_t thread;
    bool right = true;
    int status = 0;

    if (pthread_create(&thread, NULL, send_always, NULL) != 0)
        return false;
    for (int i = 0; i < 100; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            (void)alarm(10);
            send_numbered(9, 255);
            _exit(sent(9, 255) == 1 ? 0 : 1);
        }
        right &= waitpid(pid, &status, 0) == pid && status == 0;
    }
    enough = true;
    (void)pthread_join(thread, NULL);
    return right;
}

/* A ClientHello that is sent to ADDRESS, as sendto(2) is given it. */
static void send_hello(int descriptor, uint8_t mark, const void *address, socklen_t length)
{
    uint8_t bytes[64] = {22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3};

    memset(bytes + 11, mark, 32);
    tg_hellos_note(descriptor, &(struct iovec){bytes, sizeof(bytes)}, 1, address, length);
}

static int is_at(uint8_t mark, const struct sockaddr_in *address)
{
    static struct tg_inject_end ends[8];
    const struct sockaddr_in *found = (const struct sockaddr_in *)&ends[0].address;
    uint8_t random[32];

    memset(random, mark, sizeof(random));
    return tg_hellos_find(random, ends, 8) == 1 && found->sin_family == AF_INET &&
           found->sin_port == address->sin_port &&
           found->sin_addr.s_addr == address->sin_addr.s_addr;
}

/* What the kernel makes of an address beside a socket that is connected, or isn't. */
static void finds_places(int end, const struct sockaddr_in *peer)
{
    struct sockaddr_in other = ipv4(1);
    int pair[2] = {-1, -1}, tube[2] = {-1, -1}, datagrams = socket(AF_INET, SOCK_DGRAM, 0);

    other.sin_port = htons(443);
    send_hello(end, 20, &other, sizeof(other));
    check("a connected stream ignores an address", is_at(20, peer));
    send_hello(end, 21, &other, 0);
    check("an empty address is none", is_at(21, peer));
    (void)connect(datagrams, (const struct sockaddr *)peer, sizeof(*peer));
    send_hello(datagrams, 22, &other, sizeof(other));
    check("a datagram goes to its address", is_at(22, &other));
    check("two kinds of pipe", socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(tube) == 0);
    send_hello(pair[0], 23, NULL, 0);
    send_hello(tube[1], 24, NULL, 0);
    check("what goes to another process leads to an unknown place",
          seen(23) == 1 && seen(24) == 1 && !is_at(23, peer) && !is_at(24, peer));
    send_hello(end, 23, NULL, 0);
    check("unless this process carries it on", is_at(23, peer));
    (void)close(pair[0]), (void)close(pair[1]), (void)close(tube[0]), (void)close(tube[1]);
    (void)close(datagrams);
}

/* One that sees to it that a random goes to many hides none of them. */
static void overflows(int end)
{
    struct sockaddr_in other = ipv4(1);
    int datagrams = socket(AF_INET, SOCK_DGRAM, 0);

    send_hello(end, 30, NULL, 0);
    for (uint16_t port = 1; port < 20; port++) {
        other.sin_port = htons(port);
        send_hello(datagrams, 30, &other, sizeof(other));
    }
    check("more places than are kept are said to be more", seen(30) > 8);
    (void)close(datagrams);
}

static void finds_hellos(void)
{
    struct sockaddr_in address[2];
    int front[2] = {listener(&address[0]), listener(&address[1])}, end[3];
    char tiny = 22;

    for (int i = 0; i < 2; i++) {
        end[i] = socket(AF_INET, SOCK_STREAM, 0);
        check("connected",
              connect(end[i], (struct sockaddr *)&address[i], sizeof(address[i])) == 0);
    }
    write_hello(end[0], 1, 1, false);
    check("nothing is looked at before a library is hooked", seen(1) == 0);
    tg_hellos_start();
    write_hello(end[0], 1, 1, false);
    write_hello(end[0], 2, 8, false);
    write_hello(end[0], 3, 4, true);
    check("ClientHellos whole, in pieces and of DTLS",
          seen(1) == 1 && seen(2) == 1 && seen(3) == 1);
    check("another random is none", seen(4) == 0);
    write_hello(end[0], 1, 1, false);
    check("the same once more is the same", seen(1) == 1);
    write_hello(end[1], 1, 1, false);
    check("who sends a random that was seen adds himself and hides nobody", seen(1) == 2);
    end[2] = open("/dev/null", O_WRONLY);
    write_hello(end[2], 5, 1, false);
    check("a file leads nowhere", seen(5) == 0);
    finds_places(end[0], &address[0]);
    overflows(end[0]);
    tg_hellos_note(end[0], &(struct iovec){&tiny, 1}, 1, NULL, 0);
    tg_hellos_note(end[0], &(struct iovec){NULL, 1}, 1, NULL, 0);
    reached = end[0];
    check("of two ClientHellos at once both are found", keeps_both_hellos());
    check("also in children of a busy process", finds_hellos_after_fork());
    check("a QUIC packet of another thread isn't taken for a lost one", sees_initials_at_once());
    tg_hellos_note(end[0], &(struct iovec){NULL, 4096}, 1, NULL, 0);
    for (int i = 0; i < 2; i++)
        (void)close(front[i]), (void)close(end[i]);
}

int main(void)
{
    struct hostent entry = {.h_name = "x", .h_addrtype = AF_INET, .h_length = 4};
    struct in_addr raw = ipv4(5).sin_addr;
    char *raws[] = {(char *)&raw, NULL}, longest[300], name[32];
    struct sockaddr_in6 six = mapped(1);
    struct tg_inject_names found;

    check("nothing is known at first", leads_to(1, NULL, 0));
    remember("a.example", 1, 2);
    check("every address leads to the name",
          leads_to(1, "a.example", 1) && leads_to(2, "a.example", 1));
    check("another address does not", leads_to(3, NULL, 0));
    tg_names_find((struct sockaddr *)&six, sizeof(six), &found);
    check("IPv4 in IPv6 is the same address",
          found.count == 1 && strcmp(found.name[0], "a.example") == 0);
    remember("b.example", 1, 1);
    check("all names count, the newest first",
          leads_to(1, "b.example", 2) && strcmp(names_of(1).name[1], "a.example") == 0);
    remember("a.example", 1, 1);
    check("one that is looked up again is the newest", leads_to(1, "a.example", 2));
    remember("10.0.0.1", 1, 1);
    remember(NULL, 1, 1);
    check("a literal address is no name", leads_to(1, "a.example", 2));
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    remember(longest, 1, 1);
    check("a name that is too long is none", leads_to(1, "a.example", 2));
    entry.h_addr_list = raws;
    tg_names_add_hostent("h.example", &entry);
    check("hostent", leads_to(5, "h.example", 1));
    tg_names_add_hostent("h.example", NULL);
    remember("many.example", 1000, 5000);
    check("a huge answer doesn't push all others out",
          leads_to(1, "a.example", 2) && !names_of(1).more);
    check("of it, the first addresses are known",
          leads_to(1000, "many.example", 1) && !names_of(1000).more);
    check("the rest may have a name that isn't", names_of(1100).more && names_of(5999).more);
    for (unsigned i = 0; i < 9; i++) {
        (void)snprintf(name, sizeof(name), "%u.example", i);
        remember(name, 6, 1);
        check("more than are told is said", names_of(6).more == (i >= 4));
    }
    check("of too many the newest are told", leads_to(6, "8.example", 4));
    stays_with_sockets();
    finds_hellos();
    check("look-ups of one host at once", stays_whole());
    check("a record is never torn", never_torn());
    check("children of a busy process", survives_fork());
    check("of two names at once both are known", keeps_both_names());
    check("a name that is looked up meanwhile stays known", stays_known());
    return failed > 0;
}
