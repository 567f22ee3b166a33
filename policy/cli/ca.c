/*
 * ca.c - a local CA, after Apple's "Creating an Identity for Local Network TLS": a root that the
 * clients' policy names, and identities whose names are those that clients dial, addresses too.
 */
#include "argument.h"
#include "credential.h"
#include "handshake.h"
#include "secret.h"
#include "terminal.h"
#include "verbs.h"
#include "write.h"
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

static void add_file(struct tg_buf *out, const char *path, const char *what)
{
    tg_buf_printf(out, "%s%s%s\n    %s", tg_terminal_colour(stdout, TG_STRONG), path,
                  tg_terminal_colour(stdout, TG_PLAIN), what);
}

static void add_end(struct tg_buf *out, const X509 *certificate)
{
    tg_buf_add(out, ", until ");
    tg_write_asn1_time(out, X509_get0_notAfter(certificate));
    tg_buf_add(out, "\n    ");
    tg_write_fingerprint(out, certificate);
    tg_buf_add(out, "\n");
}

/* ---- init --------------------------------------------------------------------------------- */

/* Two CAs of one name would be mistaken for each other: the name has where and when. */
static X509 *make_root(EVP_PKEY *key, int days, const struct tg_altnames *only)
{
    char host[65] = "", day[24], subject[128];
    time_t now = time(NULL);
    struct tm date;

    gethostname(host, sizeof(host) - 1);
    host[strcspn(host, ".")] = '\0';
    strftime(day, sizeof(day), "%Y-%m-%d %H:%M", gmtime_r(&now, &date));
    snprintf(subject, sizeof(subject), "Local CA of %.30s, %s",
             host[0] != '\0' ? host : "this host", day);
    return tg_certify_root(key, subject, days, only);
}

static int print_root(const struct tg_ca *ca)
{
    struct tg_buf out = {0};
    char path[PATH_MAX];

    if (!tg_ca_path(ca, "root.pem", path))
        return TG_EXIT_USAGE;
    add_file(&out, path, "the CA's certificate, for clients");
    add_end(&out, ca->root);
    if (!tg_ca_path(ca, "root.key", path))
        return TG_EXIT_USAGE;
    add_file(&out, path, "its private key: it stays here, and whoever has it is this CA\n");
    tg_buf_add(&out, "\nNext: trustgraft ca issue NAME|IP...\n");
    return tg_terminal_write(stdout, &out) ? TG_EXIT_GOOD : TG_EXIT_USAGE;
}

static int init(const struct tg_options *options, struct tg_ca *ca)
{
    struct tg_altnames only = {0};
    size_t count = 0;
    int days, status = TG_EXIT_USAGE;

    while (options->only[count] != NULL)
        count++;
    if (options->operand_count > 1 || options->new_key || options->password_file != NULL) {
        tg_complain("ca init: takes no names, --new-key or --password-file: these are for "
                    "'ca issue'");
        return TG_EXIT_USAGE;
    }
    if (read_days(options->days, ROOT_DAYS, MOST_ROOT_DAYS, &days) &&
        tg_altnames_read(&only, (char *const *)options->only, count, true)) {
        ca->key = tg_certify_key(options->rsa);
        if (ca->key != NULL)
            ca->root = make_root(ca->key, days, &only);
        if (ca->root == NULL)
            tg_complain("ca init: libcrypto can't make a key and a certificate");
        else if (tg_ca_create(ca))
            status = print_root(ca);
    }
    free(only.item);
    return status;
}

/* ---- issue -------------------------------------------------------------------------------- */

static void add_history(struct tg_buf *out, const struct tg_credential *credential)
{
    if (credential->before == NULL)
        return;
    tg_buf_printf(out, "    %s the one until ",
                  tg_credential_renews(credential) ? "renews" : "has other names than");
    tg_write_asn1_time(out, X509_get0_notAfter(credential->before));
    tg_buf_add(out, "\n");
}

static const char *fate_of_key(const struct tg_credential *credential)
{
    if (!credential->key_made)
        return "its private key, the same as before\n";
    return credential->key_there
               ? "its private key, NEW: the one that was there has been replaced\n"
               : "its private key\n";
}

