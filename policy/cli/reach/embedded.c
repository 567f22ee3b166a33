#include "embedded.h"
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *text, *name; /* name NULL: TEXT and the version behind it */
} signatures[] = {
    {.text = "OpenSSL "},
    {.text = "ssl/ssl_lib.c", .name = "OpenSSL"}, /* which may have left its version out */
    {.text = "BoringSSL", .name = "BoringSSL"},
    {.text = "/rustls-", .name = "rustls"},
    {.text = "GnuTLS "},
    {.text = "mbedtls_ssl_", .name = "Mbed TLS"},
    {.text = "wolfSSL_", .name = "wolfSSL"},
};

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
    size_t length = strlen(text), version;

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

bool tg_embedded_find(const char *path, bool crypto, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    void *data = MAP_FAILED;
    bool found = false;

    if (fd != -1 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
        !is_this_command(&status))
        data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    for (size_t i = 0;
         data != MAP_FAILED && !found && i < sizeof(signatures) / sizeof(signatures[0]); i++)
        found = (i > 0 || !crypto) && search(data, (size_t)status.st_size, i, out, size);
    if (data != MAP_FAILED)
        munmap(data, (size_t)status.st_size);
    if (fd != -1)
        close(fd);
    return found;
}
