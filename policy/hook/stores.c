/*
 * stores.c - where a system has its CAs and OpenSSL's settings, for a libcrypto that was built for
 * none: linked with it by `make portable`, where these take the place of its own functions (ld's
 * --wrap).
 */
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

const char *__wrap_X509_get_default_cert_file(void); // NOLINT(bugprone-reserved-identifier)
const char *__wrap_X509_get_default_cert_area(void); // NOLINT(bugprone-reserved-identifier)

/* The first of COUNT PLACES that has FILE, else the first. */
static const char *first(const char *const places[], size_t count, const char *file)
{
    char path[128];

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(path, sizeof(path), "%s%s", places[i], file);
        if (access(path, R_OK) == 0)
            return places[i];
    }
    return places[0];
}

/* Besides it OpenSSL looks into the folder /etc/ssl/certs. */
const char *__wrap_X509_get_default_cert_file(void) // NOLINT(bugprone-reserved-identifier)
{
    static const char *const files[] = {
        "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Arch, Gentoo */
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, RHEL */
        "/etc/pki/tls/certs/ca-bundle.crt",                  /* the same, older */
        "/var/lib/ca-certificates/ca-bundle.pem",            /* SUSE */
        "/etc/ssl/ca-bundle.pem",                            /* the same, older */
        "/etc/ssl/cert.pem",                                 /* Alpine */
    };

    return first(files, sizeof(files) / sizeof(files[0]), "");
}

const char *__wrap_X509_get_default_cert_area(void) // NOLINT(bugprone-reserved-identifier)
{
    static const char *const folders[] = {
        "/usr/lib/ssl", /* Debian, Ubuntu */
        "/etc/pki/tls", /* Fedora, RHEL */
        "/etc/ssl",
    };

    return first(folders, sizeof(folders) / sizeof(folders[0]), "/openssl.cnf");
}
