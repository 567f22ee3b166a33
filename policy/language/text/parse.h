/* parse.h - words into sections and settings whose kinds and keys are known. */
#ifndef TG_PARSE_H
#define TG_PARSE_H

#include "loading.h"

/*
 * Appends the sections of SOURCE to LOAD, complaining of every section and key that isn't
 * known or stands where it mustn't. The values are not looked at. SOURCE's text is changed.
 */
void tg_parse_source(struct tg_load *load, struct tg_source *source);

#endif
