/* pin.c - the keys of a server or of files, and the lines that pin them. */
#include "pin.h"
#include "addpin.h"
#include "argument.h"
#include "chain.h"
#include "handshake.h"
#include "hash.h"
#include "keyfile.h"
#include "knownhosts_file.h"
#include "pathjson.h"
#include "presented.h"
#include "report.h"
#include "route.h"
#include "show.h"
#include "terminal.h"
#include "url.h"
#include "verbs.h"
#include "write.h"
#include <openssl/x509v3.h>
#include <string.h>
#include <unistd.h>

/* What is pinned: certificates as a server sends them, or a key alone. */
struct subject {
    const char *file;      /* NULL: a server presented it */
    STACK_OF(X509) *chain; /* NULL: a key */
    const char *kind;      /* of the key's file */
    uint8_t pin[TG_SHA256_SIZE];
};

struct pinning {
    const struct tg_options *options;
    struct tg_endpoint at; /* host "": none was told */
    struct tg_buf *out;
};

/* ---- text: a policy, whose comments tell the rest ------------------------------------------ */

static const char *faint(void)
{
    return tg_terminal_colour(stdout, TG_FAINT);
}

static const char *plain(void)
{
    return tg_terminal_colour(stdout, TG_PLAIN);
}

static void describe(struct tg_buf *out, const X509 *certificate)
{
    tg_buf_printf(out, "%s#   %s", faint(), plain());
    tg_show_subject(out, certificate);
    tg_buf_printf(out, "\n%s#     valid%s ", faint(), plain());
    tg_write_asn1_time(out, X509_get0_notBefore(certificate));
    tg_buf_add(out, " to ");
    tg_write_asn1_time(out, X509_get0_notAfter(certificate));
    tg_buf_printf(out, "\n%s#     cert %s ", faint(), plain());
    tg_write_fingerprint(out, certificate);
    tg_buf_printf(out, "\n%s#     pin  %s ", faint(), plain());
    tg_write_pin(out, certificate);
    tg_buf_add(out, "\n");
}

/* What a server presents as its own is one, whatever it says. */
static bool is_ca(const struct subject *subject, int index)
{
    return index > 0 ||
           (subject->file != NULL && X509_check_ca(sk_X509_value(subject->chain, 0)) == 1);
}

static void suggest(struct tg_buf *out, const struct subject *subject)
{
    char pin[TG_PIN_SIZE];

    for (int i = 0; i < sk_X509_num(subject->chain); i++) {
        X509 *certificate = sk_X509_value(subject->chain, i);

        if (i > 0 && X509_check_ca(certificate) == 0)
            continue;
        tg_buf_printf(out, "%s%s = ", i > 0 ? "# " : "", is_ca(subject, i) ? "ca-pin" : "leaf-pin");
        tg_write_pin(out, certificate);
        tg_buf_printf(out, "  %s# ", faint());
        tg_show_subject(out, certificate);
        tg_buf_printf(out, "%s\n", plain());
    }
    if (subject->chain != NULL)
        return;
    tg_pin_text(subject->pin, pin);
    tg_buf_printf(out, "leaf-pin = %s  %s# the %s of ", pin, faint(), subject->kind);
    tg_buf_escape(out, subject->file, strlen(subject->file));
    tg_buf_printf(out, "%s\n", plain());
}

static void advise(struct tg_buf *out)
{
    tg_buf_printf(out,
                  "%s# One of these lines is enough: leaf-pin for the server's own key, ca-pin for "
                  "a CA above it;\n"
                  "# `pin` takes either, and is content with one of all that it lists.\n"
                  "# A pin without a backup refuses everybody on the day the key is lost or "
                  "replaced: make the\n"
                  "# next key now, keep it elsewhere, and add its pin, as `trustgraft pin FILE` "
                  "prints it.%s\n",
                  faint(), plain());
}

static void tell(const struct pinning *pinning, const struct subject *subject)
{
    for (int i = 0; i < sk_X509_num(subject->chain); i++)
        describe(pinning->out, sk_X509_value(subject->chain, i));
}

static void tell_source(const struct pinning *pinning, const struct subject *subject,
                        const struct tg_presented *presented)
{
    tg_buf_printf(pinning->out, "%s#%s ", faint(), plain());
    if (subject->file != NULL)
        tg_buf_escape(pinning->out, subject->file, strlen(subject->file));
    else
        tg_write_endpoint(pinning->out, pinning->at.host, pinning->at.port);
    if (presented != NULL)
        tg_buf_printf(pinning->out, ", at %s, %s, presents", presented->peer,
                      tg_handshake_version(presented->tls_version));
    tg_buf_add(pinning->out, ":\n");
    tell(pinning, subject);
}

