/*
 * object.h - functions of a loaded library, found rather than linked: a process may have it
 * loaded locally (CPython), inside its executable (Node), or more than once.
 */
#ifndef TG_OBJECT_H
#define TG_OBJECT_H

#include "symtab_program.h"
#include "trustgraft.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * The kinds of TLS library, each with the file of its backend, in the order in which a library is
 * asked whether it is of that kind: BoringSSL passes itself off as OpenSSL 1.1.
 */
#define TG_KINDS(X)                                                                                \
    X(BORINGSSL, boringssl)                                                                        \
    X(OPENSSL_3, openssl3)                                                                         \
    X(OPENSSL_1, openssl1)

enum {
#define NUMBER(kind, name) TG_KIND_NUMBER_##kind,
    TG_KINDS(NUMBER)
#undef NUMBER
        TG_KIND_COUNT
};

/* Bits, for what only some of them have. */
enum tg_kind {
#define BIT(kind, name) TG_KIND_##kind = 1 << TG_KIND_NUMBER_##kind,
    TG_KINDS(BIT)
#undef BIT
        TG_KIND_OPTIONAL = 1 << TG_KIND_COUNT /* of a function: NULL where it isn't there */
};
#define TG_KIND_OPENSSL (TG_KIND_OPENSSL_3 | TG_KIND_OPENSSL_1)
#define TG_KIND_ANY     (TG_KIND_OPENSSL | TG_KIND_BORINGSSL)

/* A function, the kinds of library that must have it, and its place in a table of pointers. */
struct tg_function {
    int kinds;
    const char *name;
    size_t offset;
};

/* The object that ADDRESS lies in, without loading anything; to be closed by dlclose(3). */
void *tg_object_open(const void *address);

/* What tells the object that ADDRESS (may be NULL) lies in from others; NULL: none. */
const void *tg_object_identity(const void *address);

/* True if that is the program itself, whose object stands for all that it is linked to. */
bool tg_object_is_program(const void *identity);

/* The functions of that object if it is the program, and has an OpenSSL inside without exporting
 * it; else NULL. */
const struct tg_symtab *tg_object_hidden(const void *identity);

/* The function NAME if the OBJECT of this IDENTITY itself defines it, or NULL. */
void *tg_object_own(void *object, const void *identity, const char *name);

/* The same, or else of what it depends on. */
void *tg_object_find(void *object, const void *identity, const char *name);

/*
 * Fills TABLE with those of COUNT functions that a library of KIND has. False, with *MISSING
 * the first that isn't there, if OBJECT, which has this IDENTITY, lacks one.
 */
TG_MUST_USE bool tg_object_fill(void *object, const void *identity, int kind,
                                const struct tg_function *functions, size_t count, void *table,
                                const char **missing);

/* The first of COUNT functions that FROM hasn't of what a library of KIND must have, or NULL. */
const char *tg_object_lacks(tg_has_function *has, const void *from, int kind,
                            const struct tg_function *functions, size_t count);

#endif
