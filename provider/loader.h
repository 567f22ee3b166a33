/*
 * loader.h - OSSL_OP_STORE for the scheme "trustgraft": a host's anchors wherever OpenSSL takes the
 * URI of a certificate store (provider-storemgmt(7)).
 */
#ifndef TG_LOADER_H
#define TG_LOADER_H

#include <openssl/core.h>

/* The one loader, and the end that OpenSSL looks for. */
extern const OSSL_ALGORITHM tg_store_loaders[];

#endif
