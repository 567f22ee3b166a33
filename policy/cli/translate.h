/*
 * translate.h - a policy made of what stands in another format. What comes from there is checked
 * before it is written: no word of it can become a line of the policy.
 */
#ifndef TG_TRANSLATE_H
#define TG_TRANSLATE_H

#include "xml.h"

/* Zero-initialise but for FILE; free both buffers. */
struct tg_translation {
    const char *file;     /* its path, for what is said about it */
    struct tg_buf policy; /* the sections so far */
    struct tg_buf said;   /* a line for each part that has no equivalent */
    unsigned gaps;        /* how many */
};

/* The rule that is being written. */
struct tg_draft {
    struct tg_buf patterns, keys;
    unsigned line; /* of what it is made of */
};

/* Android's network_security_config.xml, TrustKit's for Android too. */
void tg_translate_android(struct tg_translation *out, const tg_xml_node *root);
/* A property list with NSPinnedDomains, NSExceptionDomains or TSKConfiguration. */
void tg_translate_plist(struct tg_translation *out, const tg_xml_node *root);

/* NODE of the file can't be said in a policy: "FILE:LINE: ...". */
__attribute__((format(printf, 3, 4))) void
tg_translate_gap(struct tg_translation *out, const tg_xml_node *node, const char *format, ...);

/* Adds the host NAME, and *.NAME with SUBDOMAINS; a gap if it is none. */
void tg_draft_host(struct tg_translation *out, struct tg_draft *draft, const tg_xml_node *node,
                   const char *name, bool subdomains);
/* Adds a pin, BASE64 of the SHA-256 of an SPKI, to KEY; a gap if it is none. */
void tg_draft_pin(struct tg_translation *out, struct tg_draft *draft, const tg_xml_node *node,
                  const char *key, const char *base64);
/* Adds `pins-expire`; a gap if DATE is none. */
void tg_draft_expiry(struct tg_translation *out, struct tg_draft *draft, const tg_xml_node *node,
                     const char *date);
/* Adds KEY = VALUE, both our own words. */
void tg_draft_set(struct tg_draft *draft, const char *key, const char *value);

/* Writes the section, if there is a host and a key, and empties DRAFT. */
void tg_draft_end(struct tg_translation *out, struct tg_draft *draft);

#endif
