/*
 * plist.c - Apple's NSAppTransportSecurity with NSPinnedDomains
 * (https://developer.apple.com/documentation/bundleresources/information-property-list), and
 * TrustKit's TSKConfiguration.
 *
 * Each of the three tables of domains speaks for itself, by the closest domain that it has; a
 * policy has one rule for a host. So all of them are read first, and each rule gets what each
 * table says of its host.
 */
#include "plist.h"
#include "dict.h"
#include "host.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

enum table { PINNED, EXCEPTIONS, TRUSTKIT, TABLES };

/* What one table says of one domain. */
struct entry {
    struct tg_item item; /* by its table and host; first, for tg_table_get() */
    struct entry *next;
    const tg_xml_node *node;
    struct tg_buf keys, pins, expiry;
    bool subdomains, reported, excluded;
    bool written; /* the rules for this host, whichever table had it first */
};

struct domains {
    struct tg_reading reading;
    struct entry *first, **last;
    enum table table;
    struct entry *entry; /* whose keys are being read */
    const char *pin;     /* the key of the policy for the pins being read */
};

static struct domains *domains_of(struct tg_reading *reading)
{
    return (struct domains *)reading;
}

/* ---- domains ------------------------------------------------------------------------------- */

static void take_subdomains(struct tg_reading *reading, const char *name, const tg_xml_node *value)
{
    domains_of(reading)->entry->subdomains = tg_dict_truth(reading, name, value);
}

/* Enters the domain NAME into READING's table; NULL after an error. */
static struct entry *add_entry(struct tg_reading *reading, const char *name,
                               const tg_xml_node *node)
{
    struct tg_translation *out = reading->out;
    char host[TG_HOST_SIZE];
    struct entry *entry;

    if (!tg_translate_host(out, node, name, host))
        return NULL;
    entry = tg_arena_alloc(out->arena, sizeof(*entry));
    if (entry != NULL) {
        entry->item.tag = domains_of(reading)->table;
        entry->item.text = tg_arena_strndup(out->arena, host, strlen(host));
        entry->node = node;
    }
    if (!tg_translate_enter(out, node, entry != NULL ? &entry->item : NULL))
        return NULL;
    *domains_of(reading)->last = entry;
    domains_of(reading)->last = &entry->next;
    return entry;
}

/* Reads what NODE says of the domain NAME; NULL after an error. */
static struct entry *read_domain(struct tg_reading *reading, const char *name,
                                 const tg_xml_node *node, enum table table,
                                 const struct tg_field *fields)
{
    domains_of(reading)->table = table;
    domains_of(reading)->entry = add_entry(reading, name, node);
    if (domains_of(reading)->entry != NULL)
        tg_dict_read(reading, name, node, fields);
    return domains_of(reading)->entry;
}

static void demand_pins(struct tg_reading *reading, const struct entry *entry, const char *name)
{
    if (entry->pins.length == 0 && reading->out->errors == 0)
        tg_translate_error(reading->out, entry->node, "%s has no pins, so that nothing is pinned",
                           name);
}

/* ---- NSAppTransportSecurity ---------------------------------------------------------------- */

static void take_pin(struct tg_reading *reading, const char *name, const tg_xml_node *value)
{
    struct domains *domains = domains_of(reading);
    char *text = tg_dict_string(reading, name, value);

    if (text != NULL)
        tg_translate_pin(reading->out, value, &domains->entry->pins, domains->pin, text);
    free(text);
}

static void take_identities(struct tg_reading *reading, const char *name, const tg_xml_node *array)
{
    static const struct tg_field fields[] = {{"SPKI-SHA256-BASE64", take_pin},
                                             {NULL, tg_dict_note}};
    const tg_xml_node *node = tg_xml_first(array);

    if (!tg_dict_is(reading, name, array, "array"))
        return;
    if (node == NULL)
        tg_translate_error(reading->out, array, "%s is empty, so that nothing is pinned", name);
    domains_of(reading)->pin = strcmp(name, "NSPinnedCAIdentities") == 0 ? "ca-pin" : "leaf-pin";
    for (; node != NULL; node = tg_xml_next(node)) {
        if (tg_xml_is(node, "dict") && !tg_dict_has(node, fields->name))
            tg_translate_error(reading->out, node, "%s is missing", fields->name);
        tg_dict_read(reading, name, node, fields);
    }
}

static void take_pinned(struct tg_reading *reading, const char *name, const tg_xml_node *dict)
{
    static const struct tg_field fields[] = {{"NSIncludesSubdomains", take_subdomains},
                                             {"NSPinnedCAIdentities", take_identities},
                                             {"NSPinnedLeafIdentities", take_identities},
                                             {NULL, tg_dict_note}};
    const struct entry *entry = read_domain(reading, name, dict, PINNED, fields);

    if (entry != NULL)
        demand_pins(reading, entry, name);
}

