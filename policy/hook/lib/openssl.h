/*
 * openssl.h - what OpenSSL 3 and 1.1 have in common, for openssl3.c and openssl1.c: the operations
 * that backend.h marks BOTH.
 */
#ifndef TG_OPENSSL_H
#define TG_OPENSSL_H

#include "backend.h"

#define DECLARE(result, name, parameters) result tg_openssl_##name parameters;
#define SKIP(result, name, parameters)
TG_BACKEND_OPERATIONS(DECLARE, SKIP)
#undef DECLARE
#undef SKIP

/* The version of the libcrypto that the OBJECT of this IDENTITY has or works on
 * (OpenSSL_version_num(3)), or the first that it may be; 0: none. */
unsigned long tg_openssl_version(void *object, const void *identity);

#endif
