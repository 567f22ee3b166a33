/*
 * param.h - what an application asks of a verification, in the X509_VERIFY_PARAM of a foreign
 * libcrypto. OpenSSL 1.1 and BoringSSL have functions that set the names to check but none that
 * read them: where they stand in the structure is found by setting them in one of our own.
 */
#ifndef TG_PARAM_H
#define TG_PARAM_H

#include "libcrypto.h"
#include "trustgraft.h"

/* Offsets of what can be set. */
struct tg_param_layout {
    size_t hosts;     /* a stack of strings */
    size_t hostflags; /* unsigned */
    size_t email;     /* characters; their number, a size_t, follows */
    size_t address;   /* bytes; their number, a size_t, follows */
    size_t time;      /* time_t */
    size_t poison; /* BoringSSL: not 0 once a name or address could not be set; 0: there is none */
};

/* Fills *LAYOUT; false if the structure isn't of a form that is understood. */
TG_MUST_USE bool tg_param_probe(const struct tg_libcrypto *crypto, struct tg_param_layout *layout);

/* Where BoringSSL's `poison` stands, in a LAYOUT that was probed; false: it isn't found. */
TG_MUST_USE bool tg_param_find_poison(const struct tg_libcrypto *crypto,
                                      struct tg_param_layout *layout);

/* True where something that THEIRS should verify could not be set: BoringSSL then accepts nobody.
 */
bool tg_param_poisoned(const struct tg_param_layout *layout, const X509_VERIFY_PARAM *theirs);

/*
 * Gives OURS the flags, depth, time, names and addresses of THEIRS. False when memory ran out.
 * Purpose, trust and certificate policies stay behind: the first two are the rule's.
 */
TG_MUST_USE bool tg_param_import(const struct tg_libcrypto *crypto,
                                 const struct tg_param_layout *layout,
                                 const X509_VERIFY_PARAM *theirs, X509_VERIFY_PARAM *ours);

#endif
