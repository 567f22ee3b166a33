/*
 * plist.c - Apple's NSAppTransportSecurity with NSPinnedDomains
 * (https://developer.apple.com/documentation/bundleresources/information-property-list), and
 * TrustKit's TSKConfiguration.
 */
#include "translate.h"
#include <stdlib.h>
#include <string.h>

/* The value behind the <key> called NAME in DICT, or NULL. */
static const tg_xml_node *value_of(const tg_xml_node *dict, const char *name)
{
    for (const tg_xml_node *key = tg_xml_first(dict); key != NULL; key = tg_xml_next(key)) {
        char *text = tg_xml_is(key, "key") ? tg_xml_text(key) : NULL;
        bool found = text != NULL && strcmp(text, name) == 0;

        free(text);
        if (found)
            return tg_xml_next(key);
    }
    return NULL;
}

static bool is_true(const tg_xml_node *dict, const char *name)
{
    const tg_xml_node *value = value_of(dict, name);

    return value != NULL && tg_xml_is(value, "true");
}

/* Calls WORK with each key's text and value in DICT. */
static void each(struct tg_translation *out, const tg_xml_node *dict,
                 void (*work)(struct tg_translation *, const char *, const tg_xml_node *))
{
    const tg_xml_node *key = dict != NULL ? tg_xml_first(dict) : NULL;

    for (; key != NULL && tg_xml_next(key) != NULL; key = tg_xml_next(tg_xml_next(key))) {
        char *text = tg_xml_text(key);

        if (text != NULL)
            work(out, text, tg_xml_next(key));
        free(text);
    }
}

/* Each key of DICT that isn't among KNOWN, a list that ends with NULL, is a gap. */
static void note_unknown(struct tg_translation *out, const tg_xml_node *dict,
                         const char *const *known)
{
    for (const tg_xml_node *key = tg_xml_first(dict); key != NULL && tg_xml_next(key) != NULL;
         key = tg_xml_next(tg_xml_next(key))) {
        char *text = tg_xml_text(key);
        const char *const *name = known;

        while (text != NULL && *name != NULL && strcmp(*name, text) != 0)
            name++;
        if (text != NULL && *name == NULL)
            tg_translate_gap(out, key, "%s has no equivalent", text);
        free(text);
    }
}

/* ---- NSAppTransportSecurity --------------------------------------------------------------- */

static void add_identities(struct tg_translation *out, struct tg_draft *draft,
                           const tg_xml_node *array, const char *key)
{
    const tg_xml_node *dict = array != NULL ? tg_xml_first(array) : NULL;

    for (; dict != NULL; dict = tg_xml_next(dict)) {
        const tg_xml_node *value = value_of(dict, "SPKI-SHA256-BASE64");
        char *text = value != NULL ? tg_xml_text(value) : NULL;

        tg_draft_pin(out, draft, value != NULL ? value : dict, key, text);
        free(text);
    }
}

static void add_pinned(struct tg_translation *out, const char *name, const tg_xml_node *dict)
{
    static const char *const known[] = {"NSIncludesSubdomains", "NSPinnedCAIdentities",
                                        "NSPinnedLeafIdentities", NULL};
    struct tg_draft draft = {.line = tg_xml_line(dict)};

    tg_draft_host(out, &draft, dict, name, is_true(dict, "NSIncludesSubdomains"));
    add_identities(out, &draft, value_of(dict, "NSPinnedCAIdentities"), "ca-pin");
    add_identities(out, &draft, value_of(dict, "NSPinnedLeafIdentities"), "leaf-pin");
    note_unknown(out, dict, known);
    tg_draft_end(out, &draft);
}

static void add_minimum(struct tg_translation *out, struct tg_draft *draft, const tg_xml_node *node)
{
    char *version = tg_xml_text(node);

    if (version != NULL && (strcmp(version, "TLSv1.2") == 0 || strcmp(version, "TLSv1.3") == 0))
        tg_draft_set(draft, "min-tls", version + 4);
    else
        tg_translate_gap(out, node, "the version '%s': min-tls is 1.2 or 1.3",
                         version != NULL ? version : "");
    free(version);
}

