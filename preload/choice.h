/*
 * choice.h - which of the two engines serves this process (inject.h): the one linked to OpenSSL 3
 * where that is in the process, else the one with a libcrypto inside, which starts faster and
 * brings no library along. Whichever is there already goes on serving.
 */
#ifndef TG_CHOICE_H
#define TG_CHOICE_H

/* OpenSSL_version_num(3) of the first version that an engine can be linked to, and put a policy to.
 */
#define TG_VERSION_3_0   0x30000000ul
#define TG_VERSION_1_1_1 0x10101000ul

/*
 * Its handle, which is never to be closed: loaded from the folder of this library, or by whoever
 * else had it loaded. NULL, with the reason in dlerror(3), if it isn't there or doesn't load: the
 * other one doesn't take its place. All threads get the same.
 */
void *tg_choice_open(void);

#endif
