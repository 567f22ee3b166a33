/* anchors.h - what an application trusts, as files and directories of certificates. */
#ifndef TG_ANCHORS_H
#define TG_ANCHORS_H

#include "text.h"
#include "trustgraft.h"
#include <openssl/x509.h>

/*
 * A store of the certificates in PATH, a file as tg_chain_read takes it or a directory of such
 * (*.pem, *.crt,
 * *.cer, *.der, HASH.N). NULL with a sentence in WHY. The caller frees it.
 */
TG_MUST_USE X509_STORE *tg_anchors_store(const char *path, struct tg_buf *why);

#endif
