/*
 * ca.c - a local CA, after Apple's "Creating an Identity for Local Network TLS": a root that the
 * clients' policy names, and identities whose names are those that clients dial, addresses too.
 */
#include "argument.h"
#include "credential.h"
#include "handshake.h"
#include "request.h"
#include "roster.h"
#include "secret.h"
#include "tell.h"
#include "terminal.h"
#include "text.h"
#include "verbs.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ROOT_DAYS = 3650,
    MOST_ROOT_DAYS = 9125,
    LEAF_DAYS = 397,
    /* Apple's systems refuse a TLS server's certificate that is valid longer, whatever CA it is
     * from (HT210176). */
    MOST_LEAF_DAYS = 825
};

/* Of the options that all parts of `ca` share: those that only some of them take. */
enum taken {
    TAKES_ONLY = 1,
    TAKES_DAYS = 2,
    TAKES_RSA = 4,
    TAKES_NEW_KEY = 8,
    TAKES_PASSWORD = 16,
    TAKES_NAME = 32,
    TAKES_CSR = 64,
    TAKES_CLIENT = 128,
    TAKES_JSON = 256
};

/* False after a complaint about an option that isn't TAKEN by the part called PART. */
static bool only_taken(const struct tg_options *options, const char *part, unsigned taken)
{
    const struct {
        enum taken bit;
        bool given;
        const char *name, *whose;
    } all[] = {{TAKES_ONLY, options->only[0] != NULL, "only", "'ca init'"},
               {TAKES_DAYS, options->days != NULL, "days", "'ca init', 'ca issue' and 'ca renew'"},
               {TAKES_RSA, options->rsa, "rsa", "'ca init', 'ca issue' and 'ca renew --new-key'"},
               {TAKES_NEW_KEY, options->new_key, "new-key", "'ca issue' and 'ca renew'"},
               {TAKES_PASSWORD, options->password_file != NULL, "password-file",
                "'ca issue' and 'ca renew', where the private key is here"},
               {TAKES_NAME, options->name != NULL, "name", "'ca init' and 'ca issue'"},
               {TAKES_CSR, options->csr != NULL, "csr", "'ca issue'"},
               {TAKES_CLIENT, options->client, "client", "'ca issue'"},
               {TAKES_JSON, options->json, "json", "'ca list'"}};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i].given && (taken & all[i].bit) == 0) {
            tg_complain("ca %s: --%s is for %s", part, all[i].name, all[i].whose);
            return false;
        }
    return true;
}

static bool read_days(const char *word, int otherwise, int most, int *out)
{
    *out = otherwise;
    if (word == NULL || tg_argument_number(word, 1, most, out))
        return true;
    tg_complain("--days: '%s' isn't a number from 1 to %d%s", word, most,
                most == MOST_LEAF_DAYS ? ": Apple's systems refuse a server's certificate that is "
                                         "valid longer, from any CA"
                                       : "");
    return false;
}

/* ---- init --------------------------------------------------------------------------------- */

/* What it is called in certificates: RFC 5280's ub-common-name, and nothing a terminal obeys. */
static bool is_common_name(const char *name)
{
    size_t length = strlen(name), characters = 0;
    struct tg_piece bad;

    for (size_t i = 0; i < length; i++)
        characters += ((unsigned char)name[i] & 0xC0) != 0x80;
    if (tg_utf8_clean(name, length, &bad) && strchr(name, '\t') == NULL && characters <= 64)
        return true;
    tg_complain("--name: '%s' can't be a CA's name: 64 characters of UTF-8 at most", name);
    return false;
}

/* Two CAs of one name would be mistaken for each other: unless it is given, it has where and when.
 */
static X509 *make_root(EVP_PKEY *key, const char *name, int days, const struct tg_altnames *only)
{
    char host[65] = "", day[24], subject[128];
    time_t now = time(NULL);
    struct tm date;

    gethostname(host, sizeof(host) - 1);
    host[strcspn(host, ".")] = '\0';
    strftime(day, sizeof(day), "%Y-%m-%d %H:%M", gmtime_r(&now, &date));
    snprintf(subject, sizeof(subject), "Local CA of %.30s, %s",
             host[0] != '\0' ? host : "this host", day);
    return tg_certify_root(key, name != NULL ? name : subject, days, only);
}

