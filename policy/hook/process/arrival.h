/*
 * arrival.h - what trustgraft came into this process with: the policy's source as it was then, the
 * provider's setting, and the program. Whatever the application changes later doesn't count.
 */
#ifndef TG_ARRIVAL_H
#define TG_ARRIVAL_H

#include "source.h"
#include "trustgraft.h"

/*
 * To be called before a policy is asked for: the provider's setting, or what is wrong with it.
 * Both may be NULL; they are copied. Later calls change nothing.
 */
void tg_process_configure(const char *setting, const char *problem);

/*
 * What was found when the preload came into this process, before this library did: a policy that
 * was there then is the one. SOURCE stays for ever, and never changes.
 */
void tg_process_came_with(const struct tg_policy_source *source);

/* True if the preload library is in this process. */
bool tg_process_is_preloaded(void);

/* True if a policy was found when trustgraft came into this process, whatever became of it. */
bool tg_process_has_origin(void);

/* The absolute path of this process's executable; empty if unknown. */
TG_API const char *tg_process_program(void);

/* What was found first: by the preload if it found a policy, else by this library. */
const struct tg_policy_source *tg_arrival_source(void);

/* What is wrong with the provider's settings, a sentence that stays; NULL: nothing. */
const char *tg_arrival_problem(void);

/*
 * Where the policy comes from, the provider's setting included, which comes after the environment
 * and before the rest. PATH becomes its file's, or empty.
 */
enum tg_origin tg_arrival_locate(char path[PATH_MAX]);

#endif
