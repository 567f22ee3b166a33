#include "meet.h"
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define HASTE 100

static const char *folder, *policy;
static int rules;

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);

    if (result == 0 && clock == CLOCK_MONOTONIC_COARSE)
        now->tv_sec = now->tv_sec * HASTE + now->tv_nsec / (1000000000 / HASTE);
    return result;
}

void meet_setup(const char *pki, const char *path, int others)
{
    folder = pki;
    policy = path;
    rules = others;
    pair_setup(pki, false);
}

static void write_rules(FILE *file, int version)
{
    (void)fprintf(
        file, "[policy]\nlog = none\n[host *.example.test]\nanchors = %s/root.pem\nhostname = %s\n",
        folder, PAIR_HOST);
    (void)fprintf(file, "[host %s]\naction = reject\n", MEET_REJECTED);
    if (version % 2 == 0)
        (void)fprintf(file, "[host %s]\naction = reject\n", MEET_TURNING);
    for (int i = 0; i < rules; i++)
        (void)fprintf(file, "[host other%d.example]\naction = reject\n", i);
}

void meet_turn(int version)
{
    char fresh[4096];
    FILE *file = NULL;

    (void)snprintf(fresh, sizeof(fresh), "%s.new", policy);
    file = fopen(fresh, "we");
    if (file == NULL)
        return;
    write_rules(file, version);
    if (fclose(file) == 0)
        (void)rename(fresh, policy);
}

enum outcome meet(SSL_CTX *ctx, const char *host)
{
    SSL *ssl = pair_connection(ctx);

    if (ssl == NULL)
        return BROKEN;
    if (SSL_set_tlsext_host_name(ssl, host) == 1)
        return pair_connect(ssl);
    SSL_free(ssl);
    return BROKEN;
}