static int init(const struct tg_options *options, struct tg_ca *ca)
{
    struct tg_altnames only = {0};
    size_t count = 0;
    int days, status = TG_EXIT_USAGE;

    while (options->only[count] != NULL)
        count++;
    if (options->operand_count > 1) {
        tg_complain("ca init: takes no names, which are for 'ca issue': --only and --name are");
        return TG_EXIT_USAGE;
    }
    if (read_days(options->days, ROOT_DAYS, MOST_ROOT_DAYS, &days) &&
        (options->name == NULL || is_common_name(options->name)) &&
        tg_altnames_read(&only, (char *const *)options->only, count, true)) {
        ca->key = tg_certify_key(options->rsa);
        if (ca->key != NULL)
            ca->root = make_root(ca->key, options->name, days, &only);
        if (ca->root == NULL)
            tg_complain("ca init: libcrypto can't make a key and a certificate");
        else if (tg_ca_create(ca))
            status = tg_tell_root(ca);
    }
    free(only.item);
    return status;
}

/* ---- issue, renew -------------------------------------------------------------------------- */

/* Makes and writes it, as the CA is loaded and locked. */
static int finish(struct tg_credential *credential, const struct tg_ca *ca,
                  const struct tg_options *options)
{
    char password[TG_SECRET_SIZE] = "";
    bool made = false;
    int status = TG_EXIT_USAGE;

    if (tg_credential_make(credential, ca, options) &&
        (credential->foreign || tg_secret_get(options->password_file, password, &made)) &&
        tg_credential_write(credential, ca, password))
        status = tg_tell_credential(credential, ca, made ? password : NULL);
    OPENSSL_cleanse(password, sizeof(password));
    return status;
}

/*
 * Takes the request for its key and names: those of the operands, where there are any, and then it
 * may ask for no others.
 */
static bool take_request(struct tg_credential *credential, const struct tg_options *options)
{
    struct tg_altnames asked = {0};
    const struct tg_pattern *beyond = NULL;
    bool taken = tg_request_read(options->csr, &credential->key, &asked);

    credential->foreign = true;
    if (taken && credential->names.count == 0) {
        if (asked.count == 0)
            tg_complain("%s: asks for no name (subjectAltName); a common name is none: give the "
                        "names behind it",
                        options->csr);
        taken = asked.count > 0;
        free(credential->names.item);
        credential->names = asked;
        return taken;
    }
    if (taken && (beyond = tg_altnames_beyond(&asked, &credential->names)) != NULL) {
        struct tg_altnames one = {.item = (struct tg_pattern *)beyond, .count = 1};
        struct tg_buf why = {0};

        tg_buf_add(&why, "asks for a name that isn't among those given: ");
        tg_altnames_text(&why, &one, "");
        tg_complain_of(options->csr, &why);
        tg_buf_free(&why);
    }
    free(asked.item);
    return taken && beyond == NULL;
}

static int issue(const struct tg_options *options, struct tg_ca *ca)
{
    struct tg_credential credential = {.base = options->name, .client = options->client};
    int status = TG_EXIT_USAGE;

    if (options->operand_count < 2 && options->csr == NULL) {
        tg_complain("ca issue: no name is given: trustgraft ca issue NAME|IP...");
        return TG_EXIT_USAGE;
    }
    if (options->csr != NULL &&
        !only_taken(options, "issue --csr", TAKES_DAYS | TAKES_NAME | TAKES_CSR | TAKES_CLIENT))
        return TG_EXIT_USAGE;
    if (read_days(options->days, LEAF_DAYS, MOST_LEAF_DAYS, &credential.days) &&
        tg_altnames_read(&credential.names, options->operands + 1,
                         (size_t)options->operand_count - 1, false) &&
        (options->csr == NULL || take_request(&credential, options)) && tg_ca_lock(ca) &&
        tg_ca_load(ca, true) && tg_credential_find(&credential, ca)) {
        tg_altnames_warn(&credential.names);
        status = finish(&credential, ca, options);
    }
    tg_credential_clear(&credential);
    return status;
}

