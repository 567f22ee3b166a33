/*
 * storing.h - what the kinds of values share on their way into a policy (store.c): the setting, and
 * the object whose field it sets.
 */
#ifndef TG_STORING_H
#define TG_STORING_H

#include "loading.h"

/* One setting on its way. */
struct tg_store {
    struct tg_load *load;
    struct tg_section *section;
    const struct tg_setting *setting; /* has at least one value */
    void *object; /* the tg_policy, tg_rule or tg_exception of the section; NULL in [distrust] */
    void *field;  /* what the key sets in it; NULL where it has nothing of its own */
};

/* Checks the values of a setting of one type and stores them, or complains of what is wrong. */
typedef void tg_store_value(struct tg_store *in);

/* Complains of WORD with SENTENCE, what a value function said of it. True if that is NULL. */
bool tg_store_check(struct tg_store *in, const struct tg_word *word, const char *sentence);

/* Room for all values of the setting in the policy's arena; `word` is NULL without memory. */
struct tg_words tg_store_new_words(struct tg_store *in);

/* Appends a copy of TEXT to WORDS, which has room, or notes that memory ran out. */
void tg_store_add_word(struct tg_store *in, struct tg_words *words, const char *text);

#endif
