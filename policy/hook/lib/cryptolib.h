/*
 * cryptolib.h - each libcrypto of this process that a hooked libssl works on. Most often there is
 * one, and it is the one that this library is bound to: its certificates are ours. Those
 * of a foreign one (OpenSSL 1.1, OpenSSL 4, BoringSSL, another copy of OpenSSL 3) are converted
 * (convert.h).
 */
#ifndef TG_CRYPTOLIB_H
#define TG_CRYPTOLIB_H

#include "backend.h"
#include "libcrypto.h"
#include "param.h"

/* More in one process can't be told apart by the callbacks that carry no argument. */
#define TG_CRYPTOLIBS 4

/* Of which objects the ex_data index is ours, in one library context. */
enum { TG_CLAIM_CONTEXT = 1, TG_CLAIM_CONNECTION = 2, TG_CLAIM_BIO = 4 };

/* Lives as long as the process. */
struct tg_cryptolib {
    struct tg_libcrypto crypto;
    const struct tg_backend *backend; /* what is particular to its kind */
    bool foreign;
    struct tg_param_layout layout; /* where it is foreign */
    size_t number;                 /* below TG_CRYPTOLIBS */
    /* Of our ex_data; -1: not registered. */
    int context_index, connection_index, wire_index, verification_index;
    /* The TG_CLAIM_* of the thread's library context, where it takes the indexes first if they
     * weren't asked for yet; NULL: not registered. */
    unsigned (*claim)(struct tg_cryptolib *library);
};

/*
 * The libcrypto, of the kind of BACKEND, that ADDRESS lies in. NULL if it can't be worked with:
 * *MISSING is then what it lacks, or NULL if there are too many of them.
 */
struct tg_cryptolib *tg_cryptolib_at(const void *address, const struct tg_backend *backend,
                                     const char **missing);

/* The one that this library is bound to; NULL as above. */
struct tg_cryptolib *tg_cryptolib_native(const char **missing);

/* The one that ADDRESS lies in, where it is known already; else NULL. */
struct tg_cryptolib *tg_cryptolib_known(const void *address);

/*
 * Whatever is made on LIBRARY is hooked from now on; and whether that is so. A library may have our
 * ex_data without it, for a program that calls libtrustgraft(3) itself.
 */
void tg_cryptolib_hook(const struct tg_cryptolib *library);
bool tg_cryptolib_is_hooked(const struct tg_cryptolib *library);

/* The one of this number; NULL: none yet. */
struct tg_cryptolib *tg_cryptolib_number(size_t number);

#endif