/* For who it was before: nothing but its days and, if that is asked for, its key are new. */
static int renew(const struct tg_options *options, struct tg_ca *ca)
{
    struct tg_credential credential = {.base = options->operands[1]};
    int status = TG_EXIT_USAGE;

    if (options->operand_count != 2) {
        tg_complain("ca renew: one name is needed, as 'trustgraft ca list' begins with it");
        return TG_EXIT_USAGE;
    }
    if (options->rsa && !options->new_key) {
        tg_complain("ca renew: --rsa is for a new key: --new-key");
        return TG_EXIT_USAGE;
    }
    if (read_days(options->days, LEAF_DAYS, MOST_LEAF_DAYS, &credential.days) && tg_ca_lock(ca) &&
        tg_ca_load(ca, true) && tg_credential_find(&credential, ca) &&
        tg_credential_again(&credential, ca, options))
        status = finish(&credential, ca, options);
    tg_credential_clear(&credential);
    return status;
}

/* ---- list --------------------------------------------------------------------------------- */

static int list(const struct tg_options *options, struct tg_ca *ca)
{
    struct tg_buf out = {0};
    bool complete = false;

    if (options->operand_count > 1) {
        tg_complain("ca list: takes no names");
        return TG_EXIT_USAGE;
    }
    if (tg_ca_load(ca, false) && tg_roster_write(ca, options->json, &out, &complete))
        return tg_terminal_write(stdout, &out) && complete ? TG_EXIT_GOOD : TG_EXIT_USAGE;
    tg_buf_free(&out);
    return TG_EXIT_USAGE;
}

/* ------------------------------------------------------------------------------------------- */

static const struct part {
    const char *name;
    unsigned taken; /* enum taken */
    int (*run)(const struct tg_options *options, struct tg_ca *ca);
} parts[] = {{"init", TAKES_ONLY | TAKES_DAYS | TAKES_RSA | TAKES_NAME, init},
             {"issue",
              TAKES_DAYS | TAKES_RSA | TAKES_NEW_KEY | TAKES_PASSWORD | TAKES_NAME | TAKES_CSR |
                  TAKES_CLIENT,
              issue},
             {"renew", TAKES_DAYS | TAKES_RSA | TAKES_NEW_KEY | TAKES_PASSWORD, renew},
             {"list", TAKES_JSON, list}};

static int ca(const struct tg_options *options)
{
    struct tg_ca ca = {0};
    const char *what = options->operands[0];
    const struct part *part = NULL;
    int status = TG_EXIT_USAGE;

    tg_handshake_prepare();
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && part == NULL; i++)
        part = strcmp(parts[i].name, what) == 0 ? &parts[i] : NULL;
    if (part == NULL)
        tg_complain("ca: '%s' isn't 'init', 'issue', 'renew' or 'list'", what);
    else if (only_taken(options, part->name, part->taken) && tg_ca_locate(&ca, options))
        status = part->run(options, &ca);
    tg_ca_clear(&ca);
    return status;
}

const struct tg_verb tg_verb_ca = {
    .name = "ca",
    .synopsis = "init [OPTION...] | issue [OPTION...] [--csr FILE] NAME|IP... | "
                "renew [OPTION...] NAME | list [--json]",
    .summary = "make a CA, and certificates of it, for a local network",
    .details =
        "init: makes a CA: a key, and a certificate for clients to name as `anchors`. Never "
        "touches one that is there.\n"
        "issue: makes a key, a certificate and a PKCS#12 file for a server with these names "
        "and addresses, or with --client for a client, and prints the clients' policy and the "
        "server's settings. With the same first name again it makes a new certificate; the key "
        "stays unless --new-key is given. With --csr FILE it certifies the key of that request, "
        "which stays where it is, for the names that it asks for, or for those given.\n"
        "renew: makes a new certificate for the same names; the key stays unless --new-key is "
        "given.\n"
        "list: what was issued, whether it is still valid, and how long.\n"
        "The PKCS#12 file's password is that of --password-file or TRUSTGRAFT_P12_PASSWORD, "
        "or a random one that is printed once.\n"
        "Exit 0: made, or all listed; 2: usage, or a file can't be read or written.",
    .options = TG_OPTION_CA | TG_OPTION_JSON,
    .least = 1,
    .most = -1,
    .missing = "what to do is missing",
    .run = ca,
};
