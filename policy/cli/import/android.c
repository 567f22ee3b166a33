/*
 * android.c - Android's Network Security Config
 * (https://developer.android.com/privacy-and-security/security-config), with TrustKit's additions.
 *
 * What Android's own reader refuses (XmlConfigSource.java) is an error here too, and so is what
 * would leave out a demand.
 */
#include "android.h"
#include "host.h"
#include "text.h"
#include "translate.h"
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What TrustKit says of the pins; without it Android enforces them. */
enum enforcing { NOT_SAID, ENFORCED, REPORTED };

/* What a config has, itself or from the one around it; lines of a rule. */
struct settings {
    const struct tg_buf *anchors; /* NULL: the application's */
    const struct tg_buf *pins, *expiry;
    enum enforcing enforcing;
};

/* What a config sets itself. */
struct own {
    struct tg_buf patterns, anchors, pins, expiry;
};

static const char *const elements[] = {
    "base-config",     "domain-config",   "domain", "trust-anchors",
    "certificates",    "pin-set",         "pin",    "expiration",
    "trustkit-config", "debug-overrides", NULL};

/* Android doesn't see an attribute that is spelled otherwise, and takes its default. */
static void check_attributes(struct tg_translation *out, const tg_xml_node *node,
                             const char *const *known)
{
    const char *odd = tg_xml_odd_attribute(node, known);

    if (odd != NULL)
        tg_translate_error(out, node,
                           "the attribute '%s' of <%s> is not understood as it is spelled here",
                           odd, tg_xml_name(node));
}

/* The boolean ATTRIBUTE of NODE; OTHERWISE where there is none. */
static bool truth(struct tg_translation *out, const tg_xml_node *node, const char *attribute,
                  bool otherwise)
{
    char *value = tg_xml_attribute(node, attribute);
    bool yes = value != NULL ? strcasecmp(value, "true") == 0 : otherwise;

    if (value != NULL && !yes && strcasecmp(value, "false") != 0)
        tg_translate_error(out, node, "%s is neither true nor false, but '%s'", attribute, value);
    free(value);
    return yes;
}

/* The first element in NODE, at any depth, that is understood where it belongs; NULL: none. */
static const tg_xml_node *find_known(const tg_xml_node *node)
{
    const tg_xml_node *found = NULL;

    for (const char *const *name = elements; *name != NULL; name++)
        if (tg_xml_is(node, *name))
            return node;
    for (node = tg_xml_first(node); node != NULL && found == NULL; node = tg_xml_next(node))
        found = find_known(node);
    return found;
}

/*
 * An element that has no equivalent. Android passes over it, but what is misspelled, or in a place
 * where it says nothing, may have been meant to demand.
 */
static void note_stranger(struct tg_translation *out, const tg_xml_node *node)
{
    const char *alike = tg_translate_alike(tg_xml_name(node), elements);
    const tg_xml_node *lost = find_known(node);

    if (alike != NULL)
        tg_translate_error(out, node, "<%s> is not understood: <%s> is", tg_xml_name(node), alike);
    else if (lost != NULL)
        tg_translate_error(out, lost, "<%s> has no place here", tg_xml_name(lost));
    else if (tg_xml_is(node, "certificateTransparency") && truth(out, node, "enabled", true))
        tg_translate_error(out, node,
                           "a policy can't demand certificate transparency: without <%s>, a copy "
                           "of the file can be translated",
                           tg_xml_name(node));
    else
        tg_translate_gap(out, node, "<%s> has no equivalent", tg_xml_name(node));
}

/* NODE is to have no elements in it. */
static void note_children(struct tg_translation *out, const tg_xml_node *node)
{
    for (node = tg_xml_first(node); node != NULL; node = tg_xml_next(node))
        note_stranger(out, node);
}

/* ---- trust-anchors ------------------------------------------------------------------------- */

