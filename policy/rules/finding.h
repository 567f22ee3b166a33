/*
 * finding.h - everything that can be wrong with a server, in one table: the name policies and
 * logs use, its sentence, the result it leads to, and the X509_V_ERR_* an application sees.
 */
#ifndef TG_FINDING_H
#define TG_FINDING_H

#include "trustgraft.h"
#include <stdbool.h>
#include <stdint.h>

enum tg_finding_kind {
    TG_CERTIFICATE_EXPIRED,
    TG_CERTIFICATE_NOT_YET_VALID,
    TG_MISSING_ISSUER,
    TG_UNTRUSTED_ROOT,
    TG_SELF_SIGNED_LEAF,
    TG_NAME_MISMATCH,
    TG_WRONG_PURPOSE,
    TG_REVOKED,
    TG_REVOCATION_UNKNOWN,
    TG_LEAF_PIN_MISMATCH,
    TG_CA_PIN_MISMATCH,
    TG_PIN_MISMATCH,
    TG_KNOWN_HOST_MISMATCH,
    TG_KNOWN_HOST_MISSING,
    TG_DISTRUSTED,
    TG_WEAK_KEY,
    TG_WEAK_SIGNATURE,
    TG_BAD_SIGNATURE,
    TG_NOT_A_CA,
    TG_PATH_TOO_LONG,
    TG_NAME_CONSTRAINT,
    TG_UNKNOWN_CRITICAL_EXTENSION,
    TG_MALFORMED,
    TG_TLS_VERSION,
    TG_HOST_REJECTED,
    TG_HOST_UNKNOWN,
    TG_POLICY_INVALID,
    TG_INTERNAL_ERROR, /* the evaluation could not be carried out */
    TG_FINDING_KINDS
};

struct tg_finding_info {
    const char *name;
    const char *sentence; /* what it means, for manuals and for findings without detail */
    tg_result result;
    int x509_error;
};

/* The table's row; KIND must be valid. */
const struct tg_finding_info *tg_finding_info(enum tg_finding_kind kind);

/* The kind called NAME, or TG_FINDING_KINDS if there is none. */
enum tg_finding_kind tg_finding_by_name(const char *name);

/* The kind an X509_V_ERR_* code of libcrypto means. An unknown code is TG_MALFORMED: refused. */
enum tg_finding_kind tg_finding_by_x509(int x509_error);

/* True if an [exception] may forgive it: those whose result is a recoverable failure. */
bool tg_finding_forgivable(enum tg_finding_kind kind);

struct tg_finding {
    enum tg_finding_kind kind;
    int depth; /* of the certificate meant, 0 the leaf */
    int x509_error;
    char *text; /* UTF-8, one line, control characters escaped */
};

#endif
