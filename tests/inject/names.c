/* names.c - the table of looked-up names behind the preloaded library (preload/names.h). */
#include "../../preload/names.h"
#include "../../preload/ends.h"
#include "../../preload/pending.h"
#include "../../preload/slot.h"
#include "table.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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
            (void)alarm(HUNG);
            remember("child.example", 9, 1);
            _exit(leads_to(9, "child.example", 1) ? 0 : 1);
        }
        right &= waitpid(pid, &status, 0) == pid && status == 0;
    }
    (void)pthread_join(thread, NULL);
    return right;
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
    found = names_at(copy, &address);
    check("at another address what led there counts too",
          found.count == 3 && strcmp(found.name[0], "first.example") == 0);
    address.sin_addr.s_addr = htonl(0x0a000077);
    check("nor is it lost where nothing is known", names_at(copy, &address).count == 1);
    one = socket(AF_INET, SOCK_DGRAM, 0);
    tg_ends_send(one, (struct sockaddr *)&address, sizeof(address));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check("of datagrams each has its own", names_at(one, &address).count == 2);
    (void)close(front), (void)close(one), (void)close(other), (void)close(copy);
}

/* Who connects to the unspecified address gets to this host. */
static void finds_this_host(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET}, here = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6}, there = {.sin6_family = AF_INET6};
    struct addrinfo second = {.ai_addr = (struct sockaddr *)&six, .ai_addrlen = sizeof(six)};
    struct addrinfo list = {
        .ai_addr = (struct sockaddr *)&any, .ai_addrlen = sizeof(any), .ai_next = &second};
    int one = socket(AF_INET6, SOCK_STREAM, 0);
    struct tg_inject_names found;

    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    there.sin6_addr = in6addr_loopback;
    tg_names_add_addrinfo("zero.example", &list);
    check("a name of 0.0.0.0", names_at(-1, &here).count == 3);
    tg_names_find((struct sockaddr *)&there, sizeof(there), &found);
    check("a name of ::", found.count == 1 && strcmp(found.name[0], "zero.example") == 0);
    tg_ends_connect(one, (struct sockaddr *)&six, offsetof(struct sockaddr_in6, sin6_scope_id));
    tg_names_add_addrinfo("later.example", &list);
    tg_ends_names(one, (struct sockaddr *)&there, sizeof(there), &found);
    check("a socket that is connected to ::", found.count == 1);
    (void)close(one);
}

/* Until a look-up in the background is seen to have ended, its name may lead anywhere. */
static void counts_pending(void)
{
    struct tg_inject_names found = {0};
    char name[32];

    tg_pending_begin(&found, "background.example");
    check("a name that is being looked up counts everywhere",
          leads_to(300, "background.example", 1) && names_of(2).count == 2);
    tg_pending_end(&found, "other.example");
    tg_pending_end(name, "background.example");
    check("the end of another request is not its end", names_of(300).count == 1);
    tg_pending_end(&found, "background.example");
    check("once it has ended it doesn't", names_of(300).count == 0 && !names_of(300).more);
    for (unsigned i = 0; i < 300; i++)
        tg_pending_begin(&found, "background.example");
    tg_pending_end(&found, "background.example");
    check("that there were too many is said", names_of(300).count == 0 && names_of(300).more);
}

static void *name_at_once(void *name)
{
    for (unsigned i = 0; i < ROUNDS / 50; i++) {
        meet(i);
        remember(name, 0x10000 + 50 * i, 50);
    }
    return NULL;
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

static void addresses_lead_to_names(void)
{
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
}

static void takes_no_other_words(void)
{
    char longest[300];

    remember("10.0.0.1", 1, 1);
    remember(NULL, 1, 1);
    check("a literal address is no name", leads_to(1, "a.example", 2));
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    remember(longest, 1, 1);
    check("a name that is too long is none", leads_to(1, "a.example", 2));
}

static void takes_host_entries(void)
{
    struct hostent entry = {.h_name = "x", .h_addrtype = AF_INET, .h_length = 4};
    struct in_addr raw = ipv4(5).sin_addr;
    char *raws[] = {(char *)&raw, NULL};

    entry.h_addr_list = raws;
    tg_names_add_hostent("h.example", &entry);
    check("hostent", leads_to(5, "h.example", 1));
    tg_names_add_hostent("h.example", NULL);
}

static void says_what_is_left_out(void)
{
    char name[32];

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
}

/* All in one table: each finds what those before it have left there. */
int main(void)
{
    addresses_lead_to_names();
    takes_no_other_words();
    takes_host_entries();
    says_what_is_left_out();
    stays_with_sockets();
    finds_this_host();
    check("look-ups of one host at once", stays_whole());
    check("a record is never torn", never_torn());
    check("children of a busy process", survives_fork());
    check("of two names at once both are known", keeps_both_names());
    check("a name that is looked up meanwhile stays known", stays_known());
    counts_pending();
    return failed > 0;
}
