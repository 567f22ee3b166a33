/*
 * store.h - the values of a setting into what they set: which function reads which type of value,
 * and those whose value is one word.
 */
#ifndef TG_STORE_H
#define TG_STORE_H

#include "storing.h"

/* Checks SETTING's values and stores them in OBJECT, or complains of each that is wrong. */
void tg_store_setting(struct tg_load *load, struct tg_section *section,
                      const struct tg_setting *setting, void *object);

#endif
