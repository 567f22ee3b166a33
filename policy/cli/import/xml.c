#include "xml.h"
#include "loadable.h"
#include "mem.h"
#include "text.h"
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlmemory.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* libxml2's functions, by the names they have there. */
static struct {
    __typeof__(&xmlMemSetup) allocate_by;
    __typeof__(&xmlNewParserCtxt) parser;
    __typeof__(&xmlCtxtReadMemory) read;
    __typeof__(&xmlStopParser) stop;
    __typeof__(&xmlFreeParserCtxt) free_parser;
    __typeof__(&xmlGetLastError) last_error;
    __typeof__(&xmlDocGetRootElement) root;
    __typeof__(&xmlGetLineNo) line;
    __typeof__(&xmlNodeGetContent) content;
    __typeof__(&xmlGetNoNsProp) attribute;
    __typeof__(&xmlFreeDoc) free;
} xml2;

static const struct tg_loadable_function functions[] = {
    {"xmlMemSetup", &xml2.allocate_by},
    {"xmlNewParserCtxt", &xml2.parser},
    {"xmlCtxtReadMemory", &xml2.read},
    {"xmlStopParser", &xml2.stop},
    {"xmlFreeParserCtxt", &xml2.free_parser},
    {"xmlGetLastError", &xml2.last_error},
    {"xmlDocGetRootElement", &xml2.root},
    {"xmlGetLineNo", &xml2.line},
    {"xmlNodeGetContent", &xml2.content},
    {"xmlGetNoNsProp", &xml2.attribute},
    {"xmlFreeDoc", &xml2.free},
};

struct tg_xml {
    xmlDoc *document;
    const char *excess; /* what the parser was stopped for; NULL: it wasn't */
    int line;           /* where */
};

/* Where memory runs out, libxml2 may leave a part of the document out and say nothing of it. */
static bool starved;

static void *noted(void *allocated)
{
    if (allocated == NULL)
        starved = true;
    return allocated;
}

static void *allocate(size_t size)
{
    return noted(malloc(size));
}

static void *reallocate(void *old, size_t size)
{
    return noted(realloc(old, size));
}

static char *duplicate(const char *text)
{
    return noted(strdup(text));
}

bool tg_xml_starved(void)
{
    return starved;
}

static bool load(struct tg_buf *why)
{
    static const struct tg_loadable library = {.file = "libxml2.so.2",
                                               .called = "libxml2.so.2",
                                               .need = "this needs libxml2 (Debian: libxml2)"};

    if (!tg_loadable_open(&library, functions, sizeof(functions) / sizeof(functions[0]), why))
        return false;
    (void)xml2.allocate_by(free, allocate, reallocate, duplicate); /* before all else of it */
    return true;
}

enum { MOST_ATTRIBUTES = 100 };

/*
 * Entities, and attributes that elements have by default, make much of a small file. Neither
 * Android's nor Apple's tools write any, so that the parser is stopped at the first.
 */
static void stop(void *context, const char *excess)
{
    xmlParserCtxt *parser = context;
    struct tg_xml *xml = parser->_private;

    if (xml->excess == NULL)
        xml->line = parser->input != NULL && parser->input->line > 0 ? parser->input->line : 1;
    xml->excess = excess;
    xml2.stop(parser);
}

static const char entities[] =
    "entities of the file's own aren't understood: write what they stand for";

static void meet_entity(void *context, const xmlChar *name, int type, const xmlChar *public_id,
                        const xmlChar *system_id, xmlChar *content)
{
    (void)name, (void)type, (void)public_id, (void)system_id, (void)content;
    stop(context, entities);
}

static xmlEntity *meet_reference(void *context, const xmlChar *name)
{
    (void)name;
    stop(context, entities);
    return NULL;
}

/* libxml2's own, which frees TREE. */
static attributeDeclSAXFunc declare_attribute;

static void meet_attribute(void *context, const xmlChar *element, const xmlChar *name, int type,
                           int kind, const xmlChar *value, xmlEnumeration *tree)
{
    declare_attribute(context, element, name, type, kind, value, tree);
    stop(context, "attributes by default aren't understood: write them where they are meant");
}

/* libxml2's own, which walks all attributes of an element for each that it adds. */
static startElementNsSAX2Func start_element;

static void meet_element(void *context, const xmlChar *name, const xmlChar *prefix,
                         const xmlChar *uri, int namespaces, const xmlChar **namespace, int count,
                         int defaulted, const xmlChar **attributes)
{
    if (count > MOST_ATTRIBUTES || namespaces > MOST_ATTRIBUTES)
        stop(context, "an element has more attributes than any that is understood");
    else
        start_element(context, name, prefix, uri, namespaces, namespace, count, defaulted,
                      attributes);
}

