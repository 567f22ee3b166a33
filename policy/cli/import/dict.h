/*
 * dict.h - the dictionaries of a property list, whose keys are taken by a table. What isn't as it
 * should be is an error of the translation: a key twice, or in another case, or without a value.
 */
#ifndef TG_DICT_H
#define TG_DICT_H

#include "translate.h"
#include "trustgraft.h"

/* The first member of a larger struct, for those who take keys. */
struct tg_reading {
    struct tg_translation *out;
};

/* Takes VALUE, which stands behind the key NAME. */
typedef void tg_take(struct tg_reading *reading, const char *name, const tg_xml_node *value);

/* A table of them, at most 63, ends with a row without name, that takes all other keys. */
struct tg_field {
    const char *name;
    tg_take *take;
};

/* Has each key of the dictionary NODE, called NAME in errors, taken by its row of FIELDS. */
void tg_dict_read(struct tg_reading *reading, const char *name, const tg_xml_node *node,
                  const struct tg_field *fields);

/* Two that take keys: nothing is said of this one, and that this one has no equivalent. */
tg_take tg_dict_ignore, tg_dict_note;

/* True if there is a key NAME in DICT. */
bool tg_dict_has(const tg_xml_node *dict, const char *name);

/* True if NODE is a <KIND>, and else false after an error. */
TG_MUST_USE bool tg_dict_is(struct tg_reading *reading, const char *name, const tg_xml_node *node,
                            const char *kind);
/* The boolean VALUE; false after an error where it is none. */
TG_MUST_USE bool tg_dict_truth(struct tg_reading *reading, const char *name,
                               const tg_xml_node *value);
/* The text of VALUE, a <string>, for the caller to free; NULL after an error. */
TG_MUST_USE char *tg_dict_string(struct tg_reading *reading, const char *name,
                                 const tg_xml_node *value);

#endif
