/* include.h - the files a policy consists of. */
#ifndef TG_INCLUDE_H
#define TG_INCLUDE_H

#include "loading.h"

/* Files may include files so deep. */
#define TG_INCLUDE_DEPTH 16

/* Reads the main file at PATH as the first source, or complains. */
void tg_source_read_main(struct tg_load *load, const char *path);

/* Reads the files that SETTING, an `include` in SECTION, names, and appends them. */
void tg_source_include(struct tg_load *load, struct tg_section *section,
                       const struct tg_setting *setting);

/* NAME as SECTION's file means it: relative to that file's directory. NULL: no memory. */
TG_MUST_USE const char *tg_source_path(struct tg_load *load, const struct tg_section *section,
                                       const char *name);

#endif
