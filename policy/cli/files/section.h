/* section.h - a section in the text of a policy, of which one line is changed: all else stays. */
#ifndef TG_SECTION_H
#define TG_SECTION_H

#include "text.h"
#include "trustgraft.h"

/* LINE, counted from 1, is the section's head in TEXT. True if a line below it sets KEY. */
bool tg_section_sets(const struct tg_buf *text, unsigned line, const char *key);

/*
 * Appends TEXT to OUT, with VALUE behind the values that KEY has in the section at LINE and before
 * their comment; where it has none, with a line for it behind the section's last setting.
 */
void tg_section_add(struct tg_buf *out, const struct tg_buf *text, unsigned line, const char *key,
                    const char *value);

/* The same, with VALUE instead of KEY's values. */
void tg_section_set(struct tg_buf *out, const struct tg_buf *text, unsigned line, const char *key,
                    const char *value);

#endif
