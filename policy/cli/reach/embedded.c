#include "embedded.h"
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *text;
    size_t size;      /* 0: as long as TEXT is; else with the NUL behind it */
    const char *name; /* NULL: TEXT and the version behind it */
    bool proves;
} signatures[] = {
    {.text = "ssl_lib.cc", .name = "BoringSSL", .proves = true},
    {.text = "OpenSSL "},
    /* An OpenSSL may have left its version out. */
    {.text = "ssl_lib.c", .size = sizeof("ssl_lib.c"), .name = "OpenSSL", .proves = true},
    {.text = "BoringSSL", .name = "BoringSSL"},
    {.text = "/rustls-", .name = "rustls"},
    {.text = "GnuTLS "},
    {.text = "mbedtls_ssl_", .name = "Mbed TLS"},
    {.text = "wolfSSL_", .name = "wolfSSL"},
};

enum { COUNT = sizeof(signatures) / sizeof(signatures[0]), OPENSSL = 1 };

static size_t version_length(const char *at, const char *end)
{
    const char *start = at;

    while (at < end && (isdigit((unsigned char)*at) || *at == '.'))
        at++;
    return (size_t)(at - start);
}

/* "3.0.15": such a version behind a library's name is what that library says of itself. */
static bool is_version(const char *at, size_t length)
{
    const char *dot = memchr(at, '.', length);

    return length >= 5 && dot != NULL && memchr(dot + 1, '.', length - (size_t)(dot + 1 - at));
}

static bool search(const char *data, size_t size, size_t index, char *out, size_t room)
{
    const char *text = signatures[index].text, *end = data + size, *at = data;
    size_t length = signatures[index].size > 0 ? signatures[index].size : strlen(text), version;

    while ((at = memmem(at, (size_t)(end - at), text, length)) != NULL) {
        at += length;
        version = version_length(at, end);
        if (signatures[index].name != NULL)
            snprintf(out, room, "%s", signatures[index].name);
        else if (is_version(at, version))
            snprintf(out, room, "%s%.*s", text, version < 20 ? (int)version : 20, at);
        else
            continue;
        return true;
    }
    return false;
}

/* This command may have one, for its own connections, which are under no policy but explained. */
static bool is_this_command(const struct stat *status)
{
    struct stat own;

    return stat("/proc/self/exe", &own) == 0 && own.st_dev == status->st_dev &&
           own.st_ino == status->st_ino;
}

static bool search_all(const char *data, size_t size, enum tg_embedded_signs signs, char *out,
                       size_t room)
{
    for (size_t i = 0; i < COUNT; i++)
        if ((signs == TG_EMBEDDED_PROVEN ? signatures[i].proves
                                         : signs == TG_EMBEDDED_ALL || i != OPENSSL) &&
            search(data, size, i, out, room))
            return true;
    return false;
}

bool tg_embedded_find(const char *path, enum tg_embedded_signs signs, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    void *data = MAP_FAILED;
    bool found = false;

    if (fd != -1 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
        !is_this_command(&status))
        data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data != MAP_FAILED) {
        found = search_all(data, (size_t)status.st_size, signs, out, size);
        munmap(data, (size_t)status.st_size);
    }
    if (fd != -1)
        close(fd);
    return found;
}
