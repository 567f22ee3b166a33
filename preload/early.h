/* early.h - where the variables lie that each process writes, whether it has TLS or not. */
#ifndef TG_EARLY_H
#define TG_EARLY_H

/*
 * In the page that the loader writes to in any case: to touch another costs a program without TLS
 * more than all that the constructors do.
 */
#define TG_EARLY __attribute__((section(".data")))

#endif