/*
 * Writes the file of the resource @raw/NAME to FOUND: it lies in res/raw, beside the res/xml where
 * this file is, under any extension. Of two, Android's tools take none either.
 */
static bool find_resource(const char *file, const char *name, char found[PATH_MAX])
{
    const char *slash = strrchr(file, '/');
    char folder[PATH_MAX], path[2 * PATH_MAX];
    const struct dirent *entry;
    unsigned count = 0;
    DIR *raw;

    snprintf(folder, sizeof(folder), "%.*s../raw", slash != NULL ? (int)(slash - file) + 1 : 0,
             file);
    raw = opendir(folder);
    while (raw != NULL && (entry = readdir(raw)) != NULL) {
        size_t stem = strcspn(entry->d_name, ".");

        if (stem == strlen(name) && strncmp(entry->d_name, name, stem) == 0 && count++ == 0)
            snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
    }
    if (raw != NULL)
        closedir(raw);
    return count == 1 && realpath(path, found) != NULL;
}

/* A resource's name is a Java identifier: nothing of it needs quoting. */
static bool is_plain(const char *name)
{
    return *name != '\0' && name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789_")] == '\0';
}

/* A policy that names a file which isn't there can't be used until it is. */
static void add_resource(struct tg_translation *out, struct tg_buf *anchors,
                         const tg_xml_node *node, const char *name)
{
    char found[PATH_MAX];

    if (find_resource(out->file, name, found) && strpbrk(found, "\"\\\n\r") == NULL) {
        tg_buf_printf(anchors, "anchors = \"%s\"\n", found);
        return;
    }
    tg_buf_printf(anchors, "anchors = %s.pem\n", name);
    tg_translate_gap(out, node,
                     "there is no ../raw/%s.*, or more than one: put the certificates at %s.pem, "
                     "beside the policy",
                     name, name);
}

static void add_certificates(struct tg_translation *out, struct tg_buf *anchors,
                             const tg_xml_node *node)
{
    static const char *const known[] = {"src", "overridePins", NULL};
    char *source = tg_xml_attribute(node, "src");

    check_attributes(out, node, known);
    note_children(out, node);
    if (source != NULL && strcmp(source, "system") == 0)
        tg_buf_add(anchors, "anchors = system\n");
    else if (source != NULL && strcmp(source, "user") == 0)
        tg_translate_gap(out, node, "the user's own CAs: on Debian they are among `system`");
    else if (source != NULL && strncmp(source, "@raw/", 5) == 0 && is_plain(source + 5))
        add_resource(out, anchors, node, source + 5);
    else
        tg_translate_error(out, node, "the certificates '%s' aren't understood",
                           source != NULL ? source : "");
    if (truth(out, node, "overridePins", false))
        tg_translate_gap(out, node, "overridePins: the pins hold for these anchors too");
    free(source);
}

static void add_anchors(struct tg_translation *out, struct own *own, const tg_xml_node *anchors)
{
    unsigned errors = out->errors;

    for (const tg_xml_node *node = tg_xml_first(anchors); node != NULL; node = tg_xml_next(node))
        if (tg_xml_is(node, "certificates"))
            add_certificates(out, &own->anchors, node);
        else
            note_stranger(out, node);
    /* Without anchors the rule would take those of the application. */
    if (own->anchors.length == 0 && out->errors == errors)
        tg_translate_error(out, anchors,
                           "nothing is left of these <trust-anchors>, so that no server would be "
                           "accepted: name the certificates by @raw/NAME");
}

/* ---- pin-set ------------------------------------------------------------------------------- */

static void add_pin(struct tg_translation *out, struct own *own, const tg_xml_node *node)
{
    static const char *const known[] = {"digest", NULL};
    char *digest = tg_xml_attribute(node, "digest"), *text = tg_translate_text(out, node);

    check_attributes(out, node, known);
    if (digest == NULL || strcasecmp(digest, "SHA-256") != 0)
        tg_translate_error(out, node, "a pin by the digest '%s', which is not SHA-256",
                           digest != NULL ? digest : "");
    else
        tg_translate_pin(out, node, &own->pins, "pin", text);
    free(digest);
    free(text);
}

