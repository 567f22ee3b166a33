/* faults.c - calls that the kernel answers with EFAULT and the like: what became of each. */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int stream, datagrams;
static char *good, *bad; /* a page, and the one behind it, which nobody may read */

static void say(const char *what, ssize_t result)
{
    (void)printf("%s %zd %d\n", what, result, result < 0 ? errno : 0);
    (void)fflush(stdout);
}

static void connects(void)
{
    say("connect", connect(stream, (struct sockaddr *)bad, sizeof(struct sockaddr_in)));
    say("connect, its end", connect(stream, (struct sockaddr *)(bad - 2), 16));
    say("connect, too short", connect(stream, (struct sockaddr *)(bad - 1), 1));
    say("connect, nowhere", connect(stream, NULL, sizeof(struct sockaddr_in)));
}

static void writes(void)
{
    const struct iovec *volatile nowhere = NULL; /* which the compiler doesn't know */

    say("write", write(datagrams, bad, 100));
    say("write, its end", write(datagrams, bad - 20, 100));
    say("write, the last page", write(datagrams, (char *)UINTPTR_MAX - 5, 100));
    say("send", send(datagrams, bad, 100, 0));
    say("writev", writev(datagrams, (struct iovec *)bad, 1));
    say("writev, its end", writev(datagrams, (struct iovec *)(bad - 8), 1));
    say("writev, nowhere", writev(datagrams, nowhere, 2000));
    say("writev, its bytes", writev(datagrams, &(struct iovec){bad, 100}, 1));
}

static void messages(const struct sockaddr_in *to)
{
    uint8_t hello[100] = {22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3};
    struct iovec piece = {hello, sizeof(hello)};
    struct msghdr nowhere = {
        .msg_name = bad, .msg_namelen = 16, .msg_iov = &piece, .msg_iovlen = 1};
    struct msghdr empty = {.msg_iov = (struct iovec *)bad, .msg_iovlen = 1};
    struct mmsghdr *two = (struct mmsghdr *)bad - 1;

    say("sendmsg", sendmsg(datagrams, (struct msghdr *)bad, 0));
    say("sendmsg, its end", sendmsg(datagrams, (struct msghdr *)(bad - 8), 0));
    say("sendmsg, its address", sendmsg(datagrams, &nowhere, 0));
    say("sendmsg, its pieces", sendmsg(datagrams, &empty, 0));
    say("sendto", sendto(datagrams, hello, sizeof(hello), 0, (struct sockaddr *)bad, 16));
    say("sendmmsg", sendmmsg(datagrams, (struct mmsghdr *)bad, 1, 0));
    *two = (struct mmsghdr){.msg_hdr = {.msg_name = (void *)to,
                                        .msg_namelen = sizeof(*to),
                                        .msg_iov = &piece,
                                        .msg_iovlen = 1}};
    say("sendmmsg, the second", sendmmsg(datagrams, two, 2, 0));
    say("sendmmsg, very many", sendmmsg(datagrams, two, UINT_MAX, 0));
}

int main(int argc, char **argv)
{
    long page = sysconf(_SC_PAGESIZE);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(to);

    good =
        mmap(NULL, (size_t)(2 * page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bad = good + page;
    stream = socket(AF_INET, SOCK_STREAM, 0);
    datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    if (argc > 1 && strcmp(argv[1], "tls") == 0)
        SSL_CTX_free(SSL_CTX_new(TLS_client_method()));
    if (good == MAP_FAILED || mprotect(bad, (size_t)page, PROT_NONE) != 0 ||
        bind(datagrams, (struct sockaddr *)&to, size) != 0 ||
        getsockname(datagrams, (struct sockaddr *)&to, &size) != 0)
        return 2;
    connects();
    writes();
    messages(&to);
    return 0;
}