static void take_minimum(struct tg_reading *reading, const char *name, const tg_xml_node *value)
{
    static const char *const versions[] = {"TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0"};
    enum { COUNT = sizeof(versions) / sizeof(versions[0]) };
    char *version = tg_dict_string(reading, name, value);
    struct tg_buf *keys = &domains_of(reading)->entry->keys;
    size_t i = 0;

    while (version != NULL && i < COUNT && strcmp(version, versions[i]) != 0)
        i++;
    if (version == NULL)
        return;
    if (i < 2 && keys->length > 0)
        tg_translate_error(reading->out, value,
                           "there is a minimum version for this domain already");
    else if (i < 2)
        tg_buf_printf(keys, "min-tls = %s\n", versions[i] + 4);
    else if (i < COUNT)
        tg_translate_gap(reading->out, value, "the version '%s': min-tls is 1.2 or 1.3", version);
    else
        tg_translate_error(reading->out, value, "the version '%s' is not understood", version);
    free(version);
}

/* What is off is as good as left out. */
static void take_demand(struct tg_reading *reading, const char *name, const tg_xml_node *value)
{
    bool secrecy = strstr(name, "ForwardSecrecy") != NULL;

    if (tg_dict_truth(reading, name, value))
        tg_translate_error(
            reading->out, value,
            "a policy can't demand %s: without %s, a copy of the file can be "
            "translated",
            secrecy ? "forward secrecy but by min-tls = 1.3" : "certificate transparency", name);
    else if (secrecy)
        tg_dict_note(reading, name, value);
}

static void take_exception(struct tg_reading *reading, const char *name, const tg_xml_node *dict)
{
    static const struct tg_field fields[] = {
        {"NSIncludesSubdomains", take_subdomains},
        {"NSExceptionMinimumTLSVersion", take_minimum},
        {"NSThirdPartyExceptionMinimumTLSVersion", take_minimum},
        {"NSExceptionRequiresForwardSecrecy", take_demand},
        {"NSThirdPartyExceptionRequiresForwardSecrecy", take_demand},
        {"NSRequiresCertificateTransparency", take_demand},
        {NULL, tg_dict_note}};

    read_domain(reading, name, dict, EXCEPTIONS, fields);
}

static void take_pinned_domains(struct tg_reading *reading, const char *name,
                                const tg_xml_node *dict)
{
    static const struct tg_field fields[] = {{NULL, take_pinned}};

    tg_dict_read(reading, name, dict, fields);
}

static void take_exceptions(struct tg_reading *reading, const char *name, const tg_xml_node *dict)
{
    static const struct tg_field fields[] = {{NULL, take_exception}};

    tg_dict_read(reading, name, dict, fields);
}

static void take_apple(struct tg_reading *reading, const char *name, const tg_xml_node *dict)
{
    static const struct tg_field fields[] = {{"NSPinnedDomains", take_pinned_domains},
                                             {"NSExceptionDomains", take_exceptions},
                                             {NULL, tg_dict_note}};

    tg_dict_read(reading, name, dict, fields);
}

/* ---- TSKConfiguration ---------------------------------------------------------------------- */

static void take_hashes(struct tg_reading *reading, const char *name, const tg_xml_node *array)
{
    const tg_xml_node *pin = tg_xml_first(array);

    if (!tg_dict_is(reading, name, array, "array"))
        return;
    for (; pin != NULL; pin = tg_xml_next(pin)) {
        char *text = tg_dict_string(reading, name, pin);

        if (text != NULL)
            tg_translate_pin(reading->out, pin, &domains_of(reading)->entry->pins, "pin", text);
        free(text);
    }
}

static void take_enforcing(struct tg_reading *reading, const char *name, const tg_xml_node *value)
{
    domains_of(reading)->entry->reported = !tg_dict_truth(reading, name, value);
}

static void take_excluded(struct tg_reading *reading, const char *name, const tg_xml_node *value)
{
    domains_of(reading)->entry->excluded = tg_dict_truth(reading, name, value);
}

static void take_expiry(struct tg_reading *reading, const char *name, const tg_xml_node *value)
{
    char *date = NULL;

    if (!tg_xml_is(value, "date") && !tg_dict_is(reading, name, value, "string"))
        return;
    date = tg_translate_text(reading->out, value);
    tg_translate_expiry(reading->out, value, &domains_of(reading)->entry->expiry, date);
    free(date);
}

static void take_tsk(struct tg_reading *reading, const char *name, const tg_xml_node *dict)
{
    static const struct tg_field fields[] = {{"TSKPublicKeyHashes", take_hashes},
                                             {"TSKIncludeSubdomains", take_subdomains},
                                             {"TSKEnforcePinning", take_enforcing},
                                             {"TSKExpirationDate", take_expiry},
                                             {"TSKExcludeSubdomainFromParentPolicy", take_excluded},
                                             {"TSKPublicKeyAlgorithms", tg_dict_ignore},
                                             {NULL, tg_dict_note}};
    const struct entry *entry = read_domain(reading, name, dict, TRUSTKIT, fields);

    if (entry == NULL)
        return;
    if (!entry->excluded && !entry->reported)
        demand_pins(reading, entry, name);
    if (entry->excluded && entry->pins.length > 0)
        tg_translate_error(reading->out, dict, "%s has pins, and is excluded from pinning", name);
}