/* What clients and servers need. */
static void add_advice(struct tg_buf *out, const struct tg_credential *credential, const char *root)
{
    struct tg_buf cert = {0}, key = {0};

    tg_argument_quote(&cert, credential->path);
    tg_argument_quote(&key, credential->key_path);
    tg_buf_add(out, "\nClients' policy, with a copy of root.pem:\n    [host ");
    tg_altnames_text(out, &credential->names, " ");
    tg_buf_add(out, "]\n    anchors = ");
    tg_argument_quote(out, root);
    out->failed |= cert.failed || key.failed;
    if (!out->failed) {
        tg_buf_printf(out,
                      "\n\nnginx:\n    ssl_certificate %s;\n    ssl_certificate_key %s;\n"
                      "\nNode:\n    const tls = {cert: require('fs').readFileSync(%s),\n"
                      "                 key: require('fs').readFileSync(%s)};\n"
                      "    require('https').createServer(tls, handler)\n"
                      "\nPython:\n    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
                      "    context.load_cert_chain(%s,\n                            %s)\n",
                      cert.text, key.text, cert.text, key.text, cert.text, key.text);
    }
    tg_buf_free(&cert);
    tg_buf_free(&key);
}

/* PASSWORD is NULL where whoever asked for the identity has it. */
static int print_credential(const struct tg_credential *credential, const struct tg_ca *ca,
                            const char *password)
{
    struct tg_buf out = {0};
    char root[PATH_MAX];

    if (!tg_ca_path(ca, "root.pem", root))
        return TG_EXIT_USAGE;
    add_file(&out, credential->path, "the server's certificate for ");
    tg_altnames_text(&out, &credential->names, ", ");
    add_end(&out, credential->leaf);
    add_history(&out, credential);
    add_file(&out, credential->key_path, fate_of_key(credential));
    add_file(&out, credential->bundle_path, "both and the CA's certificate as PKCS#12\n");
    if (password != NULL)
        tg_buf_printf(&out, "    its password, which isn't kept anywhere: %s\n", password);
    add_advice(&out, credential, root);
    return tg_terminal_write(stdout, &out) ? TG_EXIT_GOOD : TG_EXIT_USAGE;
}

static int issue(const struct tg_options *options, struct tg_ca *ca)
{
    struct tg_credential credential = {0};
    char password[TG_SECRET_SIZE] = "";
    bool made = false;
    int status = TG_EXIT_USAGE;

    if (options->operand_count < 2 || options->only[0] != NULL) {
        tg_complain(options->operand_count < 2 ? "ca issue: no name is given: trustgraft ca issue "
                                                 "NAME|IP..."
                                               : "ca issue: --only is for 'ca init'");
        return TG_EXIT_USAGE;
    }
    if (read_days(options->days, LEAF_DAYS, MOST_LEAF_DAYS, &credential.days) &&
        tg_altnames_read(&credential.names, options->operands + 1,
                         (size_t)options->operand_count - 1, false) &&
        tg_ca_load(ca) && tg_credential_make(&credential, ca, options) &&
        tg_secret_get(options->password_file, password, &made) &&
        tg_credential_write(&credential, ca, password))
        status = print_credential(&credential, ca, made ? password : NULL);
    OPENSSL_cleanse(password, sizeof(password));
    tg_credential_clear(&credential);
    return status;
}

/* ------------------------------------------------------------------------------------------- */

static int ca(const struct tg_options *options)
{
    struct tg_ca ca = {0};
    const char *what = options->operands[0];
    int status = TG_EXIT_USAGE;

    tg_handshake_prepare();
    if (strcmp(what, "init") != 0 && strcmp(what, "issue") != 0)
        tg_complain("ca: '%s' is neither 'init' nor 'issue'", what);
    else if (tg_ca_locate(&ca, options))
        status = strcmp(what, "init") == 0 ? init(options, &ca) : issue(options, &ca);
    tg_ca_clear(&ca);
    return status;
}

const struct tg_verb tg_verb_ca = {
    .name = "ca",
    .synopsis = "init [OPTION...] | issue [OPTION...] NAME|IP...",
    .summary = "make a CA, and servers' certificates, for a local network",
    .details =
        "init: makes a CA: a key, and a certificate for clients to name as `anchors`. Never "
        "touches one that is there.\n"
        "issue: makes a key, a certificate and a PKCS#12 file for a server with these names "
        "and addresses, and prints the clients' policy and the server's settings. With the "
        "same first name again it makes a new certificate; the key stays unless --new-key is "
        "given.\n"
        "The PKCS#12 file's password is that of --password-file or TRUSTGRAFT_P12_PASSWORD, "
        "or a random one that is printed once.\n"
        "Exit 0: made; 2: usage, or a file can't be read or written.",
    .options = TG_OPTION_CA,
    .least = 1,
    .most = -1,
    .missing = "what to do is missing",
    .run = ca,
};
