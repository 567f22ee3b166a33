#include "gnutls_name.h"
#include "candidate.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static bool is_ascii(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)name[i] >= 0x80)
            return false;
    return true;
}

/* What the library can't convert it neither sends nor finds in a certificate. */
char *tg_gnutls_name(const struct tg_gnutls *library, const char *name, size_t size)
{
    size_t length = strnlen(name, size);
    gnutls_datum_t mapped = {NULL, 0};
    char *found;

    if (is_ascii(name, length) || length > UINT_MAX ||
        library->gnutls_idna_map(name, (unsigned)length, &mapped, 0) < 0)
        return strndup(name, length);
    found = strndup((const char *)mapped.data, mapped.size);
    free(mapped.data); /* GnuTLS's memory has been malloc's since 3.3 */
    return found;
}

bool tg_gnutls_name_spell(const struct tg_gnutls *library, const char *name, char out[TG_HOST_SIZE])
{
    char *found = tg_gnutls_name(library, name, strlen(name));

    if (found != NULL)
        tg_peer_spell(found, out);
    free(found);
    return found != NULL;
}
