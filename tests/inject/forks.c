/* forks.c - a process that forks while another of its threads walks the libraries, as one that
 * throws a C++ exception does; and its children look a name up. */
#include <link.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 5

static int linger(struct dl_phdr_info *info, size_t size, void *rounds)
{
    (void)info, (void)size;
    for (int i = 0; i < 5000; i++)
        ++*(volatile long *)rounds;
    return 0;
}

static void *walk(void *rounds)
{
    for (;;)
        (void)dl_iterate_phdr(linger, rounds);
    return NULL;
}

static int look_up(void)
{
    struct addrinfo *found = NULL;
    int error = getaddrinfo("localhost", NULL, NULL, &found);

    if (error == 0)
        freeaddrinfo(found);
    return error;
}

int main(void)
{
    static long rounds;
    pthread_t thread;
    int ended = 0, status;

    if (look_up() != 0 || pthread_create(&thread, NULL, walk, &rounds) != 0)
        return 2;
    while (*(volatile long *)&rounds == 0)
        (void)sched_yield();
    for (int i = 0; i < CHILDREN; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            (void)alarm(60);
            _exit(look_up());
        }
        ended += waitpid(pid, &status, 0) == pid && status == 0;
    }
    (void)printf("%d of %d ended\n", ended, CHILDREN);
    return 0;
}
