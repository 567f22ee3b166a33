#include "tell.h"
#include "argument.h"
#include "terminal.h"
#include "write.h"

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

/* ---- a CA --------------------------------------------------------------------------------- */

int tg_tell_root(const struct tg_ca *ca)
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

/* ---- an identity -------------------------------------------------------------------------- */

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

static void add_rule(struct tg_buf *out, const struct tg_credential *credential, const char *root)
{
    tg_buf_add(out, "\nClients' policy, with a copy of root.pem:\n    [host ");
    tg_altnames_text(out, &credential->names, " ");
    tg_buf_add(out, "]\n    anchors = ");
    tg_argument_quote(out, root);
    tg_buf_add(out, "\n");
}

/* The settings of servers. */
static void add_settings(struct tg_buf *out, const char *cert, const char *key)
{
    tg_buf_printf(out,
                  "\nnginx:\n    ssl_certificate %s;\n    ssl_certificate_key %s;\n"
                  "\nNode:\n    const tls = {cert: require('fs').readFileSync(%s),\n"
                  "                 key: require('fs').readFileSync(%s)};\n"
                  "    require('https').createServer(tls, handler)\n"
                  "\nPython:\n    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
                  "    context.load_cert_chain(%s,\n                            %s)\n",
                  cert, key, cert, key, cert, key);
}

/* Those of a client, and of the server that asks for its certificate. */
static void add_client_settings(struct tg_buf *out, const char *cert, const char *key,
                                const char *root)
{
    tg_buf_printf(out, "\ncurl:\n    curl --cert %s --key %s URL\n", cert, key);
    tg_buf_add(out, "\nnginx, which asks for it:\n    ssl_client_certificate ");
    tg_argument_quote(out, root);
    tg_buf_add(out, ";\n    ssl_verify_client on;\n");
}

/* What clients and servers need. Of a request, its maker knows where the key is. */
static void add_advice(struct tg_buf *out, const struct tg_credential *credential, const char *root)
{
    struct tg_buf cert = {0}, key = {0};

    tg_argument_quote(&cert, credential->path);
    tg_argument_quote(&key, credential->foreign ? "ITS-KEY" : credential->key_path);
    out->failed |= cert.failed || key.failed;
    if (!credential->client)
        add_rule(out, credential, root);
    if (!out->failed && credential->client)
        add_client_settings(out, cert.text, key.text, root);
    else if (!out->failed)
        add_settings(out, cert.text, key.text);
    tg_buf_free(&cert);
    tg_buf_free(&key);
}

int tg_tell_credential(const struct tg_credential *credential, const struct tg_ca *ca,
                       const char *password)
{
    struct tg_buf out = {0};
    char root[PATH_MAX];

    if (!tg_ca_path(ca, "root.pem", root))
        return TG_EXIT_USAGE;
    add_file(&out, credential->path,
             credential->client ? "the client's certificate for "
                                : "the server's certificate for ");
    tg_altnames_text(&out, &credential->names, ", ");
    add_end(&out, credential->leaf);
    add_history(&out, credential);
    if (credential->foreign) {
        tg_buf_add(&out, "    its private key isn't here: the same as before, or the request's\n");
    } else {
        add_file(&out, credential->key_path, fate_of_key(credential));
        add_file(&out, credential->bundle_path, "both and the CA's certificate as PKCS#12\n");
    }
    if (password != NULL)
        tg_buf_printf(&out, "    its password, which isn't kept anywhere: %s\n", password);
    add_advice(&out, credential, root);
    return tg_terminal_write(stdout, &out) ? TG_EXIT_GOOD : TG_EXIT_USAGE;
}
