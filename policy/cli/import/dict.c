#include "dict.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void tg_dict_ignore(struct tg_reading *reading, const char *name, const tg_xml_node *value)
{
    (void)reading, (void)name, (void)value;
}

/* A key that has a meaning elsewhere may have been meant to demand something here. */
void tg_dict_note(struct tg_reading *reading, const char *name, const tg_xml_node *value)
{
    static const char *const known[] = {"NSPinnedDomains",
                                        "NSPinnedCAIdentities",
                                        "NSPinnedLeafIdentities",
                                        "SPKI-SHA256-BASE64",
                                        "NSExceptionDomains",
                                        "NSExceptionMinimumTLSVersion",
                                        "NSRequiresCertificateTransparency",
                                        "TSKConfiguration",
                                        "TSKPinnedDomains",
                                        "TSKPublicKeyHashes",
                                        "TSKEnforcePinning",
                                        NULL};
    const char *const *word = known;

    while (*word != NULL && strcmp(name, *word) != 0)
        word++;
    if (*word != NULL)
        tg_translate_error(reading->out, value, "%s has no place here", name);
    else
        tg_translate_gap(reading->out, value, "%s has no equivalent", name);
}

/* True if NODE is a <KIND>, and else false after an error. */
bool tg_dict_is(struct tg_reading *reading, const char *name, const tg_xml_node *node,
                const char *kind)
{
    if (tg_xml_is(node, kind))
        return true;
    tg_translate_error(reading->out, node, "%s is a <%s> and not a <%s>", name, tg_xml_name(node),
                       kind);
    return false;
}

static const struct tg_field *find_field(const struct tg_field *fields, const char *name)
{
    while (fields->name != NULL && strcmp(fields->name, name) != 0)
        fields++;
    return fields;
}

/* Nobody sees a key that is only nearly one of FIELDS, though something was meant by it. */
static bool is_misspelled(struct tg_reading *reading, const struct tg_field *fields,
                          const char *name, const tg_xml_node *key)
{
    for (; fields->name != NULL; fields++)
        if (strcasecmp(fields->name, name) == 0 && strcmp(fields->name, name) != 0) {
            tg_translate_error(reading->out, key, "%s is not understood: %s is", name,
                               fields->name);
            return true;
        }
    return false;
}

static void take_key(struct tg_reading *reading, const struct tg_field *fields, uint64_t *seen,
                     const tg_xml_node *key)
{
    const tg_xml_node *value = tg_xml_next(key);
    char *name = tg_translate_text(reading->out, key);
    const struct tg_field *field = name != NULL ? find_field(fields, name) : NULL;
    uint64_t bit = field != NULL ? (uint64_t)1 << (field - fields) : 0;

    if (field != NULL && field->name != NULL && (*seen & bit))
        tg_translate_error(reading->out, key, "%s stands twice", name);
    else if (field != NULL && !is_misspelled(reading, fields, name, key))
        field->take(reading, name, value);
    *seen |= bit;
    free(name);
}

/* Has each key of the dictionary NODE, called NAME, taken by its row of FIELDS. */
void tg_dict_read(struct tg_reading *reading, const char *name, const tg_xml_node *node,
                  const struct tg_field *fields)
{
    const tg_xml_node *key = tg_xml_first(node);
    uint64_t seen = 0;

    if (!tg_dict_is(reading, name, node, "dict"))
        return;
    for (; key != NULL; key = tg_xml_next(tg_xml_next(key))) {
        const tg_xml_node *value = tg_xml_next(key);

        if (!tg_xml_is(key, "key") || value == NULL || tg_xml_is(value, "key")) {
            tg_translate_error(reading->out, key, "%s: a <key> and its value are wanted here",
                               name);
            return;
        }
        take_key(reading, fields, &seen, key);
    }
}

bool tg_dict_has(const tg_xml_node *dict, const char *name)
{
    bool found = false;

    for (const tg_xml_node *key = tg_xml_first(dict); key != NULL && !found;
         key = tg_xml_next(key)) {
        char *text = tg_xml_is(key, "key") ? tg_xml_text(key) : NULL;

        found = text != NULL && strcmp(text, name) == 0;
        free(text);
    }
    return found;
}

/* As NSString's and NSNumber's boolValue, for what is clear: TrustKit reads its booleans so. */
bool tg_dict_truth(struct tg_reading *reading, const char *name, const tg_xml_node *value)
{
    static const char *const words[] = {"NO", "false", "N", "0", "YES", "true", "Y", "1"};
    enum { COUNT = sizeof(words) / sizeof(words[0]) };
    bool number = tg_xml_is(value, "integer"), string = tg_xml_is(value, "string");
    char *text = string || number ? tg_translate_text(reading->out, value) : NULL;
    size_t i = text != NULL ? 0 : COUNT;

    while (i < COUNT && strcasecmp(text, words[i]) != 0)
        i++;
    free(text);
    if (tg_xml_is(value, "true") || tg_xml_is(value, "false"))
        return tg_xml_is(value, "true");
    if (i == COUNT)
        tg_translate_error(reading->out, value, "%s is neither <true/> nor <false/>", name);
    return i < COUNT && i >= COUNT / 2;
}

/* The text of VALUE, a <string>, for the caller to free; NULL after an error. */
char *tg_dict_string(struct tg_reading *reading, const char *name, const tg_xml_node *value)
{
    return tg_dict_is(reading, name, value, "string") ? tg_translate_text(reading->out, value)
                                                      : NULL;
}
