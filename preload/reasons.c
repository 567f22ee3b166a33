/*
 * reasons.c - the interposed functions of TLS libraries that say what an error is. Where the policy
 * refused, what the program is told has the reason; all else is the library's own answer. That a
 * function isn't in the caller's library (one of a later version) is told as no error at all.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* programs go on calling what is deprecated */
#include "gnutls_real.h"
#include "ssl.h"
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

/* What the engine knows of refusals, where it is the program that calls TARGET; NULL: nothing. */
static const struct tg_inject_reasons *reasons_of(const struct tg_crypto_target *target)
{
    const struct link_map *caller = target->caller;
    struct tg_engine engine;

    if (target->function == NULL || !tg_engine_active(&engine) ||
        (caller != NULL && (caller == target->object || caller == tg_engine_object())))
        return NULL;
    return engine.reasons();
}

#define BEGIN(symbol, name)                                                                        \
    const struct tg_crypto_target target = tg_resolve_crypto(symbol, CALLER);                      \
    __typeof__(&(name)) real = target.function;                                                    \
    const struct tg_inject_reasons *reasons = reasons_of(&target)

TG_API long SSL_get_verify_result(const SSL *ssl)
{
    struct tg_target target = tg_ssl_target(TG_SSL_GET_VERIFY_RESULT, CALLER);
    __typeof__(&SSL_get_verify_result) real = target.function;
    long code = real != NULL ? real(ssl) : X509_V_ERR_UNSPECIFIED;
    struct tg_engine engine;

    if (code != X509_V_OK && tg_engine_active(&engine))
        engine.reasons()->result(target.ssl_ctx_new, ssl, code);
    return code;
}

TG_API const char *X509_verify_cert_error_string(long code)
{
    BEGIN(TG_X509_VERIFY_CERT_ERROR_STRING, X509_verify_cert_error_string);
    const char *plain = real != NULL ? real(code) : "unknown certificate verification error";

    return reasons != NULL ? reasons->verification(code, plain) : plain;
}

TG_API const char *ERR_reason_error_string(unsigned long code)
{
    BEGIN(TG_ERR_REASON_ERROR_STRING, ERR_reason_error_string);
    const char *plain = real != NULL ? real(code) : NULL;

    return reasons != NULL ? reasons->error(code, plain) : plain;
}

/* Appends REASON (may be NULL) to what stands in TEXT, SIZE bytes. */
static void append(const char *reason, char *text, size_t size)
{
    size_t length = reason != NULL ? strnlen(text, size) : size;

    if (length < size)
        (void)snprintf(text + length, size - length, ": %s", reason);
}

/* A program's buffer is of 256 bytes, or of 120 as the manual once had it. For NULL there is one of
 * the library's own, of the one size or the other: what is longer stands in ours. */
TG_API char *ERR_error_string(unsigned long code, char *text)
{
    enum { THEIR_SIZE = 120 };
    static char own[256];
    BEGIN(TG_ERR_ERROR_STRING, ERR_error_string);
    char *written = real != NULL ? real(code, text) : NULL;
    const char *reason = reasons != NULL && written != NULL ? reasons->take(code) : NULL;

    if (reason == NULL || text != NULL) {
        append(reason, written, THEIR_SIZE);
        return written;
    }
    (void)snprintf(own, sizeof(own), "%s: %s", written, reason);
    return own;
}

/* BoringSSL's returns the text, which its own ERR_error_string passes on. */
TG_API char *error_string_n(unsigned long code, char *text,
                            size_t size) __asm__("ERR_error_string_n");
char *error_string_n(unsigned long code, char *text, size_t size)
{
    BEGIN(TG_ERR_ERROR_STRING_N, ERR_error_string_n);

    if (real == NULL || size == 0)
        return NULL;
    real(code, text, size);
    append(reasons != NULL ? reasons->take(code) : NULL, text, size);
    return text;
}

/* ---- who reads the data of an error is told the reason there ----------------------------------
 */

/* What an error was, with its DATA, which stays in the queue or stood there. */
#define WITH_DATA(symbol, name, parameters, arguments)                                             \
    TG_API unsigned long name parameters                                                           \
    {                                                                                              \
        BEGIN(symbol, name);                                                                       \
        unsigned long code = real != NULL ? real arguments : 0;                                    \
                                                                                                   \
        if (reasons != NULL && code != 0 && data != NULL)                                          \
            reasons->read(*data);                                                                  \
        return code;                                                                               \
    }

WITH_DATA(TG_ERR_PEEK_ERROR_DATA, ERR_peek_error_data, (const char **data, int *flags),
          (data, flags))
WITH_DATA(TG_ERR_PEEK_LAST_ERROR_DATA, ERR_peek_last_error_data, (const char **data, int *flags),
          (data, flags))
WITH_DATA(TG_ERR_GET_ERROR_ALL, ERR_get_error_all,
          (const char **file, int *line, const char **function, const char **data, int *flags),
          (file, line, function, data, flags))
WITH_DATA(TG_ERR_PEEK_ERROR_ALL, ERR_peek_error_all,
          (const char **file, int *line, const char **function, const char **data, int *flags),
          (file, line, function, data, flags))
WITH_DATA(TG_ERR_PEEK_LAST_ERROR_ALL, ERR_peek_last_error_all,
          (const char **file, int *line, const char **function, const char **data, int *flags),
          (file, line, function, data, flags))
WITH_DATA(TG_ERR_GET_ERROR_LINE_DATA, ERR_get_error_line_data,
          (const char **file, int *line, const char **data, int *flags), (file, line, data, flags))
WITH_DATA(TG_ERR_PEEK_ERROR_LINE_DATA, ERR_peek_error_line_data,
          (const char **file, int *line, const char **data, int *flags), (file, line, data, flags))
WITH_DATA(TG_ERR_PEEK_LAST_ERROR_LINE_DATA, ERR_peek_last_error_line_data,
          (const char **file, int *line, const char **data, int *flags), (file, line, data, flags))

/* ---- GnuTLS ---------------------------------------------------------------------------------- */

TG_API const char *gnutls_strerror(int code)
{
    TG_GNUTLS_REAL(gnutls_strerror);
    const char *plain = real != NULL ? real(code) : "The requested feature is not available.";
    struct tg_engine engine;

    if (target.inside || !tg_engine_active(&engine))
        return plain;
    return engine.reasons()->gnutls(code, plain);
}