static void take_tsk_domains(struct tg_reading *reading, const char *name, const tg_xml_node *dict)
{
    static const struct tg_field fields[] = {{NULL, take_tsk}};

    tg_dict_read(reading, name, dict, fields);
}

static void take_trustkit(struct tg_reading *reading, const char *name, const tg_xml_node *dict)
{
    static const struct tg_field fields[] = {{"TSKPinnedDomains", take_tsk_domains},
                                             {"TSKSwizzleNetworkDelegates", tg_dict_ignore},
                                             {NULL, tg_dict_note}};

    tg_dict_read(reading, name, dict, fields);
}

/* ---- rules --------------------------------------------------------------------------------- */

static struct entry *entry_of(const struct tg_translation *out, enum table table, const char *host)
{
    return (struct entry *)tg_table_get(&out->table, table, host, strlen(host));
}

/* What TABLE says of HOST, or of what lies BELOW it: its own entry, or that of a domain above. */
static struct entry *closest(const struct tg_translation *out, enum table table, const char *host,
                             bool below)
{
    struct entry *entry = entry_of(out, table, host);
    const char *dot = host;

    if (entry != NULL && (entry->subdomains || !below))
        return entry;
    while ((dot = strchr(dot, '.')) != NULL) {
        entry = entry_of(out, table, ++dot);
        if (entry != NULL && entry->subdomains)
            return entry;
    }
    return NULL;
}

static void write_rule(struct tg_translation *out, const struct tg_buf *patterns,
                       struct entry *const entries[TABLES])
{
    struct tg_draft drafts[TABLES];
    size_t count = 0;

    for (enum table i = 0; i < TABLES; i++)
        if (entries[i] != NULL)
            drafts[count++] = (struct tg_draft){.node = entries[i]->node,
                                                .keys = &entries[i]->keys,
                                                .pins = &entries[i]->pins,
                                                .expiry = &entries[i]->expiry,
                                                .reported = entries[i]->reported,
                                                .excluded = entries[i]->excluded};
    tg_translate_rule(out, patterns, drafts, count);
}

/* The rules for HOST and for what lies below it, which are one where they say the same. */
static void write_host(struct tg_translation *out, const char *host)
{
    struct entry *exact[TABLES], *below[TABLES];
    struct tg_buf patterns = {0}, wildcard = {0};
    bool subdomains = false, same;

    for (enum table i = 0; i < TABLES; i++) {
        struct entry *own = entry_of(out, i, host);

        exact[i] = closest(out, i, host, false);
        below[i] = closest(out, i, host, true);
        subdomains |= own != NULL && own->subdomains;
        if (own != NULL)
            own->written = true;
    }
    same = memcmp(exact, below, sizeof(exact)) == 0;
    tg_translate_patterns(&patterns, host, subdomains && same);
    write_rule(out, &patterns, exact);
    if (subdomains && !same && strchr(host, ':') == NULL) {
        tg_buf_printf(&wildcard, " *.%s", host);
        write_rule(out, &wildcard, below);
    }
    tg_buf_free(&patterns);
    tg_buf_free(&wildcard);
}

static void write_rules(struct tg_translation *out, struct entry *first)
{
    for (struct entry *entry = first; entry != NULL; entry = entry->next)
        if (!entry->written)
            write_host(out, entry->item.text);
    for (struct entry *entry = first; entry != NULL; entry = entry->next) {
        tg_buf_free(&entry->keys);
        tg_buf_free(&entry->pins);
        tg_buf_free(&entry->expiry);
    }
}

/* Fragments without the dictionary around them are read too. */
static void read_root(struct tg_reading *reading, const tg_xml_node *dict)
{
    static const struct tg_field whole[] = {{"NSAppTransportSecurity", take_apple},
                                            {"TSKConfiguration", take_trustkit},
                                            {NULL, tg_dict_ignore}};

    tg_dict_read(reading, "the property list", dict, whole);
    if (!tg_dict_has(dict, "NSAppTransportSecurity") && tg_dict_has(dict, "NSPinnedDomains"))
        take_apple(reading, "the property list", dict);
    if (!tg_dict_has(dict, "TSKConfiguration") && tg_dict_has(dict, "TSKPinnedDomains"))
        take_trustkit(reading, "the property list", dict);
}

void tg_translate_plist(struct tg_translation *out, const tg_xml_node *root)
{
    const tg_xml_node *dict = tg_xml_first(root);
    struct domains domains = {.reading = {.out = out}, .last = &domains.first};

    out->arena = tg_arena_new();
    if (out->arena == NULL)
        out->policy.failed = true;
    else if (dict != NULL && tg_xml_next(dict) != NULL)
        tg_translate_error(out, tg_xml_next(dict), "a property list is one dictionary");
    else if (dict != NULL)
        read_root(&domains.reading, dict);
    write_rules(out, domains.first);
}
