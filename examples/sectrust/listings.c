/*
 * listings.c - what Technical Note TN2232 does in its listings 3, 4 and 5 with SecTrust, done with
 * libtrustgraft: listings FOLDER-OF-THE-PKI
 */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <trustgraft.h>

static const char *folder;

static X509 *load(const char *name)
{
    char path[4096];
    X509 *certificate = NULL;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s.pem", folder, name);
    file = fopen(path, "r");
    if (file != NULL)
        certificate = PEM_read_X509(file, NULL, NULL, NULL);
    if (certificate == NULL) {
        fprintf(stderr, "%s can't be read\n", path);
        exit(2);
    }
    fclose(file);
    return certificate;
}

static STACK_OF(X509) *list(const char *name)
{
    STACK_OF(X509) *certificates = sk_X509_new_null();

    sk_X509_push(certificates, load(name));
    return certificates;
}

/* What a server presented: LEAF, and the certificate SENT where it isn't NULL. */
static tg_trust *meet(const char *leaf, const char *sent)
{
    X509 *certificate = load(leaf);
    STACK_OF(X509) *chain = sent != NULL ? list(sent) : NULL;
    tg_trust *trust = tg_trust_new(certificate, chain);

    X509_free(certificate);
    sk_X509_pop_free(chain, X509_free);
    return trust;
}

/* SecTrustEvaluate, and what it says. */
static void evaluate(const char *what, tg_trust *trust)
{
    tg_trust_finding finding;

    printf("%s: %s\n", what, tg_result_name(tg_trust_evaluate(trust)));
    for (size_t i = 0; tg_trust_get_finding(trust, i, &finding); i++)
        printf("  %s: %s\n", finding.name, finding.text);
}

static int set_anchor(tg_trust *trust, const char *name)
{
    STACK_OF(X509) *anchors = list(name);
    int set = tg_trust_set_anchors(trust, anchors);

    sk_X509_pop_free(anchors, X509_free);
    return set;
}

/* Listing 3: custom anchors. SecTrustSetAnchorCertificates */
static int custom_anchor(void)
{
    tg_trust *trust = meet("api", "intermediate");
    int set = tg_trust_set_host(trust, "api.example.test", 443);

    evaluate("no anchor", trust);
    set = set && set_anchor(trust, "root");
    evaluate("a custom anchor", trust);
    tg_trust_free(trust);
    return set;
}

/* Listing 4: another name. SecPolicyCreateSSL, SecTrustSetPolicies */
static int other_name(void)
{
    tg_trust *trust = meet("partner", "intermediate");
    int set = set_anchor(trust, "root") && tg_trust_set_host(trust, "localhost", 443);

    evaluate("the name that was dialled", trust);
    set = set && tg_trust_set_host(trust, "www.partner.test", 443);
    evaluate("the name in the certificate", trust);
    tg_trust_free(trust);
    return set;
}

/* Listing 5: a server that forgets its intermediate. SecTrustCreateWithCertificates again, with it */
static int missing_intermediate(void)
{
    tg_trust *trust = meet("api", NULL);
    STACK_OF(X509) *intermediates = list("intermediate");
    int set = set_anchor(trust, "root") && tg_trust_set_host(trust, "api.example.test", 443);

    evaluate("without the intermediate", trust);
    set = set && tg_trust_set_intermediates(trust, intermediates);
    evaluate("with it", trust);
    sk_X509_pop_free(intermediates, X509_free);
    tg_trust_free(trust);
    return set;
}

/* "Trust Exceptions": SecTrustCopyExceptions, SecTrustSetExceptions */
static int exceptions(void)
{
    tg_trust *trust = meet("expired", "intermediate"), *impostor = meet("expired-twin", "intermediate");
    int set = set_anchor(trust, "root") && tg_trust_set_host(trust, "api.example.test", 443) &&
              set_anchor(impostor, "root") &&
              tg_trust_set_host(impostor, "api.example.test", 443);
    char *forgiven;

    evaluate("an expired certificate", trust);
    forgiven = tg_trust_copy_exceptions(trust);
    set = set && forgiven != NULL && tg_trust_set_exceptions(trust, forgiven);
    evaluate("forgiven by the user", trust);
    printf("the same for another certificate: %s\n",
           set && tg_trust_set_exceptions(impostor, forgiven) ? "taken" : "not taken");
    evaluate("so the impostor", impostor);
    free(forgiven);
    tg_trust_free(trust);
    tg_trust_free(impostor);
    return set;
}

int main(int argc, char **argv)
{
    folder = argc == 2 ? argv[1] : ".";
    return custom_anchor() && other_name() && missing_intermediate() && exceptions() ? 0 : 1;
}
