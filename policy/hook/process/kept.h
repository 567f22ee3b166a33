/*
 * kept.h - texts that stay for the life of the process, for a program may keep what its library
 * gave it. There is room for so many different ones.
 */
#ifndef TG_KEPT_H
#define TG_KEPT_H

/* A copy of TEXT, the same for the same text; NULL: no room or memory. Safe in threads. */
const char *tg_kept(const char *text);

#endif
