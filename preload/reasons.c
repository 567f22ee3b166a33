/*
 * reasons.c - the interposed functions of TLS libraries that say what an error is. Where the policy
 * refused, what the program is told has the reason; all else is the library's own answer. That a
 * function isn't in the caller's library (one of a later version) is told as no error at all.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* programs go on calling what is deprecated */
#include "gnutls_real.h"
#include "loaded.h"
#include "nss_real.h"
#include "ssl.h"
#include <dlfcn.h>
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

/* The same for an error on the queue, of which the library has only its own words to say then. */
static const struct tg_inject_reasons *queue_of(const struct tg_crypto_target *target)
{
    const struct tg_inject_reasons *reasons = reasons_of(target);

    if (reasons != NULL)
        reasons->asked();
    return reasons;
}

#define BEGIN_BY(find, symbol, name)                                                               \
    const struct tg_crypto_target target = tg_resolve_crypto(symbol, CALLER);                      \
    __typeof__(&(name)) real = target.function;                                                    \
    const struct tg_inject_reasons *reasons = find(&target)
#define BEGIN(symbol, name)       BEGIN_BY(reasons_of, symbol, name)
#define BEGIN_QUEUE(symbol, name) BEGIN_BY(queue_of, symbol, name)

TG_API long SSL_get_verify_result(const SSL *ssl)
{
    struct tg_target target = tg_ssl_target(TG_SSL_GET_VERIFY_RESULT, CALLER);
    __typeof__(&SSL_get_verify_result) real = target.function;
    long code = real != NULL ? real(ssl) : X509_V_ERR_UNSPECIFIED;
    struct tg_engine engine;

    if (!tg_engine_active(&engine))
        return code;
    if (code != X509_V_OK)
        engine.reasons()->result(target.ssl_ctx_new, ssl, code);
    else
        engine.reasons()->other();
    return code;
}

/* Of a verification that may be no connection's. */
TG_API int X509_STORE_CTX_get_error(const X509_STORE_CTX *context)
{
    BEGIN(TG_X509_STORE_CTX_GET_ERROR, X509_STORE_CTX_get_error);

    if (reasons != NULL)
        reasons->other();
    return real != NULL ? real(context) : X509_V_ERR_UNSPECIFIED;
}

TG_API const char *X509_verify_cert_error_string(long code)
{
    BEGIN(TG_X509_VERIFY_CERT_ERROR_STRING, X509_verify_cert_error_string);
    const char *plain = real != NULL ? real(code) : "unknown certificate verification error";

    return reasons != NULL ? reasons->verification(code, plain) : plain;
}

TG_API const char *ERR_reason_error_string(unsigned long code)
{
    BEGIN_QUEUE(TG_ERR_REASON_ERROR_STRING, ERR_reason_error_string);
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
    BEGIN_QUEUE(TG_ERR_ERROR_STRING, ERR_error_string);
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
    BEGIN_QUEUE(TG_ERR_ERROR_STRING_N, ERR_error_string_n);

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
        BEGIN_QUEUE(symbol, name);                                                                 \
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

/* The variable NAME of the libgnutls that has FUNCTION, which a program may have a copy of; NULL:
 * not found. A reference to it would keep every program from starting that has no libgnutls. */
static void *variable(const char *name, const void *function)
{
    void *found = dlsym(RTLD_DEFAULT, name), *library = NULL;
    const struct link_map *map = found == NULL ? tg_elf_map(function) : NULL;

    if (map != NULL)
        library = dlopen(map->l_name, RTLD_NOLOAD | RTLD_LAZY);
    if (library != NULL) {
        found = dlsym(library, name);
        (void)dlclose(library);
    }
    (void)dlerror();
    return found;
}

/* REASON behind the text in OUT, which the program frees by gnutls_free; without memory the text
 * stays as it is. */
static void extend(gnutls_datum_t *out, const char *reason, const void *function)
{
    void *(**allocate)(size_t) = variable("gnutls_malloc", function);
    void (**release)(void *) = variable("gnutls_free", function);
    size_t length = strlen(reason);
    unsigned char *text = NULL;

    if (allocate == NULL || release == NULL || out->data == NULL)
        return;
    text = (*allocate)(out->size + length + 1);
    if (text == NULL)
        return;
    memcpy(text, out->data, out->size);
    memcpy(text + out->size, reason, length + 1);
    (*release)(out->data);
    out->data = text;
    out->size += (unsigned)length;
}

TG_API int gnutls_certificate_verification_status_print(unsigned status, unsigned type,
                                                        gnutls_datum_t *out, unsigned flags)
{
    TG_GNUTLS_REAL(gnutls_certificate_verification_status_print);
    int result = real != NULL ? real(status, type, out, flags) : TG_GNUTLS_E_UNIMPLEMENTED_FEATURE;
    const char *reason = NULL;
    struct tg_engine engine;

    if (result == 0 && !target.inside && tg_engine_active(&engine))
        reason = engine.reasons()->status(status);
    if (reason != NULL)
        extend(out, reason, target.function);
    return result;
}

/* ---- NSS ------------------------------------------------------------------------------------- */

TG_API const char *PR_ErrorToString(PRErrorCode code, unsigned language)
{
    TG_NSS_REAL(TG_FOREIGN_NSPR, PR_ErrorToString);
    const char *plain = real != NULL ? real(code, language) : "";
    struct tg_engine engine;

    if (target.inside || !tg_engine_active(&engine))
        return plain;
    return engine.reasons()->nspr(code, plain);
}