static void add_exception(struct tg_translation *out, const char *name, const tg_xml_node *dict)
{
    static const char *const known[] = {"NSIncludesSubdomains", "NSExceptionMinimumTLSVersion",
                                        NULL};
    const tg_xml_node *minimum = value_of(dict, "NSExceptionMinimumTLSVersion");
    struct tg_draft draft = {.line = tg_xml_line(dict)};

    tg_draft_host(out, &draft, dict, name, is_true(dict, "NSIncludesSubdomains"));
    if (minimum != NULL)
        add_minimum(out, &draft, minimum);
    note_unknown(out, dict, known);
    tg_draft_end(out, &draft);
}

static void translate_apple(struct tg_translation *out, const tg_xml_node *dict)
{
    static const char *const known[] = {"NSPinnedDomains", "NSExceptionDomains", NULL};

    each(out, value_of(dict, "NSPinnedDomains"), add_pinned);
    each(out, value_of(dict, "NSExceptionDomains"), add_exception);
    note_unknown(out, dict, known);
}

/* ---- TSKConfiguration --------------------------------------------------------------------- */

static void add_hashes(struct tg_translation *out, struct tg_draft *draft, const tg_xml_node *array)
{
    const tg_xml_node *pin = array != NULL ? tg_xml_first(array) : NULL;

    if (pin != NULL)
        tg_translate_gap(out, array,
                         "these pins may match the server's own key as well as a CA's: "
                         "write leaf-pin where the server's own is meant");
    for (; pin != NULL; pin = tg_xml_next(pin)) {
        char *text = tg_xml_text(pin);

        tg_draft_pin(out, draft, pin, "ca-pin", text);
        free(text);
    }
}

static void add_tsk(struct tg_translation *out, const char *name, const tg_xml_node *dict)
{
    static const char *const known[] = {"TSKPublicKeyHashes",
                                        "TSKIncludeSubdomains",
                                        "TSKEnforcePinning",
                                        "TSKExpirationDate",
                                        "TSKExcludeSubdomainFromParentPolicy",
                                        "TSKPublicKeyAlgorithms",
                                        NULL};
    const tg_xml_node *expiry = value_of(dict, "TSKExpirationDate");
    const tg_xml_node *enforce = value_of(dict, "TSKEnforcePinning");
    char *date = expiry != NULL ? tg_xml_text(expiry) : NULL;
    struct tg_draft draft = {.line = tg_xml_line(dict)};

    tg_draft_host(out, &draft, dict, name, is_true(dict, "TSKIncludeSubdomains"));
    if (is_true(dict, "TSKExcludeSubdomainFromParentPolicy"))
        tg_draft_set(&draft, "action", "pass");
    if (enforce != NULL && tg_xml_is(enforce, "false"))
        tg_draft_set(&draft, "mode", "report");
    add_hashes(out, &draft, value_of(dict, "TSKPublicKeyHashes"));
    if (expiry != NULL)
        tg_draft_expiry(out, &draft, expiry, date);
    note_unknown(out, dict, known);
    tg_draft_end(out, &draft);
    free(date);
}

static void translate_trustkit(struct tg_translation *out, const tg_xml_node *dict)
{
    static const char *const known[] = {"TSKPinnedDomains", "TSKSwizzleNetworkDelegates", NULL};

    each(out, value_of(dict, "TSKPinnedDomains"), add_tsk);
    note_unknown(out, dict, known);
}

void tg_translate_plist(struct tg_translation *out, const tg_xml_node *root)
{
    const tg_xml_node *dict = tg_xml_find(root, "dict");
    const tg_xml_node *apple = NULL, *trustkit = NULL;

    if (dict == NULL)
        return;
    apple = value_of(dict, "NSAppTransportSecurity");
    trustkit = value_of(dict, "TSKConfiguration");
    if (apple == NULL && value_of(dict, "NSPinnedDomains") != NULL)
        apple = dict;
    if (trustkit == NULL && value_of(dict, "TSKPinnedDomains") != NULL)
        trustkit = dict;
    if (apple != NULL)
        translate_apple(out, apple);
    if (trustkit != NULL)
        translate_trustkit(out, trustkit);
}
