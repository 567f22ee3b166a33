/* once.h - pthread_once(3), which a fork can't leave locked, with an argument. */
#ifndef TG_ONCE_H
#define TG_ONCE_H

#include <pthread.h>

/* Calls RUN with ARG if no one has under ONCE; when it returns, that is over. */
void tg_once(pthread_once_t *once, void (*run)(void *), void *arg);

#endif