static void add_pins(struct tg_translation *out, struct own *own, const tg_xml_node *pins)
{
    static const char *const known[] = {"expiration", NULL};
    char *expiry = tg_xml_attribute(pins, "expiration");
    unsigned errors = out->errors;

    check_attributes(out, pins, known);
    for (const tg_xml_node *node = tg_xml_first(pins); node != NULL; node = tg_xml_next(node))
        if (tg_xml_is(node, "pin"))
            add_pin(out, own, node);
        else
            note_stranger(out, node);
    if (own->pins.length == 0 && out->errors == errors)
        tg_translate_error(out, pins, "this <pin-set> has no pin, so that nothing is pinned");
    /* Android takes a day, in its own time zone. */
    if (expiry != NULL)
        tg_translate_expiry(out, pins, &own->expiry, expiry);
    free(expiry);
}

/* TrustKit's own default is not to enforce. */
static void add_trustkit(struct tg_translation *out, struct settings *settings,
                         const tg_xml_node *node)
{
    static const char *const known[] = {"enforcePinning", "disableDefaultReportUri", NULL};

    check_attributes(out, node, known);
    settings->enforcing =
        truth(out, node, "enforcePinning", settings->enforcing == ENFORCED) ? ENFORCED : REPORTED;
    for (node = tg_xml_first(node); node != NULL; node = tg_xml_next(node))
        if (tg_xml_is(node, "report-uri"))
            tg_translate_gap(out, node, "reports go to the policy's `log`, not to an address");
        else
            note_stranger(out, node);
}

/* ---- configs ------------------------------------------------------------------------------- */

static void add_domain(struct tg_translation *out, struct own *own, const tg_xml_node *node)
{
    static const char *const known[] = {"includeSubdomains", NULL};
    char *name = tg_translate_text(out, node), host[TG_HOST_SIZE];
    bool subdomains = truth(out, node, "includeSubdomains", false);
    struct tg_item *item = tg_arena_alloc(out->arena, sizeof(*item));

    check_attributes(out, node, known);
    if (tg_translate_host(out, node, name, host)) {
        if (item != NULL)
            item->text = tg_arena_strndup(out->arena, host, strlen(host));
        if (tg_translate_enter(out, node, item))
            tg_translate_patterns(&own->patterns, host, subdomains);
    }
    free(name);
}

static void note_cleartext(struct tg_translation *out, const tg_xml_node *node)
{
    static const char *const known[] = {"cleartextTrafficPermitted", NULL};
    char *permitted = tg_xml_attribute(node, "cleartextTrafficPermitted");

    check_attributes(out, node, known);
    if (permitted != NULL)
        tg_translate_gap(out, node,
                         "cleartextTrafficPermitted: connections without TLS aren't seen");
    free(permitted);
}

/* Android takes one trust-anchors and one pin-set in a config. */
static bool is_second(struct tg_translation *out, const tg_xml_node *node)
{
    const tg_xml_node *before = tg_xml_previous(node, tg_xml_name(node));

    if (before != NULL)
        tg_translate_error(out, node, "there is a <%s> already, at line %u", tg_xml_name(node),
                           tg_xml_line(before));
    return before != NULL;
}