/* [host HOST], with the port if one was given. */
static void open_section(const struct pinning *pinning, unsigned port)
{
    tg_buf_printf(pinning->out, "%s[host ", tg_terminal_colour(stdout, TG_STRONG));
    tg_write_endpoint(pinning->out, pinning->at.host, port);
    tg_buf_printf(pinning->out, "]%s\n", plain());
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void tell_json(const struct pinning *pinning, const struct subject *subject)
{
    char pin[TG_PIN_SIZE];

    tg_buf_add(pinning->out, "{\"file\":");
    tg_buf_json(pinning->out, subject->file);
    tg_report_endpoint_json(pinning->out, pinning->at.host[0] != '\0' ? pinning->at.host : NULL,
                            pinning->at.port);
    tg_buf_add(pinning->out, ",\"chain\":[");
    for (int i = 0; i < sk_X509_num(subject->chain); i++) {
        tg_buf_add(pinning->out, i > 0 ? "," : "");
        tg_pathjson_certificate(pinning->out, sk_X509_value(subject->chain, i));
    }
    tg_pin_text(subject->pin, pin);
    tg_buf_printf(pinning->out, "],\"spki\":\"%s\"}\n", pin);
}

/* ---- known hosts --------------------------------------------------------------------------- */

/* "CN=www.example.com, seen 2026-11-21T20:40:00Z" */
static void add_comment(struct tg_buf *comment, const struct subject *subject)
{
    if (subject->chain != NULL)
        tg_show_subject(comment, sk_X509_value(subject->chain, 0));
    else
        tg_buf_add(comment, subject->file);
    tg_buf_add(comment, ", ");
    tg_write_time(comment, time(NULL));
}

/* Writes SUBJECT's first key to --to for the host and PORT. */
static int remember(const struct pinning *pinning, const struct subject *subject, unsigned port)
{
    static const char *const done[] = {[TG_KNOWNHOSTS_ADDED] = "added to",
                                       [TG_KNOWNHOSTS_SAME] = "known already in",
                                       [TG_KNOWNHOSTS_REPLACED] = "replaced in"};
    struct tg_knownhosts_line host = {.port = port};
    struct tg_buf comment = {0};
    int status = TG_EXIT_USAGE;

    memcpy(host.host, pinning->at.host, sizeof(host.host));
    memcpy(host.pin, subject->pin, sizeof(host.pin));
    add_comment(&comment, subject);
    host.comment = comment.text;
    if (tg_knownhosts_file_update(pinning->options->to, &host, 1, pinning->options->yes))
        status = host.state == TG_KNOWNHOSTS_CHANGED ? TG_EXIT_REFUSED : TG_EXIT_GOOD;
    if (status == TG_EXIT_REFUSED)
        tg_knownhosts_file_complain(pinning->options->to, &host);
    if (status == TG_EXIT_GOOD && !pinning->options->json) {
        tg_write_endpoint(pinning->out, host.host, host.port);
        tg_buf_printf(pinning->out, " is %s ", done[host.state]);
        tg_buf_escape(pinning->out, pinning->options->to, strlen(pinning->options->to));
        tg_buf_add(pinning->out, "\n");
    }
    tg_buf_free(&comment);
    return status;
}

/* ---- the verb ------------------------------------------------------------------------------ */

/* Adds SUBJECT's first key to the policy. What was told of it is printed first. */
static int extend(const struct pinning *pinning, const struct subject *subject, unsigned port)
{
    struct tg_endpoint at = pinning->at;
    struct tg_buf note = {0};
    int status = TG_EXIT_USAGE;

    at.port = port;
    add_comment(&note, subject);
    if (note.failed)
        tg_complain("%s", tg_no_memory);
    else if (tg_terminal_write(stdout, pinning->out))
        status = tg_addpin(pinning->options, &at, subject->pin, note.text);
    tg_buf_free(&note);
    return status;
}

/* What follows the description: the policy's lines, or what became of --to or --add. */
static int finish(const struct pinning *pinning, const struct subject *subject, unsigned port)
{
    if (pinning->options->to != NULL)
        return remember(pinning, subject, port);
    if (pinning->options->add)
        return extend(pinning, subject, port);
    if (pinning->options->json)
        return TG_EXIT_GOOD;
    if (pinning->at.host[0] != '\0')
        open_section(pinning, port);
    suggest(pinning->out, subject);
    return TG_EXIT_GOOD;
}

static int pin_server(struct pinning *pinning, const char *word)
{
    const struct tg_options *options = pinning->options;
    struct tg_presented presented = {0};
    struct tg_route route = {0};
    struct subject subject = {0};
    int status = TG_EXIT_USAGE;
    unsigned port;

    tg_handshake_prepare();
    if (!tg_argument_endpoint(word, &pinning->at))
        return TG_EXIT_USAGE;
    port = pinning->at.port;
    if (!tg_route_read(&route, options) || !tg_route_to(&route, options, &pinning->at))
        return TG_EXIT_USAGE;
    if (!tg_route_call(&route, &pinning->at, &presented))
        goto end;
    subject.chain = presented.chain;
    if (!tg_hash_spki(sk_X509_value(subject.chain, 0), subject.pin)) {
        tg_complain("the certificate's key can't be read");
        goto end;
    }
    if (options->json)
        tell_json(pinning, &subject);
    else
        tell_source(pinning, &subject, &presented);
    status = finish(pinning, &subject, port);
end:
    tg_presented_clear(&presented);
    return status;
}

/* Fills SUBJECT from its file: certificates, or else a key. False after a complaint. */
static bool read_file(struct subject *subject)
{
    struct tg_buf no_chain = {0}, no_key = {0};
    enum tg_chain_state state = tg_chain_read(subject->file, &subject->chain, &no_chain);
    const struct tg_buf *why = state == TG_CHAIN_UNREADABLE ? &no_key : &no_chain;
    bool done;

    if (state == TG_CHAIN_READ)
        done = tg_hash_spki(sk_X509_value(subject->chain, 0), subject->pin);
    else
        done = tg_keyfile_pin(subject->file, subject->pin, &subject->kind, &no_key);
    if (!done)
        tg_complain("%s: %s", subject->file,
                    why->length > 0 ? why->text : "the key of its certificate can't be read");
    tg_buf_free(&no_chain);
    tg_buf_free(&no_key);
    return done;
}

static int pin_file(struct pinning *pinning, const char *path)
{
    struct subject subject = {.file = path};
    int status = TG_EXIT_USAGE;

    if (read_file(&subject)) {
        if (pinning->options->json)
            tell_json(pinning, &subject);
        else if (subject.chain != NULL)
            tell_source(pinning, &subject, NULL);
        status = finish(pinning, &subject, pinning->at.port);
    }
    sk_X509_pop_free(subject.chain, X509_free);
    return status;
}

/* A word that names a file, or could name nothing else. */
static bool is_file(const char *word)
{
    static const char *const suffixes[] = {".pem", ".crt", ".cer", ".der", ".key", ".pub", ".csr"};
    const char *dot = strrchr(word, '.');

    if (tg_url_is(word))
        return false;
    for (size_t i = 0; dot != NULL && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (strcmp(dot, suffixes[i]) == 0)
            return true;
    return strchr(word, '/') != NULL || access(word, F_OK) == 0;
}

/* The first operand that is a file, or with FILES false the first that is none. */
static const char *first(const struct tg_options *options, bool files)
{
    for (int i = 0; i < options->operand_count; i++)
        if (is_file(options->operands[i]) == files)
            return options->operands[i];
    return NULL;
}

/* What a connection makes use of has no meaning for files, nor --host for servers. */
static bool check(const struct tg_options *options)
{
    const char *file = first(options, true), *server = first(options, false),
               *route = tg_route_option(options);

    if (options->add && (options->to != NULL || options->json))
        tg_complain("pin: --add goes without --to and --json");
    else if (server == NULL && route != NULL)
        tg_complain("pin: --%s is for a connection, and %s is a file", route, file);
    else if (server != NULL && options->host != NULL)
        tg_complain("pin: --host is for files, and '%s' is a host", server);
    else if (file != NULL && options->to != NULL &&
             (options->host == NULL || options->operand_count > 1))
        tg_complain("pin: --to with a file needs --host HOST[:PORT], and one file");
    else if (file != NULL && options->add && options->host == NULL)
        tg_complain("pin: --add with a file needs --host HOST[:PORT]");
    else
        return true;
    return false;
}

static int pin(const struct tg_options *options)
{
    struct tg_buf out = {0};
    struct pinning pinning = {.options = options, .out = &out};
    struct tg_endpoint given = {0};
    int worst = TG_EXIT_GOOD;

    if (!check(options) || (options->host != NULL && !tg_argument_endpoint(options->host, &given)))
        return TG_EXIT_USAGE;
    for (int i = 0; i < options->operand_count; i++) {
        const char *word = options->operands[i];
        int status;

        pinning.at = given;
        status = is_file(word) ? pin_file(&pinning, word) : pin_server(&pinning, word);
        worst = status > worst ? status : worst;
    }
    if (out.length > 0 && first(options, false) != NULL && options->to == NULL && !options->json &&
        !options->add)
        advise(&out);
    return tg_terminal_write(stdout, &out) ? worst : TG_EXIT_USAGE;
}

const struct tg_verb tg_verb_pin = {
    .name = "pin",
    .synopsis = "[OPTION...] HOST[:PORT]|FILE...",
    .summary = "print the pins of a server, or write them to a known-hosts file",
    .details =
        "Prints the pin and fingerprint of each certificate that HOST presents, or that is in "
        "FILE, and the lines of a policy that pin them; a FILE may hold a key or a "
        "certificate request too. With --to the server's own key is added to a known-hosts "
        "file instead; one that is known by another key is refused unless --yes. With --add "
        "it is added to the pins of the host's rule, and --host HOST --add FILE adds a "
        "backup key.\n"
        "Exit 0; 1: the host is known by another key; 2: usage, a file can't be read or "
        "written, or there is no TLS connection to be had.",
    .options = TG_OPTION_ROUTE | TG_OPTION_HOST | TG_OPTION_TO | TG_OPTION_PIN | TG_OPTION_PROGRAM |
               TG_OPTION_YES | TG_OPTION_JSON,
    .least = 1,
    .most = -1,
    .missing = "the host or file is missing",
    .run = pin,
};
