#include "reason.h"
#include "arrival.h"
#include "report.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With what curl puts before it, less than the 256 bytes that curl has for it. */
#define REASON_MOST 190
#define TEXT_SIZE   320
#define TEXTS       512

/* Of the errors on the queue that are our own. */
enum { OWN_ERRORS = 64, OWN_FIRST = 100, OWN_SIZE = 88 };

static const char prefix[] = "trustgraft: "; /* of each reason, and of the data of its error */

static _Thread_local struct {
    const char *reason; /* of the last refusal; NULL: none */
    unsigned long raised;
    bool told;
    const char *pointed; /* of the connection that the program asks about */
    long code;
    bool once;
} last;

/* ---- the texts ---- */

/* A copy of TEXT that stays for ever, the same for the same text; NULL: no room or memory. */
static const char *keep(const char *text)
{
    static char *_Atomic texts[TEXTS];
    char *copy = NULL, *there = NULL;
    unsigned hash = 0;

    for (const char *at = text; *at != '\0'; at++)
        hash = hash * 31 + (unsigned char)*at;
    for (unsigned i = 0; i < TEXTS; i++) {
        char *_Atomic *slot = &texts[(hash + i) % TEXTS];

        there = atomic_load_explicit(slot, memory_order_acquire);
        if (there == NULL) {
            copy = copy != NULL ? copy : strdup(text);
            if (copy == NULL)
                return NULL;
            if (atomic_compare_exchange_strong(slot, &there, copy))
                return copy;
        }
        if (strcmp(there, text) == 0) {
            free(copy);
            return there;
        }
    }
    free(copy);
    return NULL;
}

static const char *join(const char *plain, const char *between, const char *reason)
{
    char text[TEXT_SIZE];
    const char *kept = NULL;
    int saved = errno;

    if (plain == NULL || plain[0] == '\0')
        return reason;
    if (snprintf(text, sizeof(text), "%s%s%s", plain, between, reason) < (int)sizeof(text))
        kept = keep(text);
    errno = saved;
    return kept != NULL ? kept : plain;
}

/* ---- the refusal ---- */

void tg_reason_forget(void)
{
    memset(&last, 0, sizeof(last));
}

void tg_reason_refuse(const struct tg_verdict *verdict)
{
    char *text = tg_verdict_reason(verdict, REASON_MOST);

    tg_reason_forget();
    if (text != NULL)
        last.reason = keep(text);
    free(text);
}

const char *tg_reason_now(void)
{
    return last.reason;
}

void tg_reason_raised(unsigned long code)
{
    last.raised = code;
}

/* ---- as an error of our own ---- */

/* The number of our library of errors; 0: there is none. */
static int own_library(void)
{
    static ERR_STRING_DATA name[2];
    static atomic_int library;
    int found = atomic_load(&library), none = 0;

    if (found != 0)
        return found;
    found = ERR_get_next_error_library();
    if (!atomic_compare_exchange_strong(&library, &none, found))
        return none;
    name[0] = (ERR_STRING_DATA){ERR_PACK(found, 0, 0), "trustgraft"};
    return ERR_load_strings(found, name) ? found : 0;
}

/* What of REASON has room in TEXT, and no part of a character. */
static void cut(char text[OWN_SIZE], const char *reason)
{
    size_t length = strnlen(reason, OWN_SIZE - 1);

    if (reason[length] != '\0')
        while (length > 0 && ((unsigned char)reason[length] & 0xC0) == 0x80)
            length--;
    memcpy(text, reason, length);
    text[length] = '\0';
}

/* The number of REASON in LIBRARY; 0: there is no room for it, or another thread makes it. */
static int own_number(int library, const char *reason)
{
    static struct own {
        const char *_Atomic reason;
        atomic_bool ready;
        char text[OWN_SIZE];
        ERR_STRING_DATA string[2];
    } errors[OWN_ERRORS];

    for (int i = 0; i < OWN_ERRORS; i++) {
        struct own *error = &errors[i];
        const char *there = NULL;

        if (atomic_compare_exchange_strong(&error->reason, &there, reason)) {
            cut(error->text, reason + sizeof(prefix) - 1);
            error->string[0] = (ERR_STRING_DATA){ERR_PACK(0, 0, OWN_FIRST + i), error->text};
            atomic_store(&error->ready, ERR_load_strings(library, error->string) == 1);
        }
        if (there == NULL || there == reason)
            return atomic_load(&error->ready) ? OWN_FIRST + i : 0;
    }
    return 0;
}

void tg_reason_raise(void)
{
    int library = 0, number = 0;

    if (last.reason == NULL || tg_process_is_preloaded())
        return;
    library = own_library();
    if (library != 0)
        number = own_number(library, last.reason);
    if (number != 0)
        ERR_raise(library, number);
}

/* ---- what the program asks ---- */

void tg_reason_point(const char *reason, long code, bool once)
{
    last.pointed = reason;
    last.code = code;
    last.once = once;
}

/* OpenSSL says "application verification failure" of a code that the reason alone explains. */
const char *tg_reason_verification(long code, const char *plain)
{
    const char *reason = last.pointed;

    if (reason == NULL || code != last.code)
        return plain;
    if (last.once)
        last.pointed = NULL;
    if (last.told && reason == last.reason)
        return plain;
    return code == X509_V_ERR_APPLICATION_VERIFICATION ? reason : join(plain, ": ", reason);
}

const char *tg_reason_take(unsigned long code)
{
    if (last.reason == NULL || last.told || last.raised == 0 || code != last.raised)
        return NULL;
    last.told = true;
    return last.reason;
}

const char *tg_reason_error(unsigned long code, const char *plain)
{
    const char *reason = tg_reason_take(code);

    return reason != NULL ? join(plain, ": ", reason) : plain;
}

const char *tg_reason_gnutls(int code, const char *plain)
{
    enum { CERTIFICATE_VERIFICATION_ERROR = -348 }; /* its gnutls.h */

    if (code != CERTIFICATE_VERIFICATION_ERROR || last.reason == NULL || last.raised != 0)
        return plain;
    return join(plain, " ", last.reason);
}

void tg_reason_read(const char *data)
{
    if (data != NULL && strncmp(data, prefix, sizeof(prefix) - 1) == 0)
        last.told = true;
}
