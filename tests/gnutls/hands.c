/* hands.c - what a program does that verifies a certificate by itself. */
#include "client.h"
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void client_verify_by_hand(gnutls_session_t session, FILE *out)
{
    unsigned count = 0, status = 0;
    const gnutls_datum_t *list = gnutls_certificate_get_peers(session, &count);
    gnutls_x509_crt_t chain[8], trusted = NULL;
    gnutls_datum_t file = {NULL, 0};
    char path[4096];
    time_t now = time(NULL);

    fprintf(out, " peers %u", count);
    for (unsigned i = 0; i < count && i < 8; i++) {
        gnutls_x509_crt_init(&chain[i]);
        gnutls_x509_crt_import(chain[i], &list[i], GNUTLS_X509_FMT_DER);
    }
    if (count == 0)
        return;
    gnutls_x509_crt_init(&trusted);
    client_path_of(path, client_word("trust") != NULL ? client_word("trust") : "other-root",
                   ".pem");
    if (gnutls_load_file(path, &file) < 0 ||
        gnutls_x509_crt_import(trusted, &file, GNUTLS_X509_FMT_PEM) < 0 ||
        gnutls_x509_crt_list_verify(chain, count, &trusted, 1, NULL, 0, 0, &status) < 0)
        exit(2);
    fprintf(out, " chain %s name %s dates %s", status == 0 ? "good" : "bad",
            gnutls_x509_crt_check_hostname(chain[0], client_word("crt")) ? "good" : "bad",
            gnutls_x509_crt_get_expiration_time(chain[0]) > now &&
                    gnutls_x509_crt_get_activation_time(chain[0]) <= now
                ? "good"
                : "bad");
}

void client_verify_for_purpose(gnutls_session_t session, FILE *out)
{
    unsigned count = 0, status = 0;
    const gnutls_datum_t *list = gnutls_certificate_get_peers(session, &count);
    gnutls_x509_trust_list_t none = NULL;
    gnutls_x509_crt_t leaf = NULL;
    gnutls_typed_vdata_st purpose = {GNUTLS_DT_KEY_PURPOSE_OID, (void *)client_word("purpose"), 0};

    gnutls_x509_trust_list_init(&none, 0);
    gnutls_x509_crt_init(&leaf);
    if (count == 0 || gnutls_x509_crt_import(leaf, &list[0], GNUTLS_X509_FMT_DER) < 0 ||
        gnutls_x509_trust_list_verify_crt2(none, &leaf, 1, &purpose, 1, 0, &status, NULL) < 0)
        exit(2);
    fprintf(out, " purpose %s", status == 0 ? "good" : "bad");
}

void client_look_for_name(gnutls_session_t session, FILE *out)
{
    unsigned count = 0;
    const gnutls_datum_t *list = gnutls_certificate_get_peers(session, &count);
    gnutls_x509_crt_t leaf = NULL;
    char name[300] = "";
    size_t size = sizeof(name) - 1;
    bool found = false;

    gnutls_x509_crt_init(&leaf);
    if (count > 0 && gnutls_x509_crt_import(leaf, &list[0], GNUTLS_X509_FMT_DER) == 0)
        for (unsigned i = 0; gnutls_x509_crt_get_subject_alt_name(leaf, i, name, &size, NULL) >= 0;
             i++, size = sizeof(name) - 1) {
            name[size] = '\0';
            found = found || strcmp(name, client_word("listed")) == 0;
        }
    fprintf(out, " listed %s", found ? "yes" : "no");
}
