#include "queue.h"
#include "kept.h"
#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { OWN_ERRORS = 64, OWN_FIRST = 100, OWN_SIZE = 88 };

/* ---- in libssl's words ---- */

#define REFUSED ERR_PACK(ERR_LIB_SSL, 0, SSL_R_CERTIFICATE_VERIFY_FAILED)

static const char between[] = ": ";
static ERR_STRING_DATA words[2];
static const char *_Atomic plain; /* libssl's; NULL: they never were others */
static atomic_uintptr_t only;     /* the thread that has shaken hands; 0: none */
static atomic_bool several;

static void say(const char *text)
{
    __atomic_store_n(&words[0].string, text, __ATOMIC_SEQ_CST);
}

void tg_queue_mend(void)
{
    const char *theirs = atomic_load(&plain);

    if (theirs != NULL)
        say(theirs);
}

void tg_queue_forget(void)
{
    static _Thread_local char self;
    uintptr_t known = 0;

    if (!atomic_compare_exchange_strong(&only, &known, (uintptr_t)&self) &&
        known != (uintptr_t)&self)
        atomic_store(&several, true);
    tg_queue_mend();
}

/* Node.js makes the codes of its errors, which programs compare, of libssl's words. */
static bool makes_codes(void)
{
    return dlsym(RTLD_DEFAULT, "napi_module_register") != NULL;
}

/* OpenSSL keeps the address of what it is given. */
static bool take_words(void)
{
    const char *theirs = ERR_reason_error_string(REFUSED);

    if (atomic_load(&plain) != NULL || theirs == NULL)
        return theirs != NULL;
    words[0] = (ERR_STRING_DATA){REFUSED, theirs};
    if (!ERR_load_strings(ERR_LIB_SSL, words))
        return false;
    atomic_store(&plain, theirs);
    return true;
}

/* Another thread that comes meanwhile either finds the new words and mends them, or is found. */
bool tg_queue_name(const char *brief)
{
    char text[TG_QUEUE_BRIEF + 32];
    const char *kept = NULL;
    int length = 0;

    if (atomic_load(&several) || makes_codes() || !take_words())
        return false;
    length = snprintf(text, sizeof(text), "%s%s%s", atomic_load(&plain), between, brief);
    if (length > 0 && (size_t)length < sizeof(text))
        kept = tg_kept(text);
    if (kept == NULL)
        return false;
    say(kept);
    if (!atomic_load(&several) && ERR_reason_error_string(REFUSED) == kept)
        return true;
    tg_queue_mend();
    return false;
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

/* The number of REASON, told as TEXT, in LIBRARY; 0: there is no room for it, or another thread
 * makes it. */
static int own_number(int library, const char *reason, const char *text)
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
            cut(error->text, text);
            error->string[0] = (ERR_STRING_DATA){ERR_PACK(0, 0, OWN_FIRST + i), error->text};
            atomic_store(&error->ready, ERR_load_strings(library, error->string) == 1);
        }
        if (there == NULL || there == reason)
            return atomic_load(&error->ready) ? OWN_FIRST + i : 0;
    }
    return 0;
}

void tg_queue_raise(const char *reason, size_t skip)
{
    int library = own_library(), number = 0;

    if (library != 0)
        number = own_number(library, reason, reason + skip);
    if (number != 0)
        ERR_raise(library, number);
}
