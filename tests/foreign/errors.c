#include "errors.h"
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

static const char *word(const char *text)
{
    return strstr(text, "trustgraft: refused by ") != NULL ? "named" : "plain";
}

/* What ERR_error_string_n gives back, which has no result but in BoringSSL. */
static const char *write_cut(unsigned long code, char *text, size_t size)
{
#ifdef OPENSSL_IS_BORINGSSL
    return ERR_error_string_n(code, text, size);
#else
    ERR_error_string_n(code, text, size);
    return text;
#endif
}

void errors_print(void)
{
    enum { LEAST = 120 }; /* of the library's own buffer: BoringSSL's */
    unsigned long code = ERR_peek_error();
    const char *own = ERR_error_string(0, NULL), *first = NULL;
    char text[256] = "", cut[16] = "";

    first = word(ERR_error_string(code, NULL));
    (void)fprintf(stderr, "errors: %s %s", first, strlen(own) < LEAST ? "within" : "BEYOND");
    own = ERR_error_string(code, text);
    (void)fprintf(stderr, " %s %s", word(text), own == text ? "same" : "OTHER");
    own = write_cut(code, cut, sizeof(cut));
    (void)fprintf(stderr, " %s %s\n", strnlen(cut, sizeof(cut)) < sizeof(cut) ? "within" : "BEYOND",
                  own == cut ? "same" : "OTHER");
}
