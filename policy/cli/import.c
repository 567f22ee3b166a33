/* import.c - policies from other formats. */
#include "android.h"
#include "argument.h"
#include "input.h"
#include "pattern.h"
#include "plist.h"
#include "save.h"
#include "spiffe.h"
#include "terminal.h"
#include "text.h"
#include "verbs.h"
#include <libgen.h>
#include <string.h>

/* Real ones have some kilobytes; libxml2 compares each attribute of an element with each. */
enum { LARGEST = 256 << 10 };

static const struct {
    const char *root;
    void (*translate)(struct tg_translation *out, const tg_xml_node *root);
} formats[] = {
    {"network-security-config", tg_translate_android},
    {"plist", tg_translate_plist},
};

/* ---- XML ------------------------------------------------------------------------------------ */

/* False after a complaint. */
static bool translate_xml(struct tg_translation *out, const struct tg_buf *text)
{
    struct tg_buf why = {0};
    struct tg_xml *xml = tg_xml_parse(text->text, text->length, &why);
    const tg_xml_node *root = xml != NULL ? tg_xml_root(xml) : NULL;
    size_t i = 0, count = sizeof(formats) / sizeof(formats[0]);
    bool done;

    while (root != NULL && i < count && !tg_xml_is(root, formats[i].root))
        i++;
    if (root == NULL)
        tg_complain_of(out->file, &why);
    else if (i == count)
        tg_complain("%s: <%s> is neither Android's <network-security-config> nor Apple's <plist>",
                    out->file, tg_xml_name(root));
    else
        formats[i].translate(out, root);
    done = root != NULL && i < count && !tg_xml_starved();
    if (root != NULL && tg_xml_starved())
        tg_complain("%s: memory ran out", out->file);
    tg_xml_free(xml);
    tg_buf_free(&why);
    return done;
}

/* ---- a SPIFFE bundle ------------------------------------------------------------------------ */

/* False after a complaint. A pattern that is right is written as it is given. */
static bool is_pattern(const char *word)
{
    struct tg_arena *arena = tg_arena_new();
    struct tg_pattern pattern;
    size_t column;
    const char *wrong =
        arena != NULL ? tg_pattern_parse(arena, word, &pattern, &column) : tg_no_memory;

    if (wrong != NULL)
        tg_complain("--host: %s", wrong);
    tg_arena_free(arena);
    return wrong == NULL;
}

static bool is_ready(const struct tg_options *options, char anchors[PATH_MAX])
{
    if (options->host == NULL || options->to == NULL) {
        tg_complain("%s: a SPIFFE bundle holds certificates, and no hosts: give --host PATTERN, "
                    "and --to FILE, where the certificates are to stand",
                    options->operands[0]);
        return false;
    }
    return is_pattern(options->host) && tg_argument_absolute(options->to, anchors) &&
           tg_argument_nameable(anchors);
}

/* False after a complaint: programs would not trust what is there. */
static bool is_own_place(const char *path)
{
    char folder[PATH_MAX];
    struct tg_buf why = {0};
    bool own;

    snprintf(folder, sizeof(folder), "%s", path);
    own = tg_save_place_own(dirname(folder), &why);
    if (!own)
        tg_complain_of(path, &why);
    tg_buf_free(&why);
    return own;
}

/* False after a complaint. The certificates are written before a rule names them. */
static bool translate_spiffe(struct tg_translation *out, const struct tg_buf *text,
                             const struct tg_options *options)
{
    char anchors[PATH_MAX];
    struct tg_buf pem = {0};
    bool done = is_ready(options, anchors);

    if (done)
        tg_translate_spiffe(out, text, options->host, anchors, &pem);
    if (done && out->errors == 0 && !out->policy.failed)
        done = is_own_place(anchors) && tg_save_text(anchors, &pem);
    tg_buf_free(&pem);
    return done;
}

/* ---- any ------------------------------------------------------------------------------------ */

/* False after a complaint. */
static bool translate(struct tg_translation *out, const struct tg_buf *text,
                      const struct tg_options *options)
{
    if (text->length > 0 && text->text[strspn(text->text, " \t\r\n")] == '{')
        return translate_spiffe(out, text, options);
    if (options->host == NULL && options->to == NULL)
        return translate_xml(out, text);
    tg_complain("%s: --host and --to are for a SPIFFE bundle, which this isn't", out->file);
    return false;
}

/*
 * Something is printed all the same, that can't be used: an empty policy would be a valid one, and
 * whoever wrote it to a file without a look at the exit code had no rules at all.
 */
static int give_up(const struct tg_translation *out)
{
    struct tg_buf text = {0};

    tg_buf_add(&text, "# ");
    tg_buf_escape(&text, out->file, strlen(out->file));
    tg_buf_printf(&text,
                  " could not be translated: trustgraft import told %u error%s.\n"
                  "[not-translated]\n",
                  out->errors, out->errors == 1 ? "" : "s");
    return tg_terminal_write(stdout, &text) ? TG_EXIT_REFUSED : TG_EXIT_USAGE;
}

static int finish(struct tg_translation *out)
{
    struct tg_buf head = {0};

    if (out->errors > 0)
        return give_up(out);
    if (out->policy.length == 0) {
        tg_complain("%s: nothing in it can be said in a policy", out->file);
        return TG_EXIT_REFUSED;
    }
    tg_buf_add(&head, "# Translated from ");
    tg_buf_escape(&head, out->file, strlen(out->file));
    tg_buf_add(&head, "\n");
    tg_buf_add(&head, out->policy.text);
    head.failed |= out->policy.failed || out->said.failed;
    if (!tg_terminal_write(stdout, &head))
        return TG_EXIT_USAGE;
    return out->gaps == 0 ? TG_EXIT_GOOD : TG_EXIT_REFUSED;
}

static int import(const struct tg_options *options)
{
    struct tg_translation out = {.file = options->operands[0]};
    struct tg_buf text = {0};
    int status = TG_EXIT_USAGE, error = tg_input_read(out.file, LARGEST, &text);

    if (error != 0)
        tg_complain("%s: %s", out.file, strerror(error));
    else if (text.length >= 8 && memcmp(text.text, "bplist00", 8) == 0)
        tg_complain("%s is a binary property list: make it XML with `plutil -convert xml1`, or "
                    "plistutil(1)",
                    out.file);
    else if (translate(&out, &text, options)) {
        if (out.said.length > 0)
            fputs(out.said.text, stderr);
        status = finish(&out);
    }
    tg_buf_free(&text);
    tg_translation_clear(&out);
    return status;
}

const struct tg_verb tg_verb_import = {
    .name = "import",
    .synopsis = "[--host PATTERN --to FILE] FILE",
    .summary = "translate Android's or Apple's pins, or a SPIFFE bundle",
    .details =
        "Reads Android's network_security_config.xml, or a property list with Apple's "
        "NSPinnedDomains or TrustKit's TSKConfiguration, and prints a policy; or the bundle of a "
        "SPIFFE trust domain, whose certificates it writes to the file of --to, and prints the "
        "rule that trusts them for the hosts of --host. What has no "
        "equivalent is told on standard error, with its line; where the policy would accept "
        "what FILE refuses, that is an error, and what is printed can't be used as a policy.\n"
        "Exit 0: all is translated; 1: a part isn't, or nothing; 2: FILE can't be read.",
    .options = TG_OPTION_HOST | TG_OPTION_TO,
    .least = 1,
    .most = 1,
    .missing = "the file to translate is missing",
    .run = import,
};
