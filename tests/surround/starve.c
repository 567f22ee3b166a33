/*
 * starve.c - starve PKI trusting|trustless COUNT: memory runs out for COUNT allocations in a row,
 * beginning at one after the other of the last allocations that a context and a connection make,
 * those behind the reading of the policy; each time in a child of its own, where nothing has been
 * found or kept yet. Prints what came of them all.
 */
#include "../inject/pair.h"
#include "../unit/shortage.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAST  300 /* how many of the last allocations */
#define ENDED 3   /* the beginning lies behind the last one: nothing failed */

static long before = -1, failing;
static bool failed;
static long *made; /* how many allocations there were; of all processes */

static bool fails(void)
{
    if (before < 0)
        return false;
    if (before > 0) {
        before--;
        return false;
    }
    if (failing == 0)
        return false;
    failing--;
    failed = true;
    return true;
}

static void starve(long from, long count)
{
    before = from;
    failing = count;
}

static int child(long from, long count)
{
    SSL_CTX *ctx = NULL;
    SSL *ssl = NULL;

    (void)alarm(60);
    starve(from, count);
    ctx = SSL_CTX_new(TLS_client_method());
    if (ctx != NULL)
        ssl = SSL_new(ctx);
    *made = from - before;
    starve(-1, 0);
    if (!failed)
        return ENDED;
    if (ssl != NULL) {
        SSL_set_connect_state(ssl);
        if (!pair_prepare(ctx) || SSL_set_tlsext_host_name(ssl, PAIR_HOST) != 1)
            return BROKEN;
        SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
    }
    return (int)pair_connect(ssl);
}

static int try(long from, long count)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(child(from, count));
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : BROKEN;
}

int main(int argc, char **argv)
{
    int count[ENDED + 1] = {0};
    long length = argc == 4 ? strtol(argv[3], NULL, 10) : 0, from = 0;

    made = mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (length <= 0 || made == MAP_FAILED)
        return 2;
    pair_setup(argv[1], strcmp(argv[2], "trusting") == 0);
    (void)OPENSSL_init_ssl(0, NULL);
    if (try(LONG_MAX, 0) != ENDED)
        return 2;
    for (from = *made > LAST ? *made - LAST : 0; count[ENDED] == 0; from += (length + 3) / 4)
        count[try(from, length)]++;
    if (count[ACCEPTED] + count[REFUSED] < 20)
        count[BROKEN]++;
    (void)printf("%d accepted, %d broken\n", count[ACCEPTED], count[BROKEN]);
    return 0;
}
