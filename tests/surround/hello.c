/* hello.c - a program without any TLS, for C libraries of every kind. */
#include <stdio.h>

int main(void)
{
    return puts("hello") < 0;
}
