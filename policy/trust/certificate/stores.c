#include "stores.h"
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

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

const char *tg_stores_file(void)
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

const char *tg_stores_area(void)
{
    static const char *const folders[] = {
        "/usr/lib/ssl", /* Debian, Ubuntu */
        "/etc/pki/tls", /* Fedora, RHEL */
        "/etc/ssl",
    };

    return first(folders, sizeof(folders) / sizeof(folders[0]), "/openssl.cnf");
}
