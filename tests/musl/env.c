/* env.c - env NAME=VALUE... COMMAND...: env(1) for a system with musl, where there is none. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int at = 1;

    for (; at < argc && strchr(argv[at], '=') != NULL; at++)
        (void)putenv(argv[at]);
    if (at < argc)
        execvp(argv[at], argv + at);
    return 127;
}
