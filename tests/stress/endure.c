/*
 * endure.c - endure PKI POLICY reloads|hosts COUNT: a client that lives through COUNT versions of
 * its policy, or meets COUNT hosts. Prints how many descriptors and how much memory it took in
 * addition from the tenth part of them on; 0 only if each outcome was the right one.
 */
#include "meet.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RULES 2000

static SSL_CTX *ctx;

static int count_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = -1;

    if (directory == NULL)
        return 0;
    while (readdir(directory) != NULL)
        count++;
    (void)closedir(directory);
    return count;
}

/* In KiB. */
static long resident(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    char line[256] = "", *rest = NULL;

    if (file == NULL)
        return 0;
    (void)fgets(line, sizeof(line), file);
    (void)fclose(file);
    (void)strtol(line, &rest, 10);
    return strtol(rest, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
}

/* The verdict follows each version; how soon is for others to measure. */
static bool reload(int version)
{
    const struct timespec rest = {.tv_nsec = 5000000};
    enum outcome wanted = version % 2 == 0 ? REFUSED : ACCEPTED;

    meet_turn(version);
    for (int tries = 0; tries < 2000; tries++) {
        if (meet(ctx, PAIR_HOST) != ACCEPTED || meet(ctx, MEET_REJECTED) != REFUSED)
            return false;
        if (meet(ctx, MEET_TURNING) == wanted)
            return true;
        (void)nanosleep(&rest, NULL);
    }
    return false;
}

static bool another_host(int number)
{
    char host[64];

    (void)snprintf(host, sizeof(host), "host%d.example.test", number);
    return meet(ctx, host) == ACCEPTED;
}

int main(int argc, char **argv)
{
    bool reloads = argc == 5 && strcmp(argv[3], "reloads") == 0;
    int count = argc == 5 ? (int)strtol(argv[4], NULL, 10) : 0, descriptors = 0;
    long memory = 0;

    if (count <= 0)
        return 2;
    meet_setup(argv[1], argv[2], reloads ? RULES : 0);
    meet_turn(0);
    ctx = pair_client();
    for (int i = 1; i <= count; i++) {
        if (!(reloads ? reload(i) : another_host(i))) {
            (void)printf("failed at number %d\n", i);
            return 1;
        }
        if (i == count / 10) {
            descriptors = count_descriptors();
            memory = resident();
        }
    }
    (void)printf("%d descriptors, %ld KiB\n", count_descriptors() - descriptors,
                 resident() - memory);
    SSL_CTX_free(ctx);
    return 0;
}
