/* table.h - what the tests of the tables behind the preloaded library share: names.c, hellos.c. */
#ifndef TG_TEST_TABLE_H
#define TG_TEST_TABLE_H

#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>

#define HUNG 60 /* seconds after which a child is ended */

static int failed;

static inline void check(const char *what, int right)
{
    (void)printf("%s %s\n", right ? "ok    " : "FAILED", what);
    failed += !right;
}

static inline struct sockaddr_in ipv4(unsigned number)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(0x0a000000 + number)}};
}

/* Socket and address of a listener on loopback. */
static inline int listener(struct sockaddr_in *address)
{
    socklen_t size = sizeof(*address);
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (bind(descriptor, (struct sockaddr *)address, size) != 0 || listen(descriptor, 9) != 0 ||
        getsockname(descriptor, (struct sockaddr *)address, &size) != 0)
        return -1;
    return descriptor;
}

/* ---- two threads at once ---- */

#define ROUNDS 1500

static atomic_uint arrived;

/* Lets both threads go on at the same time. */
static inline void meet(unsigned number)
{
    (void)atomic_fetch_add(&arrived, 1);
    for (unsigned spins = 0; atomic_load(&arrived) < 2 * (number + 1); spins++)
        if (spins > 1000)
            (void)sched_yield();
}

static inline bool run_both(void *(*run)(void *), void *one, void *other)
{
    pthread_t thread;

    arrived = 0;
    if (pthread_create(&thread, NULL, run, one) != 0)
        return false;
    (void)run(other);
    return pthread_join(thread, NULL) == 0;
}

#endif
