/* xml.h - an XML file, read by libxml2, which is loaded here: `trustgraft run` doesn't need it. */
#ifndef TG_XML_H
#define TG_XML_H

#include "text.h"
#include "trustgraft.h"

/* An element. They live as long as their document. */
typedef struct _xmlNode tg_xml_node;
struct tg_xml;

/*
 * Parses LENGTH bytes of TEXT, without network, external entities or DTDs. NULL with a sentence in
 * WHY: "line 3: ...", also where it declares or names entities of its own.
 */
TG_MUST_USE struct tg_xml *tg_xml_parse(const char *text, size_t length, struct tg_buf *why);
void tg_xml_free(struct tg_xml *xml); /* NULL is fine */

const tg_xml_node *tg_xml_root(const struct tg_xml *xml);
/* The first element in NODE, and the one after NODE; NULL: none. */
const tg_xml_node *tg_xml_first(const tg_xml_node *node);
const tg_xml_node *tg_xml_next(const tg_xml_node *node);
/* The first one called NAME in NODE, or NULL. */
const tg_xml_node *tg_xml_find(const tg_xml_node *node, const char *name);
/* The last one called NAME before NODE, beside it, or NULL. */
const tg_xml_node *tg_xml_previous(const tg_xml_node *node, const char *name);

bool tg_xml_is(const tg_xml_node *node, const char *name);
const char *tg_xml_name(const tg_xml_node *node);
unsigned tg_xml_line(const tg_xml_node *node);
/* The text in NODE, without the white space around it; a copy, or NULL without memory. */
TG_MUST_USE char *tg_xml_text(const tg_xml_node *node);
/* The attribute NAME; a copy, NULL where there is none (or no memory). */
TG_MUST_USE char *tg_xml_attribute(const tg_xml_node *node, const char *name);
/* An attribute called as one of KNOWN, which ends with NULL, but in another case or in a namespace;
 * NULL: none. It lives as long as the document. */
const char *tg_xml_odd_attribute(const tg_xml_node *node, const char *const *known);

/* True once memory ran out in any of these: what was read may lack a part. */
bool tg_xml_starved(void);

#endif
