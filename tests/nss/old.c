/* old.c - imports a descriptor that is none, by a libssl3 that looks at nothing. */
#include <stdio.h>

void *SSL_ImportFD(void *model, void *fd);

int main(void)
{
    int plain = 0;

    printf("import %s\n", SSL_ImportFD(NULL, &plain) != NULL ? "done" : "refused");
    return 0;
}
