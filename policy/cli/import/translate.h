/*
 * translate.h - a policy made of what stands in another format. What comes from there is checked
 * before it is written: no word of it can become a line of the policy, and a part that can't be
 * said in one either makes nothing laxer (a gap) or leaves no policy at all (an error).
 */
#ifndef TG_TRANSLATE_H
#define TG_TRANSLATE_H

#include "host.h"
#include "policy.h"
#include "table.h"
#include "text.h"
#include "trustgraft.h"
#include "xml.h"

/* Zero-initialise but for FILE; tg_translation_clear() at the end. */
struct tg_translation {
    const char *file;     /* its path, for what is said about it */
    struct tg_buf policy; /* the sections so far */
    struct tg_buf said;   /* a line for each gap and error */
    unsigned gaps;        /* parts that are left out: the policy refuses as much, or more */
    unsigned errors;      /* parts without which it would accept what FILE refuses */
    struct tg_arena *arena;
    struct tg_table table; /* of the hosts so far, tagged by the caller */
};

/*
 * What one part of the file asks of a host's servers, as lines of a rule. The buffers are the
 * caller's; NULL and empty are the same.
 */
struct tg_draft {
    const tg_xml_node *node;   /* what it is made of */
    const struct tg_buf *keys; /* all but the pins */
    const struct tg_buf *pins, *expiry;
    bool reported; /* the pins are tried out and not enforced */
    bool excluded; /* nothing is asked: the application decides */
};

void tg_translation_clear(struct tg_translation *out);

/* NODE of the file is left out: "FILE:LINE: ...". */
__attribute__((format(printf, 3, 4))) void
tg_translate_gap(struct tg_translation *out, const tg_xml_node *node, const char *format, ...);
/* Because of NODE there is no policy: "FILE:LINE: error: ...". */
__attribute__((format(printf, 3, 4))) void
tg_translate_error(struct tg_translation *out, const tg_xml_node *node, const char *format, ...);
/* The same of LINE, where no node of it is. */
__attribute__((format(printf, 3, 4))) void
tg_translate_gap_at(struct tg_translation *out, unsigned line, const char *format, ...);
__attribute__((format(printf, 3, 4))) void
tg_translate_error_at(struct tg_translation *out, unsigned line, const char *format, ...);

/* The one of KNOWN, which ends with NULL, that WORD is but for its case; NULL: none, or WORD. */
const char *tg_translate_alike(const char *word, const char *const *known);

/* The text of NODE, for the caller to free; NULL after an error where there are elements in it. */
TG_MUST_USE char *tg_translate_text(struct tg_translation *out, const tg_xml_node *node);

/* Writes the canonical form of NAME to HOST. False after an error where it is no host. */
TG_MUST_USE bool tg_translate_host(struct tg_translation *out, const tg_xml_node *node,
                                   const char *name, char host[TG_HOST_SIZE]);
/* Appends the pattern HOST, and *.HOST with SUBDOMAINS unless it is an address. */
void tg_translate_patterns(struct tg_buf *patterns, const char *host, bool subdomains);
/*
 * Enters ITEM, whose tag and text the caller allocated in out->arena; either may be NULL, which is
 * a lack of memory. False if it isn't entered: after an error if there is one already.
 */
TG_MUST_USE bool tg_translate_enter(struct tg_translation *out, const tg_xml_node *node,
                                    struct tg_item *item);

/* Appends "KEY = sha256/BASE64"; an error if that is the digest of no key. */
void tg_translate_pin(struct tg_translation *out, const tg_xml_node *node, struct tg_buf *pins,
                      const char *key, const char *base64);
/* Appends `pins-expire`; a gap if DATE is none, since pins that don't expire are stricter. */
void tg_translate_expiry(struct tg_translation *out, const tg_xml_node *node, struct tg_buf *expiry,
                         const char *date);

/*
 * Writes the rule for PATTERNS that fulfils each of DRAFTS; none where nothing is asked. What is
 * only tried out gives way to what is enforced, as a rule has one mode.
 */
void tg_translate_rule(struct tg_translation *out, const struct tg_buf *patterns,
                       const struct tg_draft *drafts, size_t count);

#endif
