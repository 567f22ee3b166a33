/* names.c - the table of looked-up names behind the preloaded library (preload/names.h). */
#include "../../preload/names.h"
#include "../../preload/slot.h"
#include <arpa/inet.h>
#include <pthread.h>
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

static int leads_to(unsigned number, const char *name)
{
    struct sockaddr_in address = ipv4(number);
    char found[256] = "";

    if (!tg_names_find((struct sockaddr *)&address, sizeof(address), found))
        return name == NULL;
    return name != NULL && strcmp(found, name) == 0;
}

static void *in_thread(void *name)
{
    remember(name, 1, 1);
    return leads_to(1, name) ? name : NULL;
}

static void *hammer(void *arg)
{
    for (unsigned i = 0; i < 200000; i++)
        remember("one.example", 7, 1);
    return arg;
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
            _exit(leads_to(9, "child.example") ? 0 : 1);
        }
        right &= waitpid(pid, &status, 0) == pid && status == 0;
    }
    (void)pthread_join(thread, NULL);
    return right;
}

int main(void)
{
    struct hostent entry = {.h_name = "x", .h_addrtype = AF_INET, .h_length = 4};
    struct in_addr raw = ipv4(5).sin_addr;
    char *raws[] = {(char *)&raw, NULL}, found[256], longest[300];
    struct sockaddr_in6 six = mapped(1);
    pthread_t thread;
    void *seen = NULL;

    check("nothing is known at first", leads_to(1, NULL));
    remember("a.example", 1, 2);
    check("every address leads to the name", leads_to(1, "a.example") && leads_to(2, "a.example"));
    check("another address does not", leads_to(3, NULL));
    check("IPv4 in IPv6 is the same address",
          tg_names_find((struct sockaddr *)&six, sizeof(six), found) &&
              strcmp(found, "a.example") == 0);
    remember("b.example", 1, 1);
    check("the newest name wins", leads_to(1, "b.example"));
    remember("10.0.0.1", 1, 1);
    remember(NULL, 1, 1);
    check("a literal address hides no name", leads_to(1, "b.example"));
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    remember(longest, 1, 1);
    check("a name that is too long is none", leads_to(1, "b.example"));
    entry.h_addr_list = raws;
    tg_names_add_hostent("h.example", &entry);
    check("hostent", leads_to(5, "h.example"));
    tg_names_add_hostent("h.example", NULL);
    check("a thread sees its own first",
          pthread_create(&thread, NULL, in_thread, "t.example") == 0 &&
              pthread_join(thread, &seen) == 0 && seen != NULL && leads_to(1, "b.example"));
    remember("many.example", 1000, 5000);
    check("a huge answer doesn't push all others out", leads_to(1, "b.example"));
    check("of it, the first addresses are known", leads_to(1000, "many.example"));
    for (unsigned i = 0; i < 1000; i++)
        remember("flood.example", 10000 + i, 1);
    check("the oldest are forgotten", leads_to(1, NULL));
    check("a record is never torn", never_torn());
    check("children of a busy process", survives_fork());
    return failed > 0;
}
