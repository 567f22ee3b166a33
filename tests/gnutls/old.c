/* old.c - old FLAGS: makes a session, and shakes hands with nobody. */
#include <stdio.h>
#include <stdlib.h>

int gnutls_init(void **session, unsigned flags);
int gnutls_handshake(void *session);

int main(int argc, char **argv)
{
    void *session = NULL;
    int made = gnutls_init(&session, argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2);

    printf("init %d", made);
    if (made == 0)
        printf(" handshake %d", gnutls_handshake(session));
    printf("\n");
    return 0;
}
