/*
 * param.h - what an application asks of a verification, in the X509_VERIFY_PARAM of a foreign
 * libcrypto. OpenSSL 1.1 and BoringSSL have functions that set the names to check but none that
 * read them, and OpenSSL 4's give a name that isn't a string: where they stand in the structure is
 * found by setting them in one of our own.
 */
#ifndef TG_PARAM_H
#define TG_PARAM_H

#include "libcrypto.h"
#include "trustgraft.h"

/*
 * Offsets of what can be set. An address is bytes, and their number, a size_t, follows; likewise
 * for mail. With `lists`, as in OpenSSL 4, both, and names, are stacks of structures of a pointer
 * and a size_t.
 */
struct tg_param_layout {
    bool lists;
    size_t hosts;      /* without lists, a stack of strings */
    size_t hostflags;  /* unsigned */
    size_t email;      /* with lists, those of ASCII alone, */
    size_t utf8_email; /* and the others, which without lists stand in the same place */
    size_t address;
    size_t time;   /* time_t */
    size_t poison; /* BoringSSL: not 0 once a name or address could not be set; 0: there is none */
};

/* Fills *LAYOUT; false if the structure isn't of a form that is understood. */
TG_MUST_USE bool tg_param_probe(const struct tg_libcrypto *crypto, struct tg_param_layout *layout);

/* Where BoringSSL's `poison` stands, in a LAYOUT that was probed; false: it isn't found. */
TG_MUST_USE bool tg_param_find_poison(const struct tg_libcrypto *crypto,
                                      struct tg_param_layout *layout);

/*
 * Why a server that is verified with THEIRS has to be refused, in words: something that it should
 * verify could not be set (BoringSSL then accepts nobody), or can't be carried over; NULL: it
 * hasn't.
 */
const char *tg_param_problem(const struct tg_libcrypto *crypto,
                             const struct tg_param_layout *layout, const X509_VERIFY_PARAM *theirs);

/*
 * Gives OURS the flags, depth, security level, time, names and addresses of THEIRS. False when
 * memory ran out, or there are more than one can ask OpenSSL 3 for. Purpose, trust and certificate
 * policies stay behind: the first two are the rule's.
 */
TG_MUST_USE bool tg_param_import(const struct tg_libcrypto *crypto,
                                 const struct tg_param_layout *layout,
                                 const X509_VERIFY_PARAM *theirs, X509_VERIFY_PARAM *ours);

#endif