static void parse(struct tg_xml *xml, xmlParserCtxt *parser, const char *text, size_t length)
{
    parser->_private = xml;
    declare_attribute = parser->sax->attributeDecl;
    parser->sax->attributeDecl = meet_attribute;
    start_element = parser->sax->startElementNs;
    parser->sax->startElementNs = meet_element;
    parser->sax->entityDecl = meet_entity;
    parser->sax->getEntity = meet_reference;
    if (length < INT_MAX)
        xml->document = xml2.read(parser, text, (int)length, NULL, NULL,
                                  XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                      XML_PARSE_NOCDATA);
}

static void explain(const struct tg_xml *xml, struct tg_buf *why)
{
    const xmlError *error = xml2.last_error();
    const char *said = error != NULL && error->message != NULL ? error->message : "it is no XML";

    if (xml->excess != NULL)
        tg_buf_printf(why, "line %d: %s", xml->line, xml->excess);
    else
        tg_buf_printf(why, "line %d: %.*s", error != NULL ? error->line : 1,
                      (int)strcspn(said, "\n"), said);
}

struct tg_xml *tg_xml_parse(const char *text, size_t length, struct tg_buf *why)
{
    struct tg_xml *xml = NULL;
    xmlParserCtxt *parser = NULL;

    if (!load(why))
        return NULL;
    xml = calloc(1, sizeof(*xml));
    parser = xml2.parser();
    if (xml != NULL && parser != NULL)
        parse(xml, parser, text, length);
    if (parser != NULL)
        xml2.free_parser(parser);
    if (xml != NULL && xml->document != NULL && xml->excess == NULL && !starved &&
        xml2.root(xml->document) != NULL)
        return xml;
    if (xml != NULL && parser != NULL && !starved)
        explain(xml, why);
    else
        tg_buf_add(why, tg_no_memory);
    tg_xml_free(xml);
    return NULL;
}

void tg_xml_free(struct tg_xml *xml)
{
    if (xml != NULL && xml->document != NULL)
        xml2.free(xml->document);
    free(xml);
}

static const tg_xml_node *element_from(const tg_xml_node *node)
{
    while (node != NULL && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

const tg_xml_node *tg_xml_root(const struct tg_xml *xml)
{
    return xml2.root(xml->document);
}

const tg_xml_node *tg_xml_first(const tg_xml_node *node)
{
    return element_from(node->children);
}

const tg_xml_node *tg_xml_next(const tg_xml_node *node)
{
    return element_from(node->next);
}

const tg_xml_node *tg_xml_find(const tg_xml_node *node, const char *name)
{
    for (node = tg_xml_first(node); node != NULL; node = tg_xml_next(node))
        if (tg_xml_is(node, name))
            return node;
    return NULL;
}

const tg_xml_node *tg_xml_previous(const tg_xml_node *node, const char *name)
{
    for (node = node->prev; node != NULL; node = node->prev)
        if (node->type == XML_ELEMENT_NODE && tg_xml_is(node, name))
            return node;
    return NULL;
}

bool tg_xml_is(const tg_xml_node *node, const char *name)
{
    return strcmp(tg_xml_name(node), name) == 0;
}

const char *tg_xml_name(const tg_xml_node *node)
{
    return (const char *)node->name;
}

unsigned tg_xml_line(const tg_xml_node *node)
{
    long line = xml2.line(node);

    return line > 0 ? (unsigned)line : 0;
}

static char *trim(xmlChar *text)
{
    char *whole = (char *)text, *start;
    size_t length;

    if (whole == NULL)
        return NULL;
    start = whole + strspn(whole, " \t\r\n");
    length = strlen(start);
    while (length > 0 && strchr(" \t\r\n", start[length - 1]) != NULL)
        length--;
    memmove(whole, start, length);
    whole[length] = '\0';
    return whole;
}

char *tg_xml_text(const tg_xml_node *node)
{
    return trim(xml2.content(node));
}

char *tg_xml_attribute(const tg_xml_node *node, const char *name)
{
    return trim(xml2.attribute(node, (const xmlChar *)name));
}

const char *tg_xml_odd_attribute(const tg_xml_node *node, const char *const *known)
{
    for (const xmlAttr *one = node->properties; one != NULL; one = one->next) {
        const char *name = (const char *)one->name;

        for (const char *const *word = known; *word != NULL; word++)
            if (strcasecmp(name, *word) == 0 && (one->ns != NULL || strcmp(name, *word) != 0))
                return name;
    }
    return NULL;
}
