/* hellos.c - which sockets ClientHellos went to, behind the preloaded library (preload/hellos.h).
 */
#include "../../preload/hellos.h"
#include "table.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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
            (void)alarm(HUNG);
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

/* Of what was sent no more is looked at than the kernel took. */
static void finds_sent(int end)
{
    uint8_t bytes[64] = {22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3};
    const struct iovec pieces[] = {{bytes, 20}, {bytes + 20, 44}};

    memset(bytes + 11, 40, 32);
    tg_hellos_sent(end, pieces, 2, -1);
    tg_hellos_sent(end, pieces, 2, 0);
    tg_hellos_sent(end, pieces, 2, 42);
    check("what wasn't sent is none", seen(40) == 0);
    tg_hellos_sent(end, pieces, 2, 43);
    check("what was sent is found", seen(40) == 1);
}

/* A ClientHello that was seen to go whole to END may have gone to OTHER as well, in pieces. */
static void finds_pieces(int end, int other)
{
    uint8_t bytes[64] = {22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3};

    memset(bytes + 11, 50, 32);
    tg_hellos_sent(other, &(struct iovec){bytes, 20}, 1, 20);
    check("by its pieces alone it isn't known", seen(50) == 0);
    send_hello(end, 50, NULL, 0);
    send_hello(end, 51, NULL, 0);
    check("a beginning counts for its ClientHello, and no other", seen(50) == 2 && seen(51) == 1);
    tg_hellos_sent(other, &(struct iovec){bytes, 1}, 1, 1);
    check("the first byte may be of any", seen(51) == 2);
    (void)shutdown(other, SHUT_RDWR);
    (void)dup2(end, other);
    check("not once its socket is closed", seen(51) == 1);
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
    finds_sent(end[0]);
    tg_hellos_note(end[0], &(struct iovec){&tiny, 1}, 1, NULL, 0);
    tg_hellos_note(end[0], &(struct iovec){NULL, 1}, 1, NULL, 0);
    reached = end[0];
    check("of two ClientHellos at once both are found", keeps_both_hellos());
    check("also in children of a busy process", finds_hellos_after_fork());
    check("a QUIC packet of another thread isn't taken for a lost one", sees_initials_at_once());
    tg_hellos_note(end[0], &(struct iovec){NULL, 4096}, 1, NULL, 0);
    finds_pieces(end[0], end[1]);
    for (int i = 0; i < 2; i++)
        (void)close(front[i]), (void)close(end[i]);
}

int main(void)
{
    finds_hellos();
    return failed > 0;
}