static void read_element(struct tg_translation *out, const tg_xml_node *node, bool base,
                         struct own *own, struct settings *settings)
{
    if (tg_xml_is(node, "trust-anchors")) {
        if (!is_second(out, node))
            add_anchors(out, own, node);
        settings->anchors = &own->anchors;
    } else if (base && (tg_xml_is(node, "domain") || tg_xml_is(node, "pin-set") ||
                        tg_xml_is(node, "domain-config"))) {
        tg_translate_error(out, node, "<%s> has no place in <base-config>", tg_xml_name(node));
    } else if (tg_xml_is(node, "domain")) {
        add_domain(out, own, node);
    } else if (tg_xml_is(node, "pin-set")) {
        if (!is_second(out, node))
            add_pins(out, own, node);
        settings->pins = &own->pins;
        settings->expiry = &own->expiry;
    } else if (tg_xml_is(node, "trustkit-config")) {
        if (!is_second(out, node))
            add_trustkit(out, settings, node);
    } else if (!tg_xml_is(node, "domain-config")) {
        note_stranger(out, node);
    }
}

static void write_rule(struct tg_translation *out, const tg_xml_node *config, const struct own *own,
                       const struct settings *settings)
{
    struct tg_draft draft = {.node = config,
                             .keys = settings->anchors,
                             .pins = settings->pins,
                             .expiry = settings->expiry,
                             .reported = settings->enforcing == REPORTED};
    struct tg_buf evaluate = {0};

    /* With nothing else asked, it is verified against what the application trusts. */
    tg_buf_add(&evaluate, "action = evaluate\n");
    if (settings->anchors == NULL && (settings->pins == NULL || settings->pins->length == 0)) {
        draft.keys = &evaluate;
        draft.reported = false;
    }
    tg_translate_rule(out, &own->patterns, &draft, 1);
    tg_buf_free(&evaluate);
}

static void free_own(struct own *own)
{
    tg_buf_free(&own->patterns);
    tg_buf_free(&own->anchors);
    tg_buf_free(&own->pins);
    tg_buf_free(&own->expiry);
}

static void translate_domains(struct tg_translation *out, const tg_xml_node *config,
                              struct settings settings)
{
    struct own own = {0};

    note_cleartext(out, config);
    for (const tg_xml_node *node = tg_xml_first(config); node != NULL; node = tg_xml_next(node))
        read_element(out, node, false, &own, &settings);
    if (tg_xml_find(config, "domain") == NULL)
        tg_translate_error(out, config, "this <domain-config> has no <domain>");
    write_rule(out, config, &own, &settings);
    for (const tg_xml_node *node = tg_xml_first(config); node != NULL; node = tg_xml_next(node))
        if (tg_xml_is(node, "domain-config"))
            translate_domains(out, node, settings);
    free_own(&own);
}

/* A base-config is for every host that no domain-config is for; the others inherit from it. */
static void translate_base(struct tg_translation *out, const tg_xml_node *config, struct own *own,
                           struct settings *settings)
{
    note_cleartext(out, config);
    tg_buf_add(&own->patterns, " *");
    for (const tg_xml_node *node = tg_xml_first(config); node != NULL; node = tg_xml_next(node))
        read_element(out, node, true, own, settings);
    write_rule(out, config, own, settings);
    /* TrustKit doesn't read it here: only what is stricter counts. */
    if (settings->enforcing == REPORTED)
        settings->enforcing = NOT_SAID;
}

void tg_translate_android(struct tg_translation *out, const tg_xml_node *root)
{
    const tg_xml_node *base = tg_xml_find(root, "base-config");
    struct settings settings = {0};
    struct own own = {0};

    out->arena = tg_arena_new();
    if (out->arena == NULL) {
        out->policy.failed = true;
        return;
    }
    if (base != NULL)
        translate_base(out, base, &own, &settings);
    for (const tg_xml_node *node = tg_xml_first(root); node != NULL; node = tg_xml_next(node))
        if (tg_xml_is(node, "domain-config"))
            translate_domains(out, node, settings);
        else if (tg_xml_is(node, "base-config"))
            (void)is_second(out, node);
        else if (tg_xml_is(node, "debug-overrides"))
            tg_translate_gap(out, node,
                             "<debug-overrides>: what it says belongs in a policy of "
                             "its own");
        else
            note_stranger(out, node);
    free_own(&own);
}
