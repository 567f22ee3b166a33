/*
 * android.c - Android's Network Security Config
 * (https://developer.android.com/privacy-and-security/security-config), with TrustKit's additions.
 */
#include "translate.h"
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a domain-config without these of its own has from the one around it. */
struct inherited {
    const tg_xml_node *anchors, *pins;
};

static bool is_true(const tg_xml_node *node, const char *attribute)
{
    char *value = tg_xml_attribute(node, attribute);
    bool yes = value != NULL && strcmp(value, "true") == 0;

    free(value);
    return yes;
}

/*
 * Writes the file of the resource @raw/NAME to FOUND: it lies in res/raw, beside the res/xml where
 * this file is, under any extension.
 */
static bool find_resource(const char *file, const char *name, char found[PATH_MAX])
{
    const char *slash = strrchr(file, '/');
    char folder[PATH_MAX], path[2 * PATH_MAX];
    struct dirent *entry = NULL;
    DIR *raw;

    snprintf(folder, sizeof(folder), "%.*s../raw", slash != NULL ? (int)(slash - file) + 1 : 0,
             file);
    raw = opendir(folder);
    while (raw != NULL && (entry = readdir(raw)) != NULL) {
        size_t stem = strcspn(entry->d_name, ".");

        if (stem == strlen(name) && strncmp(entry->d_name, name, stem) == 0)
            break;
    }
    if (entry != NULL)
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
    if (raw != NULL)
        closedir(raw);
    return entry != NULL && realpath(path, found) != NULL;
}

/* A resource's name is a Java identifier: nothing of it needs quoting. */
static bool is_plain(const char *name)
{
    return *name != '\0' && name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789_")] == '\0';
}

static void add_resource(struct tg_translation *out, struct tg_draft *draft,
                         const tg_xml_node *node, const char *name)
{
    char found[PATH_MAX], value[PATH_MAX + 8];

    if (find_resource(out->file, name, found) && strpbrk(found, "\"\\\n\r") == NULL) {
        snprintf(value, sizeof(value), "\"%s\"", found);
    } else {
        snprintf(value, sizeof(value), "%s.pem", name);
        tg_translate_gap(out, node,
                         "there is no ../raw/%s.*: put the certificates at %s, beside "
                         "the policy",
                         name, value);
    }
    tg_draft_set(draft, "anchors", value);
}

static void add_anchors(struct tg_translation *out, struct tg_draft *draft,
                        const tg_xml_node *anchors)
{
    for (const tg_xml_node *node = tg_xml_first(anchors); node != NULL; node = tg_xml_next(node)) {
        char *source = tg_xml_attribute(node, "src");

        if (source != NULL && strcmp(source, "system") == 0)
            tg_draft_set(draft, "anchors", "system");
        else if (source != NULL && strcmp(source, "user") == 0)
            tg_translate_gap(out, node, "the user's own CAs: on Debian they are among `system`");
        else if (source != NULL && strncmp(source, "@raw/", 5) == 0 && is_plain(source + 5))
            add_resource(out, draft, node, source + 5);
        else
            tg_translate_gap(out, node, "the certificates '%s' aren't understood",
                             source != NULL ? source : "");
        if (is_true(node, "overridePins"))
            tg_translate_gap(out, node, "overridePins: the pins hold for these anchors too");
        free(source);
    }
}

static void add_pins(struct tg_translation *out, struct tg_draft *draft, const tg_xml_node *pins)
{
    char *expiry = tg_xml_attribute(pins, "expiration");
    bool any = false;

    for (const tg_xml_node *pin = tg_xml_first(pins); pin != NULL; pin = tg_xml_next(pin)) {
        char *digest = tg_xml_attribute(pin, "digest"), *text = tg_xml_text(pin);

        if (digest != NULL && strcmp(digest, "SHA-256") == 0)
            tg_draft_pin(out, draft, pin, "ca-pin", text);
        else
            tg_translate_gap(out, pin, "a pin by the digest '%s'", digest != NULL ? digest : "");
        any = true;
        free(digest);
        free(text);
    }
    if (expiry != NULL)
        tg_draft_expiry(out, draft, pins, expiry);
    if (any)
        tg_translate_gap(out, pins,
                         "these pins may match the server's own key as well as a CA's: "
                         "write leaf-pin where the server's own is meant");
    free(expiry);
}

static void add_trustkit(struct tg_translation *out, struct tg_draft *draft,
                         const tg_xml_node *node)
{
    char *enforce = tg_xml_attribute(node, "enforcePinning");

    /* TrustKit's default is not to enforce. */
    if (enforce == NULL || strcmp(enforce, "true") != 0)
        tg_draft_set(draft, "mode", "report");
    if (tg_xml_find(node, "report-uri") != NULL)
        tg_translate_gap(out, tg_xml_find(node, "report-uri"),
                         "reports go to the policy's `log`, not to an address");
    free(enforce);
}

static void add_domain(struct tg_translation *out, struct tg_draft *draft, const tg_xml_node *node)
{
    char *name = tg_xml_text(node);

    tg_draft_host(out, draft, node, name, is_true(node, "includeSubdomains"));
    free(name);
}

static void note_cleartext(struct tg_translation *out, const tg_xml_node *node)
{
    char *permitted = tg_xml_attribute(node, "cleartextTrafficPermitted");

    if (permitted != NULL)
        tg_translate_gap(out, node,
                         "cleartextTrafficPermitted: connections without TLS aren't seen");
    free(permitted);
}

/* A base-config is for every host that no domain-config is for. */
static void translate(struct tg_translation *out, const tg_xml_node *config,
                      struct inherited inherited)
{
    struct tg_draft draft = {.line = tg_xml_line(config)};
    const tg_xml_node *node;

    note_cleartext(out, config);
    if (tg_xml_is(config, "base-config"))
        tg_buf_add(&draft.patterns, " *");
    for (node = tg_xml_first(config); node != NULL; node = tg_xml_next(node)) {
        if (tg_xml_is(node, "domain"))
            add_domain(out, &draft, node);
        else if (tg_xml_is(node, "trust-anchors"))
            inherited.anchors = node;
        else if (tg_xml_is(node, "pin-set"))
            inherited.pins = node;
        else if (tg_xml_is(node, "trustkit-config"))
            add_trustkit(out, &draft, node);
        else if (!tg_xml_is(node, "domain-config"))
            tg_translate_gap(out, node, "<%s> has no equivalent", tg_xml_name(node));
    }
    if (inherited.anchors != NULL)
        add_anchors(out, &draft, inherited.anchors);
    if (inherited.pins != NULL)
        add_pins(out, &draft, inherited.pins);
    /* With nothing else asked, it is verified against what the application trusts. */
    if (draft.keys.length == 0)
        tg_draft_set(&draft, "action", "evaluate");
    tg_draft_end(out, &draft);
    for (node = tg_xml_first(config); node != NULL; node = tg_xml_next(node))
        if (tg_xml_is(node, "domain-config"))
            translate(out, node, inherited);
}

void tg_translate_android(struct tg_translation *out, const tg_xml_node *root)
{
    for (const tg_xml_node *node = tg_xml_first(root); node != NULL; node = tg_xml_next(node))
        if (tg_xml_is(node, "base-config") || tg_xml_is(node, "domain-config"))
            translate(out, node, (struct inherited){0});
        else
            tg_translate_gap(out, node, "<%s>: what it says belongs in a policy of its own",
                             tg_xml_name(node));
}
